"""The store and the bases made of it, hashed again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from builder.errors import BuilderError, DigestMismatchError
from builder.lockfile import (
    BASE,
    Finding,
    Image,
    Lock,
    OsPackage,
    Proof,
    check_programs,
    found,
    row_label,
)
from builder.model import counted
from builder.rootfs import LockedDeb, write_rootfs_tar
from builder.store import Store

__all__ = ["base_proof", "store_proof"]

_WORKERS = max(2, min(8, os.cpu_count() or 2))
_Progress = Callable[[str], None]


def store_proof(
    store: Store, digests: Sequence[str], locks: Iterable[Lock], done: _Progress
) -> tuple[Proof, frozenset[str]]:
    """Hash the files `digests` of the store again, and name the damaged ones by the rows that want them.

    Also returns the digests of files that are not what their name says. `done` is
    told of each file, from several threads.
    """
    rows = _labels_by_digest(locks)

    def one(sha256: str) -> tuple[int, Finding | None]:
        row = rows.get(sha256, "")
        try:
            return store.verify(sha256), None
        except DigestMismatchError as error:
            hint = f"delete {error.place} and run `python -m builder fetch`"
            return 0, found("damaged", error.cause, row=row or f"sha256:{sha256}", hint=hint)
        except BuilderError as error:
            return 0, found("unreadable-file", str(error), row=row or f"sha256:{sha256}")
        finally:
            done(row or sha256)

    with ThreadPoolExecutor(_WORKERS) as pool:
        answers = list(pool.map(one, digests))
    here = set(digests)
    size = sum(count for count, _ in answers)
    facts = {
        "files": len(digests),
        "bytes": size,
        "named": len(rows.keys() & here),
        "absent": len(rows.keys() - here),
    }
    says = (
        f"{counted(len(digests), 'file')} with {counted(size, 'byte')} hashed again; the store has "
        f"{facts['named']} of the {counted(len(rows), 'file')} that the locks name"
    )
    findings = tuple(finding for _, finding in answers if finding is not None)
    wrong = (sha256 for sha256, (_, finding) in zip(digests, answers, strict=True) if finding is not None)
    return Proof(name="store", says=says, findings=findings, facts=facts), frozenset(wrong)


def _labels_by_digest(locks: Iterable[Lock]) -> dict[str, str]:
    """Return which row each file is of."""
    rows: dict[str, str] = {}
    for lock in locks:
        for listed in (lock.sources, lock.archives, lock.python, lock.os_packages):
            rows |= {str(row.sha256): row_label(row) for row in listed if row.sha256}
        rows |= {str(sha256): f"program {file}" for file, sha256 in check_programs(lock).items()}
        rows |= {str(image.tar): row_label(image) for image in lock.images if image.tar}
    return rows


def base_proof(store: Store, locks: Iterable[tuple[str, Lock]], done: _Progress) -> Proof:
    """Assemble every base of `locks` again from its packages, and compare its digest; nothing is stored."""
    wanted: dict[str, tuple[str, Lock, Image]] = {}
    for name, lock in locks:
        for image in lock.images:
            if image.tar:
                wanted.setdefault(str(image.tar), (name, lock, image))
    findings = []
    for tar, (name, lock, image) in sorted(wanted.items(), key=lambda item: item[0]):
        rows = [row for row in lock.os_packages if BASE in row.for_]
        finding = _base_finding(store, image, rows, lock, name)
        findings += [finding] if finding else []
        done(f"base {tar[:12]} for {lock.arch}")
    same = len(wanted) - len(findings)
    says = f"{len(wanted)} assembled bases built again, {same} with the locked digest"
    return Proof(name="base", says=says, findings=tuple(findings), facts={"bases": len(wanted), "same": same})


def _base_finding(
    store: Store, image: Image, rows: Sequence[OsPackage], lock: Lock, name: str
) -> Finding | None:
    row = row_label(image)
    absent = [one.name for one in rows if not store.path(one.sha256).is_file()]
    if absent:
        text = f"the store lacks {len(absent)} of {counted(len(rows), 'package')}, such as {absent[0]}"
        return found("unknown", text, lock=name, row=row, hint="run `python -m builder fetch` for this lock")
    try:
        for one in rows:
            store.verify(one.sha256)
        debs = [
            LockedDeb(name=one.name, version=one.version, arch=one.arch, path=store.path(one.sha256))
            for one in rows
        ]
        with Path(os.devnull).open("wb") as sink:
            digest = write_rootfs_tar(debs, sink, arch=lock.arch.debian)
    except BuilderError as error:
        return found("damaged", str(error), lock=name, row=row)
    if digest == image.tar:
        return None
    packages = counted(len(rows), "package")
    text = f"made of its {packages}, the tar has sha256 {digest}, locked is {image.tar}"
    return found("base-differs", text, lock=name, row=row)
