"""`verify --again`: the lock resolved anew and compared, row by row."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from builder.cli import main
from builder.errors import FetchError, NoSolutionError
from builder.lockfile import Finding, Lock, dump_lock, parse_lock
from builder.model import Target
from builder.verify import resolved_again_proof

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "lock/1.4.2/debian-13-assembled/dynamo-x86_64.toml"


def committed_lock() -> Lock:
    return parse_lock(LOCK.read_bytes(), place=LOCK.name)


def findings_of(lock: Lock, outcome: Lock | Exception) -> list[Finding]:
    def resolve(_: Target) -> Lock:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return list(resolved_again_proof([("x", lock)], resolve=resolve, done=lambda _: None).findings)


def test_an_equal_lock_has_no_finding() -> None:
    assert findings_of(committed_lock(), committed_lock()) == []


def test_rows_that_resolving_does_not_give_are_named() -> None:
    lock = committed_lock()
    fewer = dataclasses.replace(lock, python=lock.python[1:])
    label = f"python {lock.python[0].name}"
    assert [(f.rule.id, f.row, f.text) for f in findings_of(lock, fewer)] == [
        ("resolves-differently", label, "resolving again does not have it")
    ]
    assert [(f.rule.id, f.row, f.text) for f in findings_of(fewer, lock)] == [
        ("resolves-differently", label, "resolving again adds it")
    ]


def test_a_row_with_another_version_is_named_with_both() -> None:
    lock = committed_lock()
    old = dataclasses.replace(lock.python[0], version="0.0.1")
    edited = dataclasses.replace(lock, python=(old, *lock.python[1:]))
    (finding,) = findings_of(edited, lock)
    assert finding.row == f"python {old.name}"
    assert f"version '0.0.1' would be '{lock.python[0].version}'" in finding.text


def test_a_refusal_is_a_difference_and_silence_is_unknown() -> None:
    lock = committed_lock()
    assert [f.rule.id for f in findings_of(lock, NoSolutionError("no"))] == ["resolves-differently"]
    assert [f.rule.id for f in findings_of(lock, FetchError("no answer"))] == ["unknown"]


@pytest.mark.network
def test_a_committed_lock_resolves_again_and_an_edited_one_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["verify", "--again", "--project", str(ROOT), "--store", str(tmp_path / "store"), "--quiet"]
    lock = committed_lock()
    leaf = next(row for row in lock.python if row.name == "ninja")
    path = tmp_path / "edited.toml"
    path.write_bytes(dump_lock(dataclasses.replace(lock, python=tuple(r for r in lock.python if r != leaf))))
    assert main([*words, str(path)]) != 0
    assert "[resolves-differently] python ninja: resolving again adds it" in capsys.readouterr().out
