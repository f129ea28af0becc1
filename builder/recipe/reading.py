"""Recipe files: strict TOML to Component, Framework, Platform and Release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from builder.errors import RecipeError
from builder.model import WireError, structure, toml

__all__ = ["parse_recipe", "parse_table"]

T = TypeVar("T")


def parse_table(data: bytes, *, place: str) -> dict[str, Any]:
    """Read the plain tables of a recipe file; `place` names the file in errors (RecipeError)."""
    return toml.loads(data, place=place, error=RecipeError)


def parse_recipe(table: Mapping[str, Any], kind: type[T], *, place: str) -> T:
    """Turn plain tables into a recipe of `kind`; RecipeError names file and key path."""
    try:
        return structure(table, kind)
    except WireError as error:
        where = f"{place}: {error.path}" if error.path else place
        raise RecipeError(error.cause, place=where, hint=error.hint) from None
