"""The moment at which a repository was pinned, and how moments are written."""

from __future__ import annotations

from datetime import UTC, datetime

from builder.errors import RecipeError
from builder.recipe import RepositoryRecipe

__all__ = ["pinned_moment", "snapshot_stamp", "utc_rfc3339", "utc_text"]


def pinned_moment(repository: RepositoryRecipe) -> datetime:
    """Return the aware moment at which a repository was pinned; RecipeError if `at` does not name one."""
    try:
        moment = datetime.fromisoformat(repository.at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise RecipeError(
            f"{repository.at!r} is not a moment such as 2026-11-22T18:00:00Z",
            place=f"repository {repository.suite}: at",
        )
    return moment


def snapshot_stamp(moment: datetime) -> str:
    """Return an aware moment as Debian's snapshot service writes it: 20261122T180000Z."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def utc_rfc3339(moment: datetime) -> str:
    """Return an aware moment as recipes and locks write it: 2026-11-22T18:00:00Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_text(moment: datetime) -> str:
    """Return an aware moment as messages write it: 2026-11-22 18:00:00 UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
