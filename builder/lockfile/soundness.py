"""What a lock must be beyond what rendering insists on, judged from the lock alone. Pure.

`builder.lockfile.integrity` refuses what no Dockerfile can be made of. Here is
what no lock of ours can look like, however well it would render.
"""

from __future__ import annotations

from collections.abc import Iterator

from builder.lockfile.finding import Finding, found
from builder.lockfile.integrity import findings as contradictions
from builder.lockfile.lock import Lock
from builder.lockfile.soundness_builds import build_faults
from builder.lockfile.soundness_os import os_faults
from builder.lockfile.soundness_python import python_faults
from builder.lockfile.soundness_target import target_faults

__all__ = ["unsound"]


def unsound(lock: Lock) -> Iterator[Finding]:
    """Yield everything by which `lock` contradicts itself or its own target."""
    yield from (found("integrity", text) for text in contradictions(lock))
    for faults in (target_faults, os_faults, build_faults, python_faults):
        yield from faults(lock)
    yield from _same_bytes(lock)


def _same_bytes(lock: Lock) -> Iterator[Finding]:
    """Yield files that share a digest, and digests that share a file: one of the rows was altered."""
    named: dict[str, str] = {}
    for kind, rows in (("sources", lock.sources), ("archives", lock.archives), ("python", lock.python)):
        for row in rows:
            if row.sha256:
                yield from _clash(named, f"{kind} {row.file}", row.sha256)
    for package in lock.os_packages:
        yield from _clash(named, f"os-packages {package.file}", package.sha256)
    files: dict[str, str] = {}
    for wheel in lock.python:
        if wheel.sha256 and files.setdefault(wheel.file, wheel.sha256) != wheel.sha256:
            yield found(
                "integrity", "another row has other bytes under this name", row=f"python {wheel.file}"
            )


def _clash(named: dict[str, str], name: str, sha256: str) -> Iterator[Finding]:
    other = named.setdefault(sha256, name)
    if other != name:
        yield found("integrity", f"it has the bytes of {other}", row=name)
