"""Lock files: canonical text to a Lock and back, judged by the one table of rules. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from builder.errors import LockError
from builder.lockfile.blocks import lock_text, read_canonical
from builder.lockfile.finding import Finding, found
from builder.lockfile.labels import LockSection, section_rows
from builder.lockfile.lock import FORMAT, Lock, first_difference
from builder.lockfile.rules import lock_faults
from builder.model import Sha256, StructureError, structure, toml

__all__ = ["Examined", "check_lock", "dump_lock", "examine", "load_lock", "lock_findings", "parse_lock"]

_GENERATED = "locks are generated: run `python -m builder lock`, or restore the file"
_RESTORE = "run `python -m builder lock`, or restore the file"


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
        return sum(len(section_rows(lock, section)) for section in LockSection) if lock else 0


def parse_lock(data: bytes, *, place: str) -> Lock:
    """Read a lock without judging it; `place` names the file in errors (LockError)."""
    return _read_lock(data, place=place)[0]


def _read_lock(data: bytes, *, place: str) -> tuple[Lock, bool]:
    """Read a lock, and say whether `data` is its canonical form (LockError)."""
    canonical = read_canonical(data)
    if canonical is not None:
        return canonical, True
    table = toml.loads(data, place=place, error=LockError)
    found_format = table.get("format")
    if isinstance(found_format, int) and found_format > FORMAT:
        raise LockError(
            f"format {found_format} is newer than this program knows ({FORMAT})",
            place=place,
            hint="update lockwright",
        )
    try:
        lock = structure(table, Lock)
    except StructureError as error:
        raise LockError(
            error.cause, place=f"{place}: {error.path}" if error.path else place, hint=error.hint
        ) from None
    return lock, dump_lock(lock) == data


def load_lock(data: bytes, *, place: str, path: str = "") -> Lock:
    """Read a lock and refuse one that breaks a rule which stops, or is not canonical (LockError).

    `path` is its path below the lock folder, if it is there: the lock of another target is refused.
    """
    lock, canonical = _read_lock(data, place=place)
    check_lock(lock, place=place)
    form = () if canonical else _form_findings(lock, data)
    for finding in (*form, *_place_findings(lock, path)):
        raise LockError(finding.text, place=place, hint=finding.hint)
    return lock


def check_lock(lock: Lock, *, place: str, every_rule: bool = False) -> None:
    """Raise LockError for the first fault that stops readers.

    With `every_rule` any fault is an error: what `verify` would report is never written.
    """
    for _, fault in lock_faults(lock, stopping=None if every_rule else True):
        cause = f"{fault.row}: {fault.text}" if fault.row else fault.text
        raise LockError(cause, place=place, hint=fault.hint or _RESTORE)


def dump_lock(lock: Lock) -> bytes:
    """Return the canonical bytes of `lock`."""
    return lock_text(lock).encode()


def examine(data: bytes, *, name: str, place: str = "") -> Examined:
    """Judge the lock file `name` by every rule; `place` is its path below the lock folder, if it is there."""
    sha256 = Sha256.of(data)
    try:
        lock, canonical = _read_lock(data, place=name)
    except LockError as error:
        text = str(error).removeprefix(f"{name}: ")
        unreadable = found("unreadable", text, lock=name, hint=error.hint)
        return Examined(name=name, sha256=sha256, findings=(unreadable,))
    form = () if canonical else _form_findings(lock, data)
    findings = (*form, *_place_findings(lock, place), *lock_findings(lock))
    return Examined(name=name, sha256=sha256, findings=findings, lock=lock)


def lock_findings(lock: Lock, *, loaded: bool = False) -> Iterator[Finding]:
    """Yield every fault of `lock` as a finding; one that `load_lock` took breaks no rule that stops."""
    for rule, fault in lock_faults(lock, stopping=False if loaded else None):
        yield found(rule.kind, fault.text, row=fault.row, hint=fault.hint, lock_rule=rule.id)


def _form_findings(lock: Lock, data: bytes) -> Iterator[Finding]:
    text = f"line {first_difference(dump_lock(lock), data)} is not in canonical form"
    yield found("integrity", text, hint=_GENERATED, lock_rule="canonical-form")


def _place_findings(lock: Lock, path: str) -> Iterator[Finding]:
    if path and lock.target.path != path:
        yield found("misplaced", f"it is the lock of {lock.target}", hint="put it back where it belongs")
