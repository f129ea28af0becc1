"""Lock files: canonical text to a Lock and back, judged by the one table of rules. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from builder.errors import LockError
from builder.lockfile.finding import Finding, found
from builder.lockfile.labels import LockSection, section_rows
from builder.lockfile.lock import FORMAT, Lock, first_difference
from builder.lockfile.rules import lock_faults
from builder.model import Sha256, StructureError, structure, toml, unstructure

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
    table = toml.loads(data, place=place, error=LockError)
    found_format = table.get("format")
    if isinstance(found_format, int) and found_format > FORMAT:
        raise LockError(
            f"format {found_format} is newer than this program knows ({FORMAT})",
            place=place,
            hint="update lockwright",
        )
    try:
        return structure(table, Lock)
    except StructureError as error:
        raise LockError(
            error.cause, place=f"{place}: {error.path}" if error.path else place, hint=error.hint
        ) from None


def load_lock(data: bytes, *, place: str, path: str = "") -> Lock:
    """Read a lock and refuse one that breaks a rule which stops, or is not canonical (LockError).

    `path` is its path below the lock folder, if it is there: the lock of another target is refused.
    """
    lock = parse_lock(data, place=place)
    check_lock(lock, data, place=place)
    for finding in _place_findings(lock, path):
        raise LockError(finding.text, place=place, hint=finding.hint)
    return lock


def check_lock(lock: Lock, data: bytes, *, place: str, every_rule: bool = False) -> None:
    """Raise LockError for the first fault that stops readers, or where `data` is not the canonical form.

    With `every_rule` any fault is an error: what `verify` would report is never written.
    """
    for _, fault in lock_faults(lock, only_stopping=not every_rule):
        cause = f"{fault.row}: {fault.text}" if fault.row else fault.text
        raise LockError(cause, place=place, hint=fault.hint or _RESTORE)
    for finding in _form_findings(lock, data):
        raise LockError(finding.text, place=place, hint=finding.hint)


def dump_lock(lock: Lock) -> bytes:
    """Return the canonical bytes of `lock`."""
    return toml.dumps(unstructure(lock)).encode()


def examine(data: bytes, *, name: str, place: str = "") -> Examined:
    """Judge the lock file `name` by every rule; `place` is its path below the lock folder, if it is there."""
    sha256 = Sha256.of(data)
    try:
        lock = parse_lock(data, place=name)
    except LockError as error:
        text = str(error).removeprefix(f"{name}: ")
        unreadable = found("unreadable", text, lock=name, hint=error.hint)
        return Examined(name=name, sha256=sha256, findings=(unreadable,))
    findings = (*_form_findings(lock, data), *_place_findings(lock, place), *lock_findings(lock))
    return Examined(name=name, sha256=sha256, findings=findings, lock=lock)


def lock_findings(lock: Lock) -> Iterator[Finding]:
    """Yield every fault of `lock` as a finding."""
    for rule, fault in lock_faults(lock):
        yield found(rule.kind, fault.text, row=fault.row, hint=fault.hint, lock_rule=rule.id)


def _form_findings(lock: Lock, data: bytes) -> Iterator[Finding]:
    canonical = dump_lock(lock)
    if canonical != data:
        text = f"line {first_difference(canonical, data)} is not in canonical form"
        yield found("integrity", text, hint=_GENERATED, lock_rule="canonical-form")


def _place_findings(lock: Lock, path: str) -> Iterator[Finding]:
    if path and lock.target.path != path:
        yield found("misplaced", f"it is the lock of {lock.target}", hint="put it back where it belongs")
