"""Thousands of single changes of a real lock: `verify` refuses all that lock and recipes can show."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import pytest

from builder.lockfile.lock import Lock
from builder.lockfile.reading import examine, load_lock
from builder.recipe.library import Library
from builder.recipe.reading import read_library
from builder.recipe.targets import lockable_targets
from builder.selection import ALL, Selection
from builder.verify.against_recipes import outdated, signed_indexes
from tests.verify.mutations import Mutation, mutations

ROOT = Path(__file__).resolve().parents[2]
LOCK = "1.4.2/debian-13/dynamo-x86_64"
SEEDS, COUNT = range(8), 250

UNSEEN = {
    "python": "a distribution that nothing else asks for: its dependants' metadata names it",
    "python.extras": "the dependants' metadata asks for extras",
    "python.via": "one of several dependants: their metadata says who asks",
    "python.for": "the dependants' metadata says in which environment",
    "python.file": "another build of the same version for the same target: the index has the list",
    "python.license": "the wheel's metadata has it",
    "python.sha256": "the bytes have it",
    "python.size": "the bytes have it",
    "python.path": "the index has it",
    "os-packages": "a package that nothing names: the archive's index has its dependants",
    "os-packages.for": "as above, for one environment",
    "os-packages.file": "its folder: the archive's index has it",
    "os-packages.sha256": "the archive's index has it, and the bytes",
    "os-packages.size": "the archive's index has it, and the bytes",
    "os-packages.origin": "the archive's index has it",
    "os-packages.via": "one of several dependants: the archive's index says who asks",
    "repositories.signed-by": "the signature has it",
    "resolver": "another version of the resolver",
}
"""Fields that only an index, the store or the network can judge, and why; `--store` and `--online` ask them."""


@pytest.fixture(scope="module")
def lock() -> Lock:
    return load_lock((ROOT / "lock" / f"{LOCK}.toml").read_bytes(), place=LOCK)


@pytest.fixture(scope="module")
def library() -> Library:
    folder = ROOT / "recipes"
    return read_library(
        {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
    )


@pytest.fixture(scope="module")
def releases() -> dict[str, bytes]:
    contents = [path.read_bytes() for path in (ROOT / "recipes" / "indexes").glob("*/InRelease")]
    return {hashlib.sha256(data).hexdigest(): data for data in contents}


def refused(mutation: Mutation, lock: Lock, library: Library, releases: dict[str, bytes]) -> bool:
    listed = frozenset(lockable_targets(library, Selection(releases=(ALL,))))
    examined = examine(mutation.data, name="changed.toml", place=lock.target.path)
    if examined.findings or examined.lock is None:
        return True
    return any(outdated(examined.lock, library, listed)) or any(signed_indexes(examined.lock, releases))


def test_the_lock_itself_is_accepted(lock: Lock, library: Library, releases: dict[str, bytes]) -> None:
    data = (ROOT / "lock" / f"{LOCK}.toml").read_bytes()
    assert not refused(Mutation(path=(), how="", data=data), lock, library, releases)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_change_that_can_be_seen_is_refused(
    seed: int, lock: Lock, library: Library, releases: dict[str, bytes]
) -> None:
    tried: Counter[str] = Counter()
    passed: dict[str, Mutation] = {}
    for mutation in mutations(lock, seed=seed, count=COUNT):
        tried[mutation.field] += 1
        if not refused(mutation, lock, library, releases):
            passed[mutation.field] = mutation
    seen = {field: (one.path, one.how) for field, one in passed.items() if field not in UNSEEN}
    assert not seen
    assert len(tried) > 40, "fields of every kind were changed"
