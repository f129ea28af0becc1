"""The set of rows, proven by a Python index and a signed OS archive on loopback (`verify --online`, `--store`)."""

from __future__ import annotations

import dataclasses
import io
import json

import pytest

from builder.cli import main
from builder.commands.verify import _closure_questions, _index_proofs, _os_index_proof
from builder.console import Console
from builder.lockfile import Lock, Proof, PythonPackage
from builder.model import Sha256
from builder.project import open_project
from builder.verify import as_text, index_urls
from tests.commands.test_lock_archive import Bench, stanza


@pytest.fixture
def locked(bench: Bench) -> Bench:
    """The bench with a lock whose root needs another distribution."""
    bench.index.files.clear()
    bench.index.metadata_files = True
    bench.index.wheel("idna", "3.10", requires=("leaf>=2",))
    bench.index.wheel("leaf", "2.0")
    bench.index.wheel("pip", "26.2.1")
    assert bench.run() == 0
    return bench


def proofs_of(bench: Bench, lock: Lock, *, online: bool = True) -> list[Proof]:
    """Return the proofs of the set of rows, with the caches of the bench; git and registries are not asked."""
    project = open_project(
        project=str(bench.root),
        store=str(bench.root / "cache/store"),
        origins=(),
        mirrors=(),
        console=Console(out=io.StringIO(), err=io.StringIO()),
    )
    library = project.library()
    questions = _closure_questions([("x", lock)], library)
    if online:
        return _index_proofs(project, questions, library, index_urls(library, bench.index.url))
    with project.client(offline=True) as client:
        return [_os_index_proof(project, client, questions, library, absent_is_unknown=False)]


def named(proofs: list[Proof], name: str) -> Proof:
    (one,) = [one for one in proofs if one.name == name]
    return one


def told_by(proofs: list[Proof]) -> list[tuple[str, str]]:
    return [(one.rule.id, one.row) for proof in proofs for one in proof.findings]


def leaf_of(lock: Lock) -> PythonPackage:
    return next(row for row in lock.python if row.name == "leaf")


def with_leaf(lock: Lock, *instead: PythonPackage) -> Lock:
    """Return `lock` with other rows in place of the one that the root needs."""
    rows = (*(row for row in lock.python if row.name != "leaf"), *instead)
    return dataclasses.replace(lock, python=tuple(sorted(rows, key=lambda row: row.name)))


def without_package(lock: Lock, name: str) -> Lock:
    return dataclasses.replace(lock, os_packages=tuple(row for row in lock.os_packages if row.name != name))


def forget_metadata(bench: Bench) -> None:
    for kept in (bench.root / "cache/metadata").glob("*.json"):
        kept.unlink()


def test_a_lock_is_proven_by_its_index_and_archive(locked: Bench) -> None:
    proofs = proofs_of(locked, locked.lock())
    assert told_by(proofs) == []
    assert named(proofs, "index-closure").facts == {
        "locks": 1,
        "proven": 1,
        "rows": 3,
        "evidence": {"index-hash": 3, "whole-wheel": 0},
    }
    assert named(proofs, "os-index").facts == {"locks": 1, "equal": 1, "absent": 0}
    assert named(proofs, "os-index").says == (
        "the OS packages of 1 of 1 lock are those that the signed indexes give"
    )


def test_a_deleted_distribution_is_named_by_who_asks_for_it(locked: Bench) -> None:
    assert told_by(proofs_of(locked, with_leaf(locked.lock()))) == [("unmet", "python idna 3.10")]


def test_an_older_version_than_its_askers_allow_is_named(locked: Bench) -> None:
    digest = Sha256(locked.index.wheel("leaf", "1.0"))
    lock = locked.lock()
    old = dataclasses.replace(
        leaf_of(lock), version="1.0", file="leaf-1.0-py3-none-any.whl", sha256=digest, size=None
    )
    assert ("unmet", "python idna 3.10") in told_by(proofs_of(locked, with_leaf(lock, old)))


def test_an_added_distribution_is_named_whatever_its_via_says(locked: Bench) -> None:
    digest = Sha256(locked.index.wheel("evil", "1.0"))
    lock = locked.lock()
    evil = dataclasses.replace(
        leaf_of(lock), name="evil", version="1.0", file="evil-1.0-py3-none-any.whl", sha256=digest
    )
    assert told_by(proofs_of(locked, with_leaf(lock, leaf_of(lock), evil))) == [
        ("unasked", "python evil 1.0")
    ]


def test_a_row_that_its_index_does_not_list_proves_nothing(locked: Bench) -> None:
    lock = locked.lock()
    forged = dataclasses.replace(leaf_of(lock), sha256=Sha256("e" * 64))
    proofs = proofs_of(locked, with_leaf(lock, forged))
    assert told_by(proofs) == [("unknown", "python leaf 2.0")]
    assert named(proofs, "index-closure").facts["proven"] == 0


def test_metadata_that_no_hash_covers_proves_nothing(locked: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that states no hash of METADATA could say anything of a wheel that is too large to read."""
    monkeypatch.setattr("builder.index.metadata._LARGEST_READ_WHOLE", 0)
    forget_metadata(locked)
    locked.index.metadata_files = False
    proofs = proofs_of(locked, locked.lock())
    assert [(one.rule.id, one.row) for one in named(proofs, "index-closure").findings] == [
        ("unknown", f"python {row.name} {row.version}") for row in locked.lock().python
    ]
    assert named(proofs, "index-closure").findings[0].text == (
        "no hash covers its metadata: the index states none, and only parts of the wheel were read"
    )


def test_a_small_wheel_is_read_whole_where_no_hash_is_stated(locked: Bench) -> None:
    forget_metadata(locked)
    locked.index.metadata_files = False
    facts = named(proofs_of(locked, locked.lock()), "index-closure").facts
    assert (facts["proven"], facts["evidence"]) == (1, {"index-hash": 0, "whole-wheel": 3})


@pytest.mark.parametrize("name", ["gcc", "libc6-dev"])
def test_a_deleted_or_changed_package_is_named_also_without_network(name: str, locked: Bench) -> None:
    lock = locked.lock()
    asked = len(locked.archive.asked)
    larger = tuple(dataclasses.replace(row, size=99) if row.name == name else row for row in lock.os_packages)
    for changed in (without_package(lock, name), dataclasses.replace(lock, os_packages=larger)):
        assert told_by(proofs_of(locked, changed, online=False)) == [("resolves-differently", f"os {name}")]
    assert len(locked.archive.asked) == asked


def test_an_index_that_nobody_has_is_said_and_proves_nothing(locked: Bench) -> None:
    lock = locked.lock()
    for path in (locked.root / "cache/store/sha256").rglob("*"):
        if path.is_file():
            path.unlink()
    without = named(proofs_of(locked, lock, online=False), "os-index")
    assert (without.findings, without.facts) == ((), {"locks": 1, "equal": 0, "absent": 1})
    assert without.says.endswith(
        "0 of 1 lock are those that the signed indexes give; the indexes of 1 are not here"
    )
    locked.archive.files.clear()
    (finding,) = named(proofs_of(locked, lock), "os-index").findings
    assert finding.rule.id == "unknown"
    assert finding.text.startswith("its signed index could not be read")


def test_the_pinned_index_decides_and_not_what_the_archive_serves_now(locked: Bench) -> None:
    locked.archive.packages += stanza("gcc", "99")
    locked.archive.publish()
    assert told_by(proofs_of(locked, locked.lock())) == []


def test_the_command_makes_both_proofs(locked: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    lock = locked.root / "lock/1.0/plain/tiny-x86_64.toml"
    places = ("--project", str(locked.root), "--index-url", locked.index.url)
    store = ("--store", str(locked.root / "cache/store"))
    main(["verify", str(lock), "--online", "--format", "json", "--quiet", *places, *store])
    value = json.loads(capsys.readouterr().out)
    made = {one["name"] for one in value["proofs"]}
    assert {"online", "index-closure", "os-index", "store", "closure"} <= made
    assert [one["option"] for one in value["not-proven"]] == ["--again"]


def test_an_older_version_that_every_asker_admits_is_left_to_resolving_again(
    locked: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its closure is whole and its hash right, so the report says what that does not prove."""
    digest = Sha256(locked.index.wheel("leaf", "2.5"))
    lock = locked.lock()
    newer = dataclasses.replace(
        leaf_of(lock), version="2.5", file="leaf-2.5-py3-none-any.whl", sha256=digest, size=None
    )
    for row in (leaf_of(lock), newer):
        proofs = proofs_of(locked, with_leaf(lock, row))
        assert told_by(proofs) == []
        assert "that resolving gives these versions (--again)" in as_text(proofs)
