"""A thousand changes of real locks: plain `verify` refuses all that lock and recipes can show, `--again` the rest."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from builder.lockfile import dump_lock
from tests.verify.attacks import ATTACKS, attacks, repaired
from tests.verify.mutations import Mutation, mutations
from tests.verify.observers import LOCKS, OBSERVERS, ROOT, CommittedLock, committed_lock

SEEDS, COUNT = range(1), 250
"""1,000 changes in all: of four locks, 250 each. More seeds: `scripts/maintenance/mutation-table`."""

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
    "repositories.date": "the signed file, which is at hand here for Debian only",
    "python.evidence": "the index says whether it states the digest",
    "row added: python": "the dependants' metadata names no such distribution",
    "row added: os-packages": "the archive's index has its dependants",
    "row removed: python": "the dependants' metadata names it",
    "row removed: os-packages": "the archive's index has its dependants",
    "row downgraded: python": "the dependants' metadata says which version",
    "row downgraded: os-packages": "the archive's index has the version",
    "row upgraded: python": "the index has the list, and the date bound decides",
    "row upgraded: os-packages": "the archive's index has the version",
    "other bytes: python": "the bytes have it",
    "other bytes: os-packages": "the archive's index has it, and the bytes",
    "one more environment: os-packages": "the archive's index has its dependants",
    "evidence: python": "the index says whether it states the digest",
    "header: resolver": "another version of the resolver",
    "repository: signed by": "the signature has it",
}
"""Changes that only an index, the store or the network can judge, and why; `verify --again` asks all of them."""


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_itself_is_accepted_by_all(name: str) -> None:
    """Also sorted and with its digest computed again: otherwise every change would be seen by its form."""
    untouched = Mutation(path=(), how="", data=dump_lock(committed_lock(name)))
    assert repaired(untouched) == untouched
    assert CommittedLock(name).seen_by(untouched) == frozenset()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", LOCKS)
def test_every_change_is_refused_by_verify_or_by_resolving_again(name: str, seed: int) -> None:
    lock, observed = committed_lock(name), CommittedLock(name)
    tried: Counter[str] = Counter()
    unexpected: dict[str, Mutation] = {}
    changes = [*attacks(lock, seed=seed, count=COUNT // 2), *mutations(lock, seed=seed, count=COUNT // 4)]
    changes += [repaired(change) for change in mutations(lock, seed=-1 - seed, count=COUNT // 4)]
    for change in changes:
        if change.data == dump_lock(lock):
            continue  # sorting or the digest has undone it
        tried[change.field] += 1
        if observed.is_seen(change, "verify"):
            continue
        if change.field not in UNSEEN or not observed.is_seen(change, "verify --again"):
            unexpected[change.field] = change
    assert {field: (one.path, one.how) for field, one in unexpected.items()} == {}
    assert len(tried) > 40, "fields of every kind were changed"


def test_the_page_has_every_kind_of_change_and_no_empty_line() -> None:
    """docs/tampering.md is written by scripts/maintenance/mutation-table, which needs minutes."""
    text = (ROOT / "docs/tampering.md").read_text("utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"(?m)^\|.*\|$", text)
    ]
    head, _, *lines = rows
    assert head == ["change", "tried", *(f"`{one}`" for one in OBSERVERS)]
    assert {kind for kind, *_ in lines} >= set(ATTACKS)
    assert [line for line in lines if not any(line[2:])] == []
    assert [line for line in lines if int(line[1]) != int(line[-1] or 0)] == [], (
        "resolving again sees them all"
    )
