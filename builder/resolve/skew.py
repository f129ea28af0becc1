"""The same image on every architecture: roots must not differ (trap T4). Pure."""

from __future__ import annotations

from collections.abc import Iterable

from builder.errors import NoSolutionError
from builder.model.lock import RUNTIME, Lock

__all__ = ["check_arches"]


def check_arches(locks: Iterable[Lock]) -> None:
    """Raise NoSolutionError where a root has different versions in locks of the same image."""
    seen: dict[str, tuple[str, Lock]] = {}
    for lock in locks:
        for row in lock.python:
            if RUNTIME not in row.for_ or "recipe" not in row.via:
                continue
            version, other = seen.setdefault(row.name, (row.version, lock))
            if version != row.version:
                raise NoSolutionError(
                    f"root {row.name} is {row.version} on {lock.arch}, but {version} on {other.arch}",
                    place=f"{lock.release}/{lock.platform}/{lock.framework}",
                    hint="pin a version that exists for both, or raise the glibc floor of the platform",
                )
