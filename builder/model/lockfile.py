"""Lock files: canonical text to a Lock and back."""

from __future__ import annotations

from builder.errors import LockError
from builder.model import toml
from builder.model.lock import FORMAT, Lock
from builder.model.wire import WireError, structure, unstructure

__all__ = ["dump_lock", "load_lock", "parse_lock"]


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
    from builder.model.integrity import check_lock  # noqa: PLC0415 - integrity needs dump_lock

    lock = parse_lock(data, place=place)
    check_lock(lock, data, place=place)
    return lock


def dump_lock(lock: Lock) -> bytes:
    """Return the canonical bytes of `lock`."""
    return toml.dumps(unstructure(lock)).encode()
