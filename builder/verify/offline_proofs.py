"""What is proven of locks without a network: by themselves, and against the recipes beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from builder.errors import LockError, NoSolutionError, UsageError
from builder.io import read_bytes
from builder.lockfile import Examined, Finding, Lock, Proof, Repository, examine, found
from builder.locks import lock_files, lock_path, lock_place, select_locks
from builder.model import Sha256, Target, counted
from builder.project import Project
from builder.recipe import Library, lockable_targets
from builder.selection import ALL, Selection
from builder.verify.against_recipes import outdated, signed_indexes
from builder.verify.signatures import signature_findings

__all__ = ["lock_proofs"]


def lock_proofs(
    project: Project, selection: Selection, files: Sequence[Path], library: Library | None
) -> tuple[list[Examined], list[Proof]]:
    """Judge the locks `files`, or without any the selected ones: by themselves, and against the recipes.

    Without a release the default one is meant. `library` are the project's recipes; without them
    freshness is not checked. UsageError, NoSolutionError for a selection that matches nothing,
    LockError for a file that cannot be read.
    """
    if library is not None:
        selection = selection.or_release(library.default_release.version)
    listed = _listed_targets(library)
    unlocked = [] if files else _missing_targets(project, selection, library, listed)
    locks = _examined_locks(project, selection, files, unlocked)
    missing = [
        found("missing", "it has no lock", lock=str(target), hint="run `python -m builder lock`")
        for target in unlocked
    ]
    return locks, [_integrity_proof(locks), _freshness_proof(project, locks, library, listed, missing)]


def _listed_targets(library: Library | None) -> frozenset[Target]:
    """Return every target that any release lists: none without recipes."""
    if library is None:
        return frozenset()
    return frozenset(lockable_targets(library, Selection(releases=(ALL,))))


def _examined_locks(
    project: Project, selection: Selection, files: Sequence[Path], missing: Sequence[Target]
) -> list[Examined]:
    """Read and judge the named files, or every selected lock."""
    if files:
        return [_examined_lock(project, path) for path in files]
    targets = select_locks(project, selection, missing=missing)
    return [_examined_lock(project, lock_path(project, target)) for target in targets]


def _examined_lock(project: Project, path: Path) -> Examined:
    data = read_bytes(path, error=LockError)
    place = lock_place(project, path)
    return examine(data, name=f"lock/{place}" if place else str(path), place=place)


def _integrity_proof(locks: Sequence[Examined]) -> Proof:
    findings = tuple(finding for one in locks for finding in _findings_of_lock(one, one.findings))
    rows = sum(one.rows for one in locks)
    size = f"{counted(len(locks), 'lock')} with {counted(rows, 'row')}"
    says = f"{size}: form, order, digests, references, target"
    return Proof(name="integrity", says=says, findings=findings)


def _freshness_proof(
    project: Project,
    locks: Sequence[Examined],
    library: Library | None,
    listed: frozenset[Target],
    missing: Sequence[Finding],
) -> Proof:
    if library is None:
        unknown = found("no-recipes", "the project has no recipes, so freshness was not checked")
        return Proof(name="freshness", says="not checked", findings=(unknown,))
    releases = _signed_contents(project, [one.lock for one in locks if one.lock])
    findings = list(missing)
    for one in locks:
        if one.lock is not None:
            against = (
                *outdated(one.lock, library, listed),
                *signed_indexes(one.lock, releases),
                *signature_findings(one.lock, library, releases),
            )
            faulty_rows = {finding.row for finding in one.findings}
            findings += _findings_of_lock(
                one, (f for f in against if f.rule.id != "recipe-mismatch" or f.row not in faulty_rows)
            )
    says = f"{counted(len(locks), 'lock')} against the recipes as they are now"
    return Proof(name="freshness", says=says, findings=tuple(findings))


def _missing_targets(
    project: Project, selection: Selection, library: Library | None, listed: frozenset[Target]
) -> list[Target]:
    """Return what a release lists, the selection holds, and nobody has locked."""
    if library is None:
        return []
    try:
        wanted = lockable_targets(library, selection)
    except (UsageError, NoSolutionError):
        return []  # what is selected are locks that no release lists
    there = {path for path, _ in lock_files(project)}
    return [target for target in wanted if target in listed and target.path not in there]


def _signed_contents(project: Project, locks: Iterable[Lock]) -> dict[str, bytes]:
    """Return the signed files that recipes keep of the locks' repositories, by digest."""
    contents = {}
    for name in sorted({_signed_file(row, lock) for lock in locks for row in lock.repositories}):
        path = project.recipe_path(f"indexes/{name}")
        if path.is_file():
            data = read_bytes(path)
            contents[str(Sha256.of(data))] = data
    return contents


def _signed_file(row: Repository, lock: Lock) -> str:
    """Return where recipes keep what vouches for a repository, below their folder of indexes."""
    if row.repomd is None:
        return f"{row.suite}-{row.snapshot}/InRelease"
    return f"{row.origin}-{row.suite}-{lock.arch.rpm}-{row.snapshot}/repomd.xml"


def _findings_of_lock(one: Examined, findings: Iterable[Finding]) -> list[Finding]:
    return [finding.in_lock(one.name) for finding in findings]
