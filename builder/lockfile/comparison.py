"""How rendered locks compared with the recipes beside them, in the words of a Dockerfile's header. Pure."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["RecipeComparison"]


class RecipeComparison(StrEnum):
    """What was found; the value is the line that a Dockerfile's header says of it."""

    AGREES = ""
    """The locks are what the recipes make: nothing to say."""
    DIFFERS = "Rendered with --stale: these locks differ from the recipes that were beside them."
    NOT_COMPARED = "No recipes were beside these locks, so they were compared with nothing."
