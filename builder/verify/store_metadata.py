"""What the files of the store say of themselves: metadata of wheels, control files of Debian packages."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor

from builder.errors import BuilderError
from builder.index import WheelFacts, parse_metadata, read_metadata_member
from builder.lockfile import Finding, Lock, OsPackage, PythonPackage, found, row_label
from builder.model import counted
from builder.resolve.debian import Stanza, parse_control
from builder.rootfs import LockedDeb, read_control
from builder.store import Store
from builder.verify.closure import LockMetadata, required_metadata

__all__ = ["stored_metadata"]

_WORKERS = max(2, min(8, os.cpu_count() or 2))


def stored_metadata(store: Store, lock: Lock, *, damaged: Collection[str]) -> LockMetadata | list[Finding]:
    """Read what the locked files of `lock` say of themselves; findings where that cannot all be read.

    `damaged` are the digests of files that do not have their hash: what they say counts for nothing.
    """
    wheels, packages = required_metadata(lock)
    files: tuple[PythonPackage | OsPackage, ...] = (*wheels, *packages)
    missing = [
        row_label(row)
        for row in files
        if str(row.sha256) in damaged or not store.path(str(row.sha256)).is_file()
    ]
    if missing:
        total = counted(len(files), "file")
        text = (
            f"its rows are not proven: {len(missing)} of {total} are not in the store, such as {missing[0]}"
        )
        return [found("unknown", text, hint="run `python -m builder fetch` for this lock")]
    metadata, unreadable = _files_metadata(store, wheels, packages)
    return unreadable or metadata


def _files_metadata(
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
