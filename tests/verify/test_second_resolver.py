"""`verify --again --resolver pip-tools`: what it compares, what it cannot, and why versions differ."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from builder.cli import main
from builder.errors import FetchError, NoSolutionError, UsageError
from builder.lockfile import Lock, Proof
from builder.recipe import PythonRequest, effective_recipe
from builder.resolve.python import RunningMachine
from builder.verify import ClosureQuestion, LockMetadata, SecondResolver, second_resolver_proof
from tests.verify.observers import committed_lock, library, recorded_metadata

ROOT = Path(__file__).resolve().parents[2]
NAME = "1.4.2/debian-12/dynamo-aarch64"
LIKE_THE_TARGET = RunningMachine(os="debian-12", arch="aarch64", glibc="2.36", python="3.11.9")
Solve = Callable[[PythonRequest], Mapping[str, str]]


def locked_versions(request: PythonRequest) -> dict[str, str]:
    return {row.name: row.version for row in committed_lock(NAME).python if request.environment in row.for_}


def proof_of(lock: Lock, solve: Solve, machine: RunningMachine = LIKE_THE_TARGET) -> Proof:
    recipe = effective_recipe(library(), lock.target)
    known = recorded_metadata(NAME)

    def read(_: Lock) -> LockMetadata:
        return known

    return second_resolver_proof(
        [ClosureQuestion(name=NAME, lock=lock, recipe=recipe)],
        SecondResolver(name="pip-tools 7", machine=machine, solve=solve),
        read=read,
        done=lambda _: None,
    )


def disagreements(proof: Proof) -> dict[str, str]:
    assert {finding.rule.id for finding in proof.findings} <= {"resolver-disagrees"}
    return {finding.row.removeprefix("python "): finding.text for finding in proof.findings}


def in_runtime(**versions: str) -> Solve:
    """Return a solver with other versions in the image; an empty one leaves the distribution out."""

    def solve(request: PythonRequest) -> dict[str, str]:
        found = locked_versions(request)
        if request.environment == "runtime":
            found |= {name.replace("_", "-"): version for name, version in versions.items()}
        return {name: version for name, version in found.items() if version}

    return solve


def test_equal_versions_are_counted() -> None:
    proof = proof_of(committed_lock(NAME), locked_versions)
    assert proof.findings == ()
    assert proof.facts["compared"] == proof.facts["equal"] == 1
    uses = sum(len(row.for_) for row in committed_lock(NAME).python)
    assert f"{uses} Python rows, each environment by itself: 1 equal" in proof.says
    assert "OS packages were not compared" in proof.says


def test_each_difference_has_its_reason() -> None:
    found = disagreements(
        proof_of(committed_lock(NAME), in_runtime(pydantic="1.0", idna="3.0", aiohttp="", stranger="1.0"))
    )
    assert set(found) == {"pydantic", "idna", "aiohttp", "stranger"}
    assert " in the lock, which 1.0 is not" in found["pydantic"]
    assert "both versions fit" in found["idna"]
    assert "requires idna" in found["idna"]
    assert "pip-tools leaves it out: " in found["aiohttp"]
    assert "requires aiohttp" in found["aiohttp"]
    assert "no locked wheel asks for it" in found["stranger"]


def test_a_marker_that_tells_two_patch_releases_apart_is_the_reason() -> None:
    lock = committed_lock(NAME)
    known = recorded_metadata(NAME)
    row = next(row for row in lock.python if row.name == "aiohttp")
    facts = known.wheels[str(row.sha256)]
    asked = (*facts.requires, "backport==1.0; python_full_version < '3.11.3'")
    changed = LockMetadata(
        wheels={**known.wheels, str(row.sha256): dataclasses.replace(facts, requires=asked)},
        packages=known.packages,
    )
    proof = second_resolver_proof(
        [ClosureQuestion(name=NAME, lock=lock, recipe=effective_recipe(library(), lock.target))],
        SecondResolver(name="pip-tools 7", machine=LIKE_THE_TARGET, solve=in_runtime(backport="1.0")),
        read=lambda _: changed,
        done=lambda _: None,
    )
    assert disagreements(proof) == {
        "backport": "runtime: pip-tools adds 1.0, the lock does not have it: aiohttp asks for it under a marker "
        "that tells Python 3.11.2 from 3.11.9"
    }


def test_a_tampered_lock_is_seen_by_the_second_resolver_too() -> None:
    lock = committed_lock(NAME)
    gone = next(row for row in lock.python if row.name == "idna")
    fewer = dataclasses.replace(lock, python=tuple(row for row in lock.python if row is not gone))
    assert list(disagreements(proof_of(fewer, locked_versions))) == ["idna"]


def test_no_solution_is_a_difference_and_silence_is_unknown() -> None:
    def refuses(_: PythonRequest) -> dict[str, str]:
        raise NoSolutionError("pip-tools finds no solution")

    def is_silent(_: PythonRequest) -> dict[str, str]:
        raise FetchError("no answer")

    lock = committed_lock(NAME)
    assert {finding.rule.id for finding in proof_of(lock, refuses).findings} == {"resolver-disagrees"}
    assert {finding.rule.id for finding in proof_of(lock, is_silent).findings} == {"unknown"}


def test_nothing_comparable_is_never_a_success() -> None:
    other = dataclasses.replace(LIKE_THE_TARGET, arch="x86_64")
    with pytest.raises(UsageError, match=r"none of 1 lock is comparable here: .* machine aarch64"):
        proof_of(committed_lock(NAME), locked_versions, other)


def test_the_option_needs_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--resolver", "pip-tools", "--project", str(ROOT)]) == 2
    assert "add --again" in capsys.readouterr().err
