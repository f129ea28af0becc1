from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from builder.errors import NoSolutionError
from builder.lockfile.installed import environment_packages, glibc_version, lock_full_pythons, os_python
from builder.lockfile.lock import Lock
from builder.lockfile.reading import parse_lock
from builder.lockfile.rules import lock_faults
from builder.resolve.target import check_solvable

LOCKS = Path(__file__).resolve().parents[2] / "lock"


def lock_of(path: str, **environment: Any) -> Lock:
    lock = parse_lock((LOCKS / path).read_bytes(), place=path)
    return dataclasses.replace(lock, environment=dataclasses.replace(lock.environment, **environment))


def faults(lock: Lock, rule_id: str) -> list[str]:
    return [fault.text for rule, fault in lock_faults(lock) if rule.id == rule_id]


@pytest.mark.parametrize(
    ("name", "version", "python"),
    [
        ("python3.13", "3.13.5-2+deb13u5", "3.13.5"),
        ("python3.13-minimal", "1:3.13.0~rc2-1", "3.13.0rc2"),
        ("libpython3.13-stdlib", "3.13.5-2", "3.13.5"),
        ("python3", "3.13.5-1", "3.13.5"),
        ("python3-libs", "3.9.18-3.el9_4.1", "3.9.18"),
        ("python3", "3.12-1", "3.12"),
        ("python3-pip", "3.13.5-1", ""),
        ("python3.13-dev-tools", "3.13.5-1", ""),
    ],
)
def test_python_of_a_package(name: str, version: str, python: str) -> None:
    assert os_python({name: version}, "3.13") == (python, name if python else "")


def test_the_package_of_the_wanted_minor_version_goes_first() -> None:
    packages = {"python3": "3.11.2-1+b1", "python3.11": "3.11.2-6+deb12u9", "python3.12": "3.12.9-1"}
    assert os_python(packages, "3.12") == ("3.12.9", "python3.12")
    assert os_python(packages, "3.11") == ("3.11.2", "python3.11")
    assert os_python(packages, "3.13")[0] == "3.11.2"


@pytest.mark.parametrize(
    ("packages", "glibc"),
    [
        ({"libc6": "2.36-9+deb12u14"}, "2.36"),
        ({"glibc": "2.34-52.amzn2023.0.8"}, "2.34"),
        ({"musl": "1.2"}, ""),
    ],
)
def test_glibc_of_packages(packages: dict[str, str], glibc: str) -> None:
    assert glibc_version(packages) == glibc


def test_rows_of_an_environment_cover_those_of_its_base() -> None:
    lock = lock_of("1.4.2/debian-13-assembled/dynamo-x86_64.toml")
    there = environment_packages("runtime", images=lock.images, rows=lock.os_packages)
    assert {"libc6", "python3.13"} <= there.keys()


@pytest.mark.parametrize(
    ("path", "full"),
    [
        ("1.4.2/debian-13/dynamo-x86_64.toml", "3.13.5"),
        ("1.4.2/debian-12-assembled/dynamo-x86_64.toml", "3.11.2"),
        ("1.4.2/debian-12-python-3.12/dynamo-x86_64.toml", "3.12.6"),
    ],
)
def test_the_full_python_of_a_lock(path: str, full: str) -> None:
    pythons = lock_full_pythons(lock_of(path))
    assert (pythons["runtime"], pythons["installer"]) == (full, full)


@pytest.mark.parametrize(
    "path", ["1.4.2/debian-12/dynamo-x86_64.toml", "1.4.2/debian-12-assembled/dynamo-x86_64.toml"]
)
@pytest.mark.parametrize("glibc", ["2.39", "2.35"])
def test_a_floor_that_the_base_does_not_have_is_named(path: str, glibc: str) -> None:
    (text,) = faults(lock_of(path, glibc=glibc), "glibc-agreement")
    assert text.startswith(f"glibc is {glibc}, and the OS packages of ")
    assert text.endswith(" have glibc 2.36")
    assert faults(lock_of(path), "glibc-agreement") == []


def test_a_python_that_the_packages_do_not_bring_is_named() -> None:
    lock = lock_of("1.4.2/debian-13/dynamo-x86_64.toml", python="3.12")
    assert "python is 3.12, and python3 brings Python 3.13.5 to runtime" in faults(lock, "python-agreement")


def test_a_python_that_the_component_does_not_build_is_named() -> None:
    lock = lock_of("1.4.2/debian-12-python-3.12/dynamo-x86_64.toml", python="3.13")
    assert faults(lock, "python-agreement") == ["python is 3.13, and cpython builds 3.12.6"]


@pytest.mark.parametrize(
    ("path", "changes", "hint"),
    [
        ("1.4.2/debian-12/dynamo-x86_64.toml", {"glibc": "2.39"}, 'write glibc = "2.36"'),
        ("1.4.2/debian-13/dynamo-x86_64.toml", {"python": "3.12"}, 'write python = "3.13"'),
        ("1.4.2/debian-12-python-3.12/dynamo-x86_64.toml", {"python": "3.13"}, 'write python = "3.12"'),
    ],
)
def test_a_recipe_that_says_otherwise_than_its_packages_is_told_what_to_write(
    path: str, changes: dict[str, str], hint: str
) -> None:
    """Another run of `lock` would find the same, so it is no solution, and the hint is no other run."""
    with pytest.raises(NoSolutionError) as refused:
        check_solvable(lock_of(path, **changes))
    assert refused.value.hint.startswith(hint)
