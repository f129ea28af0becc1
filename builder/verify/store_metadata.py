"""What the files of the store say of themselves: metadata of wheels, control files of Debian packages."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from builder.errors import BuilderError
from builder.index import WheelFacts, parse_metadata, read_metadata_member
from builder.lockfile import Finding, Lock, OsPackage, Proof, PythonPackage, found, row_label
from builder.model import counted
from builder.recipe import EffectiveRecipe
from builder.resolve.debian import Stanza, parse_control
from builder.rootfs import LockedDeb, read_control
from builder.store import Store
from builder.verify.closure import LockMetadata, closure_faults, required_metadata

__all__ = ["ClosureQuestion", "closure_proof"]

_WORKERS = max(2, min(8, os.cpu_count() or 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosureQuestion:
    """A lock whose set of rows is to be proven, the name that findings use, and its recipe as it is now."""

    name: str
    lock: Lock
    recipe: EffectiveRecipe | None
    """None where the project has no recipe for it, so nobody knows what the target asks for."""


def closure_proof(
    store: Store,
    questions: Iterable[ClosureQuestion],
    *,
    damaged: Collection[str],
    done: Callable[[str], None],
) -> Proof:
    """Prove that each row of the locks is needed and none is missing, from the files of the store.

    `damaged` are the digests of files that do not have their hash: what they say counts
    for nothing. A lock with a file that is absent or damaged is reported as unknown.
    """
    findings: list[Finding] = []
    proven = rows = asked = 0
    for question in questions:
        asked += 1
        faults = _question_faults(store, question, damaged)
        findings += faults
        if not faults:
            proven += 1
            wheels, packages = required_metadata(question.lock)
            rows += len(wheels) + len(packages)
        done(question.name)
    walked = counted(rows, "row")
    says = f"{proven} of {counted(asked, 'lock')} proven: {walked} walked from what recipes ask for"
    return Proof(
        name="closure",
        says=says,
        findings=tuple(findings),
        facts={"locks": asked, "proven": proven, "rows": rows},
    )


def _question_faults(store: Store, question: ClosureQuestion, damaged: Collection[str]) -> list[Finding]:
    lock, name = question.lock, question.name
    if question.recipe is None:
        text = "the project has no recipe for this target, so what it asks for is not known"
        return [found("unknown", text, lock=name)]
    wheels, packages = required_metadata(lock)
    files: tuple[PythonPackage | OsPackage, ...] = (*wheels, *packages)
    missing = [
        row_label(row)
        for row in files
        if str(row.sha256) in damaged or not store.path(str(row.sha256)).is_file()
    ]
    if missing:
        total = counted(len(wheels) + len(packages), "file")
        text = (
            f"its rows are not proven: {len(missing)} of {total} are not in the store, such as {missing[0]}"
        )
        return [found("unknown", text, lock=name, hint="run `python -m builder fetch` for this lock")]
    findings = [] if lock.environment.family == "debian" or not lock.os_packages else [_rpm_note(name)]
    metadata, unreadable = _stored_metadata(store, wheels, packages)
    if unreadable:
        return [*findings, *(finding.in_lock(name) for finding in unreadable)]
    return [*findings, *(one.in_lock(name) for one in closure_faults(lock, question.recipe, metadata))]


def _rpm_note(name: str) -> Finding:
    text = "the closure of its RPM packages is not proven from the files"
    return found("closure-unread", text, lock=name, hint="resolve it again: verify --again")


def _stored_metadata(
    store: Store, wheels: Iterable[PythonPackage], packages: Iterable[OsPackage]
) -> tuple[LockMetadata, list[Finding]]:
    """Read the metadata of every file; what cannot be read is a finding."""

    def wheel_metadata(row: PythonPackage) -> WheelFacts | Finding:
        try:
            with store.open(str(row.sha256)) as file:
                data = read_metadata_member(file, name=row.name, place=row.file)
            return parse_metadata(data, name=row.name, size=row.size or 0, place=row.file)
        except BuilderError as error:
            return found("misnamed", str(error), row=row_label(row))

    def package_metadata(row: OsPackage) -> Stanza | Finding:
        path = store.path(str(row.sha256))
        try:
            control = read_control(LockedDeb(name=row.name, version=row.version, arch=row.arch, path=path))
            return parse_control(control, place=row_label(row))
        except BuilderError as error:
            return found("misnamed", str(error), row=row_label(row))

    wheels, packages = tuple(wheels), tuple(packages)
    with ThreadPoolExecutor(_WORKERS) as pool:
        of_wheels = dict(
            zip((str(row.sha256) for row in wheels), pool.map(wheel_metadata, wheels), strict=True)
        )
        of_packages = dict(
            zip((str(row.sha256) for row in packages), pool.map(package_metadata, packages), strict=True)
        )
    unreadable = [item for item in (*of_wheels.values(), *of_packages.values()) if isinstance(item, Finding)]
    return (
        LockMetadata(
            wheels={key: item for key, item in of_wheels.items() if isinstance(item, WheelFacts)},
            packages={key: item for key, item in of_packages.items() if isinstance(item, Stanza)},
        ),
        unreadable,
    )
