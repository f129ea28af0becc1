"""Thousands of small changes of a real lock: none is silent, each names its row, none breaks a lock unseen."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from builder.diff.comparison import compare, rewritten
from builder.diff.forms import as_text
from builder.diff.pages import page
from builder.diff.reports import Compared, report
from builder.errors import LockError
from builder.lockfile.lock import CatalogueUse, Lock, catalogue_digest, catalogue_key, summary_digest
from builder.lockfile.reading import dump_lock, examine, lock_findings, parse_lock
from builder.model.digest import ImageDigest
from builder.model.structuring import Table
from tests.diff.mutations import Mutation, mutations, places

ROOT = Path(__file__).resolve().parents[2]
SEED, COUNT = 20261122, 2000

BREAKING = {
    "": {"recipe_digest", "inputs"},
    "catalogue": {"digest"},
    "images": {"roles"},
    "python": {"name", "version", "for_"},
    "os_packages": {"name", "version", "arch", "origin", "for_"},
    "builds": {"component", "version", "archives"},
    "archives": {"component", "file"},
    "sources": {"component"},
}
"""Fields that something else in the lock says too: whatever they are changed to, the lock contradicts itself."""


@pytest.fixture(scope="module")
def lock() -> Lock:
    path = max(ROOT.glob("lock/1.4.2/*/dynamo-x86_64.toml"), key=lambda path: path.stat().st_size)
    found = parse_lock(path.read_bytes(), place=path.name)
    # A lock of an installed project also says what it took from the package's catalogue.
    inputs = found.inputs.merged(Table({catalogue_key("components/nixl.toml"): "0" * 16}))
    use = CatalogueUse(version="0.1.0", digest=catalogue_digest(inputs) or ImageDigest("sha256:" + "0" * 64))
    return replace(found, inputs=inputs, recipe_digest=summary_digest(inputs), catalogue=use)


def test_no_change_is_silent_and_each_names_its_row(lock: Lock) -> None:
    for mutation in mutations(lock, SEED, COUNT):
        changes = compare(lock, mutation.lock)
        assert changes, mutation
        lines = as_text(
            page(report("a", "b", [Compared(target="t", before="a", after="b", changes=changes)]))
        )
        said = "\n".join("".join(text for text, _ in line) for line in lines)
        assert any(name in said for name in names(mutation)), (names(mutation), said)


def names(mutation: Mutation) -> set[str]:
    """Return what the changed row is called before and after; in the header, its key."""
    row = mutation.row
    if mutation.section == "catalogue":
        return {"catalogue"}
    if row is None or mutation.section in {"environment", "runtime"}:
        inner = mutation.before if mutation.field in {"inputs", "env"} else ()
        found = {key for key, value in inner if dict(mutation.after).get(key) != value} | {"added"}
        return found if inner else {mutation.field.replace("_", "-"), "python", "NAME"}
    named = next(name for name in ("component", "suite", "name") if hasattr(row, name))
    return {str(getattr(row, named)), str(mutation.after)}


def test_what_contradicts_itself_is_rejected(lock: Lock) -> None:
    assert not list(lock_findings(lock))
    seen: Counter[tuple[str, str]] = Counter()
    for mutation in mutations(lock, SEED + 1, COUNT):
        if mutation.field in BREAKING.get(mutation.section, ()) and _is_unheard_of(mutation):
            assert list(lock_findings(mutation.lock)), mutation
            seen[mutation.section, mutation.field] += 1
    assert len(seen) >= 15
    assert sum(seen.values()) > COUNT / 5


def _is_unheard_of(mutation: Mutation) -> bool:
    """Say whether nothing else in the lock could say the same: file names have no epoch, uses may be fewer."""
    if mutation.section == "os_packages" and mutation.field == "version":
        return str(mutation.before).rpartition(":")[2] != str(mutation.after).rpartition(":")[2]
    known = {build.component for build in mutation.lock.builds} | {"base", "runtime", "installer"}
    return mutation.field != "for_" or not set(mutation.after) <= known or not mutation.after


def test_every_field_of_every_kind_of_row_is_changed(lock: Lock) -> None:
    kinds = {(section, field) for section, _, field in places(lock)}
    assert kinds == {(item.section, item.field) for item in mutations(lock, SEED, COUNT)}


def test_a_change_of_the_text_is_a_finding_or_a_difference(lock: Lock) -> None:
    data = dump_lock(lock)
    chosen = random.Random(SEED)
    outcomes: Counter[str] = Counter()
    for _ in range(300):
        at = chosen.randrange(len(data))
        edited = chosen.choice(
            [
                data[:at] + b" " + data[at:],
                data[:at] + b"\n" + data[at:],
                data[:at] + b"# " + data[at:],
                data[:at] + data[at + 1 :],
                data[:at] + bytes([chosen.randrange(256)]) + data[at + 1 :],
            ]
        )
        if edited == data:
            continue
        try:
            found = parse_lock(edited, place="edited")
        except LockError:
            outcomes["no lock"] += 1
            continue
        if found == lock:
            assert examine(edited, name="edited").findings, edited[max(at - 40, 0) : at + 40]
            assert rewritten(data, edited)
            outcomes["another form"] += 1
        else:
            assert compare(lock, found)
            outcomes["another content"] += 1
    assert set(outcomes) == {"no lock", "another form", "another content"}
