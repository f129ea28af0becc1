"""Licences of a lock against a policy."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path

import pytest

from builder.errors import UsageError
from builder.lockfile.lock import Lock
from builder.lockfile.reading import parse_lock
from builder.policy.licenses import judge_licenses, read_license_policy

ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "tests/faults/project/lock/1.0/plain/tiny-x86_64.toml"
TODAY = date(2026, 11, 22)


def lock_with(license_: str) -> Lock:
    """Return the small lock, whose builds are Zlib and MIT, with idna under a licence."""
    lock = parse_lock(SMALL.read_bytes(), place="x")
    rows = [
        dataclasses.replace(row, license=license_ if row.name == "idna" else "MIT") for row in lock.python
    ]
    return dataclasses.replace(lock, python=tuple(rows))


def said(lock: Lock, policy: str) -> list[tuple[str, str, str]]:
    read = read_license_policy(policy.encode(), place="policy.toml")
    return [(item.rule.id, item.row, item.text) for item in judge_licenses(lock, read, today=TODAY)]


@pytest.mark.parametrize(
    ("license_", "policy", "problem"),
    [
        ("MIT", 'allowed = ["mit", "zlib"]', ""),
        ("Apache-2.0", 'allowed = ["MIT", "Zlib"]', "Apache-2.0 is not allowed"),
        ("MIT OR GPL-3.0-only", 'allowed = ["MIT", "Zlib"]', ""),
        ("MIT AND GPL-3.0-only", 'allowed = ["MIT", "Zlib"]', "GPL-3.0-only is not allowed"),
        ("MIT AND (ISC OR GPL-3.0-only)", 'allowed = ["MIT", "Zlib", "ISC"]', ""),
        ("GPL-3.0-only", 'denied = ["GPL-3.0-only"]', "GPL-3.0-only is denied"),
        ("GPL-3.0-only OR MIT", 'denied = ["GPL-3.0-only"]', ""),
        ("MIT", 'allowed = ["MIT", "Zlib"]\ndenied = ["MIT"]', "MIT is denied"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", 'denied = ["GPL-2.0-only"]', ""),
        (
            "GPL-2.0-only WITH Classpath-exception-2.0",
            'allowed = ["GPL-2.0-only", "MIT", "Zlib"]',
            "GPL-2.0-only WITH Classpath-exception-2.0 is not allowed",
        ),
        ("GPL-3.0+", 'denied = ["GPL-3.0+"]', "GPL-3.0+ is denied"),
        ("LicenseRef-NVIDIA-Proprietary", 'allowed = ["LicenseRef-NVIDIA-Proprietary", "MIT", "Zlib"]', ""),
        ("whatever it is", "", "is not an SPDX expression"),
    ],
)
def test_an_expression_is_fine_where_some_choice_is(license_: str, policy: str, problem: str) -> None:
    found = [item for item in said(lock_with(license_), policy) if item[1] == "python idna 3.10"]
    assert bool(found) == bool(problem)
    for rule, _, text in found:
        assert (rule, problem in text) == ("license", True)


@pytest.mark.parametrize(
    ("word", "rule"), [("deny", "license-unstated"), ("warn", "license-unknown"), ("allow", "")]
)
def test_a_row_without_a_licence_is_judged_as_the_policy_says(word: str, rule: str) -> None:
    found = said(lock_with(""), f'unstated = "{word}"')
    assert [item[:2] for item in found] == ([(rule, "python idna 3.10")] if rule else [])


def test_builds_are_judged_too() -> None:
    found = said(lock_with("MIT"), 'allowed = ["MIT"]')
    assert found == [("license", "builds zlib 1.3.1", "its license is Zlib: Zlib is not allowed")]


ACCEPTED = """
denied = ["GPL-3.0-only"]

[[accepted]]
name = "idna"
version = "{version}"
reason = "used at build time only, asked legal on 2026-10-01"
expires = "{day}"
"""


@pytest.mark.parametrize(
    ("version", "day", "found"),
    [("", "2026-11-23", 0), ("3.10", "2026-11-23", 0), ("3.11", "2026-11-23", 1), ("", "2026-11-22", 1)],
)
def test_what_is_accepted_ends_on_a_day(version: str, day: str, found: int) -> None:
    policy = read_license_policy(ACCEPTED.format(version=version, day=day).encode(), place="p")
    findings = [*judge_licenses(lock_with("GPL-3.0-only"), policy, today=TODAY)]
    assert len(findings) == found
    assert all(("ended on 2026-11-22" in item.hint) == (day == "2026-11-22") for item in findings)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("allowd = []", "did you mean `allowed`?"),
        ('allowed = ["MITT"]', "p: allowed[0]"),
        ('allowed = ["MIT OR ISC"]', "more than one license"),
        ('unstated = "refuse"', "not one of deny, warn, allow"),
        ('[[accepted]]\nname = "a"\nexpires = "2027-01-01"', "reason"),
        ('[[accepted]]\nname = "a"\nreason = " "\nexpires = "2027-01-01"', "reason is empty"),
        ('[[accepted]]\nreason = "r"\nexpires = "2027-01-01"', "name is empty"),
        ('[[accepted]]\nname = "a"\nreason = "r"\nexpires = "soon"', "not a day such as"),
        ("[[", "not TOML"),
        ("allowed = 1", "expected a list"),
    ],
)
def test_a_broken_policy_names_its_key(policy: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_license_policy(policy.encode(), place="p")
    assert words in f"{caught.value} {caught.value.hint}"


def test_real_locks_can_be_judged() -> None:
    path = ROOT / "lock/1.4.2/debian-13-cuda-13.0/vllm-x86_64.toml"
    lock = parse_lock(path.read_bytes(), place="x")
    findings = said(lock, 'denied = ["LicenseRef-NVIDIA-Proprietary"]\nunstated = "allow"')
    assert {rule for rule, _, _ in findings} == {"license", "license-os"}
    assert all("nvidia" in row or "OS packages" in text for _, row, text in findings)
