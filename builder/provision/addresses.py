"""The addresses that rendering writes: of each file the first one that a fetch would try."""

from __future__ import annotations

from collections.abc import Sequence

from builder.errors import UsageError
from builder.lockfile import Lock, downloaded_rows
from builder.project import Project
from builder.render import Addresses

__all__ = ["first_addresses"]


def first_addresses(project: Project, locks: Sequence[Lock]) -> Addresses:
    """Return the address of every file of `locks` (UsageError for an origin that is not configured)."""
    rows = [(row, lock.repositories) for lock in locks for row in downloaded_rows(lock)]
    origins = project.origins_of({row.origin for row, _ in rows})
    try:
        return Addresses(files={row: origins.row_urls(row, seen)[0] for row, seen in rows})
    except UsageError as error:
        raise UsageError(
            error.cause, place=error.place, hint=f"{error.hint}, or use --inputs store"
        ) from None
