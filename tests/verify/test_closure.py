"""The set of rows, proven: the locked files' own metadata of one real lock, and every kind of edit of its rows.

The record below `metadata/` holds what the 70 wheels and 187 packages of that lock say of
themselves, read from the files by their SHA-256: requirements, extras, relations.
"""

from __future__ import annotations

import dataclasses
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from builder.index import WheelFacts
from builder.lockfile import RUNTIME, Finding, Lock, Proof, parse_lock, row_label
from builder.model import LicenseStatement, Sha256
from builder.project import recipe_files
from builder.recipe import EffectiveRecipe, effective_recipe, read_library
from builder.resolve.debian import Stanza
from builder.store import Store
from builder.verify import ClosureQuestion, LockMetadata, closure_faults, closure_proof, stored_metadata
from tests.verify.observers import recorded_metadata

ROOT = Path(__file__).resolve().parents[2]
LOCK = "1.4.2/debian-13-assembled/dynamo-x86_64.toml"
FORGED = Sha256("e" * 64)


@cache
def committed_lock() -> Lock:
    return parse_lock((ROOT / "lock" / LOCK).read_bytes(), place=LOCK)


@cache
def recipe() -> EffectiveRecipe:
    return effective_recipe(read_library(recipe_files(ROOT / "recipes")), committed_lock().target)


def metadata() -> LockMetadata:
    return recorded_metadata(LOCK.removesuffix(".toml"))


def stanzas() -> dict[str, Stanza]:
    return dict(metadata().packages or {})


def faults(lock: Lock, known: LockMetadata | None = None) -> list[Finding]:
    return list(closure_faults(lock, recipe(), known or metadata()))


def store_closure(question: ClosureQuestion, store: Store, damaged: tuple[str, ...] = ()) -> Proof:
    read = partial(stored_metadata, store, damaged=damaged)
    return closure_proof([question], name="closure", read=read, done=lambda _: None)


def with_python(lock: Lock, *rows: Any) -> Lock:
    return dataclasses.replace(lock, python=tuple(rows))


def with_packages(lock: Lock, *rows: Any) -> Lock:
    return dataclasses.replace(lock, os_packages=tuple(rows))


def test_the_committed_lock_is_proven() -> None:
    assert faults(committed_lock()) == []


def test_every_python_row_is_needed() -> None:
    """Whichever row is deleted, something names the distribution that is missing (every sixth is tried)."""
    lock = committed_lock()
    for gone in lock.python[::6]:
        told = faults(with_python(lock, *(row for row in lock.python if row != gone)))
        assert any(
            one.rule.id == "unmet" and gone.name in one.text.lower().replace("_", "-") for one in told
        ), gone


def test_every_os_row_is_needed() -> None:
    """Which packages a distribution calls required stands in its index alone: `verify --again` asks that."""
    lock = committed_lock()
    unnoticed = []
    for gone in lock.os_packages[::12]:
        told = faults(with_packages(lock, *(row for row in lock.os_packages if row != gone)))
        if not told:
            unnoticed.append(gone.name)
            stanza = stanzas()[gone.sha256]
            assert stanza.essential or stanza.priority == "required", gone
    assert len(unnoticed) < 5


@pytest.mark.parametrize("via", [("aiohttp",), ("recipe",), ()])
def test_an_added_distribution_is_named_whatever_its_via_says(via: tuple[str, ...]) -> None:
    lock = committed_lock()
    evil = dataclasses.replace(lock.python[0], name="evil-pth", version="1.0", sha256=FORGED, via=via)
    facts = WheelFacts(
        name="evil-pth", version="1.0", requires=(), extras=(), size=0, license=LicenseStatement()
    )
    known = dataclasses.replace(metadata(), wheels={**metadata().wheels, FORGED: facts})
    told = faults(with_python(lock, *lock.python, evil), known)
    assert [(one.rule.id, one.row) for one in told] == [("unasked", "python evil-pth 1.0")] * len(evil.for_)


def test_a_second_version_of_a_distribution_is_named() -> None:
    lock = committed_lock()
    row = next(row for row in lock.python if row.name == "aiohttp")
    second = dataclasses.replace(row, version="99.0", sha256=FORGED)
    facts = dataclasses.replace(metadata().wheels[str(row.sha256)], version="99.0")
    known = dataclasses.replace(metadata(), wheels={**metadata().wheels, FORGED: facts})
    told = faults(with_python(lock, *lock.python, second), known)
    assert [(one.rule.id, one.row) for one in told] == [("unasked", "python aiohttp 99.0")]


@pytest.mark.parametrize("environment", ["base", RUNTIME, "ucx"])
def test_an_added_os_package_is_named_whatever_its_via_says(environment: str) -> None:
    lock = committed_lock()
    evil = dataclasses.replace(
        lock.os_packages[0], name="evil", version="1.0", sha256=FORGED, for_=(environment,), via=("adduser",)
    )
    stanza = Stanza(name="evil", version="1.0", arch=evil.arch)
    known = dataclasses.replace(metadata(), packages={**stanzas(), FORGED: stanza})
    told = faults(with_packages(lock, *lock.os_packages, evil), known)
    assert [(one.rule.id, one.row) for one in told] == [("unasked", "os-packages evil 1.0")]


def test_an_alternative_that_apt_would_not_have_taken_excuses_no_row() -> None:
    """A package that provides what another row already meets is not needed by that."""
    lock = committed_lock()
    wanted = next(row for row in lock.os_packages if row.name == "mawk")
    provides = stanzas()[wanted.sha256].provides
    assert "awk" in provides
    evil = dataclasses.replace(wanted, name="original-awk", version="2.0", sha256=FORGED)
    stanza = Stanza(name="original-awk", version="2.0", arch=evil.arch, provides=provides)
    known = dataclasses.replace(metadata(), packages={**stanzas(), FORGED: stanza})
    told = faults(with_packages(lock, *lock.os_packages, evil), known)
    assert [(one.rule.id, one.row) for one in told] == [("unasked", "os-packages original-awk 2.0")]


def test_a_distribution_that_is_older_than_its_askers_allow_is_named() -> None:
    lock = committed_lock()
    row = next(row for row in lock.python if row.name == "aiohttp")
    old = dataclasses.replace(row, version="0.0.1", sha256=FORGED)
    facts = dataclasses.replace(metadata().wheels[str(row.sha256)], version="0.0.1")
    known = dataclasses.replace(metadata(), wheels={**metadata().wheels, FORGED: facts})
    told = faults(with_python(lock, *(old if one == row else one for one in lock.python)), known)
    assert any("aiohttp" in one.text and one.rule.id == "unmet" for one in told)


def test_an_os_package_that_is_older_than_its_askers_allow_is_named() -> None:
    lock = committed_lock()
    row = next(row for row in lock.os_packages if row.name == "libc6")
    old = dataclasses.replace(row, version="2.1", sha256=FORGED)
    stanza = dataclasses.replace(stanzas()[row.sha256], version="2.1")
    known = dataclasses.replace(metadata(), packages={**stanzas(), FORGED: stanza})
    told = faults(with_packages(lock, *(old if one == row else one for one in lock.os_packages)), known)
    assert any("libc6" in one.text and one.rule.id == "unmet" for one in told)


def test_a_file_that_is_another_than_its_row_says_is_named() -> None:
    lock = committed_lock()
    wheel, package = lock.python[0], lock.os_packages[0]
    other = dataclasses.replace(metadata().wheels[str(wheel.sha256)], version="9.9")
    known = LockMetadata(
        wheels={**metadata().wheels, str(wheel.sha256): other},
        packages={
            **stanzas(),
            package.sha256: dataclasses.replace(stanzas()[package.sha256], name="other"),
        },
    )
    told = {one.row for one in faults(lock, known) if one.rule.id == "misnamed"}
    assert told == {row_label(wheel), row_label(package)}


def test_rows_of_an_environment_that_the_recipe_does_not_have_are_named() -> None:
    lock = committed_lock()
    python = dataclasses.replace(lock.python[0], for_=("ucx",))
    package = dataclasses.replace(lock.os_packages[0], for_=("nowhere",))
    told = {
        one.row
        for one in faults(
            dataclasses.replace(lock, python=(*lock.python, python), os_packages=(*lock.os_packages, package))
        )
        if one.rule.id == "unasked"
    }
    assert told == {row_label(python), row_label(package)}


def test_a_lock_whose_files_are_not_in_the_store_is_not_called_proven(tmp_path: Path) -> None:
    question = ClosureQuestion(name="x", lock=committed_lock(), recipe=recipe())
    proof = store_closure(question, Store(tmp_path))
    assert [(one.rule.id, one.hint) for one in proof.findings] == [
        ("unknown", "run `python -m builder fetch` for this lock")
    ]
    assert proof.says == "0 of 1 lock proven: 0 rows walked from what recipes ask for"


def test_a_lock_without_a_recipe_is_not_called_proven(tmp_path: Path) -> None:
    question = ClosureQuestion(name="x", lock=committed_lock(), recipe=None)
    proof = store_closure(question, Store(tmp_path))
    assert [one.rule.id for one in proof.findings] == ["unknown"]


def test_what_a_damaged_file_says_counts_for_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    wheel = store.add_bytes(b"not a wheel")
    row = dataclasses.replace(committed_lock().python[0], sha256=Sha256(wheel))
    lock = dataclasses.replace(with_python(committed_lock(), row), os_packages=())
    question = ClosureQuestion(name="x", lock=lock, recipe=recipe())
    damaged = store_closure(question, store, (wheel,))
    assert [one.rule.id for one in damaged.findings] == ["unknown"]
    whole = store_closure(question, store)
    assert [(one.rule.id, one.row) for one in whole.findings] == [("misnamed", row_label(row))]
    assert whole.facts["proven"] == 0, "a lock with a finding is not proven"
