"""One lock file, judged from its bytes alone. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from builder.errors import LockError
from builder.lockfile import Finding, Lock, dump_lock, first_difference, found, parse_lock, unsound
from builder.model import Sha256

__all__ = ["Examined", "examine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A lock file and what is wrong with it."""

    name: str
    """The file, as people are told of it."""
    sha256: Sha256
    findings: tuple[Finding, ...]
    lock: Lock | None = None
    """None where it could not be read."""

    @property
    def rows(self) -> int:
        """How many rows it has."""
        lock = self.lock
        if lock is None:
            return 0
        lists = (lock.images, lock.repositories, lock.sources, lock.archives, lock.python, lock.os_packages)
        return sum(map(len, lists)) + len(lock.builds)


def examine(data: bytes, *, name: str, place: str = "") -> Examined:
    """Judge the lock file `name`; `place` is its path below the lock folder, where it is there."""
    sha256 = Sha256.of(data)
    try:
        lock = parse_lock(data, place=name)
    except LockError as error:
        text = str(error).removeprefix(f"{name}: ")
        return Examined(
            name=name, sha256=sha256, findings=(found("unreadable", text, lock=name, hint=error.hint),)
        )
    findings = (*_form(lock, data), *_place(lock, place), *unsound(lock))
    return Examined(name=name, sha256=sha256, findings=findings, lock=lock)


def _form(lock: Lock, data: bytes) -> Iterator[Finding]:
    canonical = dump_lock(lock)
    if canonical != data:
        text = f"line {first_difference(canonical, data)} is not in canonical form"
        yield found(
            "integrity", text, hint="locks are generated: run `python -m builder lock`, or restore the file"
        )


def _place(lock: Lock, place: str) -> Iterator[Finding]:
    if place and lock.target.path != place:
        yield found("misplaced", f"it is the lock of {lock.target}", hint="put it back where it belongs")
