"""The catalogue: the recipes that the package brings, and how a project's own stand beside them. Pure.

A project has only what is its own. A name that none of its files defines is the catalogue's, and a file
of its own that has the name of one of the catalogue says `replaces = true`, so that no update of the
package puts another recipe behind a name, or takes one away, unseen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from builder.errors import RecipeError

__all__ = ["RecipeCatalogue", "check_replacing", "file_place"]

_OWN_FOLDER, _CATALOGUE_FOLDER = "recipes", "catalogue"
_REPLACES = "replaces"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeCatalogue:
    """The recipes of the installed package: contents by path, and the package's version for people."""

    version: str
    files: Mapping[str, bytes]


def file_place(path: str, *, inherited: bool) -> str:
    """Return how messages name a recipe file: `recipes/…` of the project, or `catalogue/…`."""
    return f"{_CATALOGUE_FOLDER if inherited else _OWN_FOLDER}/{path}"


def check_replacing(
    own: Mapping[str, bytes], tables: Mapping[str, Mapping[str, Any]], catalogue: RecipeCatalogue | None
) -> None:
    """Refuse a project's file that hides one of the catalogue unseen, or that replaces none (RecipeError).

    `tables` are the parsed files by path; a file that is no recipe, such as a key, cannot replace another.
    """
    known = catalogue.files if catalogue else {}
    for path in sorted(own):
        table = tables.get(path)
        place = file_place(path, inherited=False)
        replaces = bool(table and table.get(_REPLACES))
        if replaces and path not in known:
            raise RecipeError(
                "the catalogue has no file of this name" if catalogue else "this project uses no catalogue",
                place=f"{place}: {_REPLACES}",
                hint="leave `replaces` out",
            )
        if catalogue and path in known and not replaces:
            raise RecipeError(
                f"the catalogue of lockwright {catalogue.version} has {file_place(path, inherited=True)} too",
                place=place,
                hint="give yours another name"
                if table is None
                else "write `replaces = true` to use yours instead, or give it another name",
            )
