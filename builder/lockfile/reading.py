"""Lock files: canonical text to a Lock and back."""

from __future__ import annotations

from builder.errors import LockError
from builder.lockfile.integrity import findings, first_difference
from builder.lockfile.lock import FORMAT, Lock
from builder.model import WireError, structure, toml, unstructure

__all__ = ["check_lock", "dump_lock", "load_lock", "parse_lock"]


def parse_lock(data: bytes, *, place: str) -> Lock:
    """Read a lock without judging its integrity; `place` names the file in errors (LockError)."""
    table = toml.loads(data, place=place, error=LockError)
    found = table.get("format")
    if isinstance(found, int) and found > FORMAT:
        raise LockError(
            f"format {found} is newer than this program knows ({FORMAT})",
            place=place,
            hint="update lockwright",
        )
    try:
        return structure(table, Lock)
    except WireError as error:
        raise LockError(
            error.cause, place=f"{place}: {error.path}" if error.path else place, hint=error.hint
        ) from None


def load_lock(data: bytes, *, place: str) -> Lock:
    """Read a lock and insist on its integrity: canonical form, references, completeness (LockError)."""
    lock = parse_lock(data, place=place)
    check_lock(lock, data, place=place)
    return lock


def check_lock(lock: Lock, data: bytes, *, place: str) -> None:
    """Raise LockError for the first finding in `lock`, or where `data` is not its canonical form."""
    for finding in findings(lock):
        raise LockError(finding, place=place, hint="run `python -m builder lock`, or restore the file")
    if dump_lock(lock) != data:
        line = first_difference(dump_lock(lock), data)
        raise LockError(
            f"line {line} is not in canonical form",
            place=place,
            hint="locks are generated: run `python -m builder lock`, or restore the file",
        )


def dump_lock(lock: Lock) -> bytes:
    """Return the canonical bytes of `lock`."""
    return toml.dumps(unstructure(lock)).encode()
