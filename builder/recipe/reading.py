"""Recipe files from bytes: strict TOML to the four kinds of recipe, and a whole folder to a `Library`. Pure.

Whoever calls it has read the files: `project` for `recipes/`, tests from texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from builder.errors import RecipeError
from builder.model import Sha256, StructureError, structure, toml
from builder.recipe.component import Component
from builder.recipe.framework import Framework
from builder.recipe.library import Library, check_library
from builder.recipe.platform import Platform
from builder.recipe.release import Release

__all__ = ["inherited_platforms", "parse_recipe", "parse_table", "read_library"]

T = TypeVar("T")
NamedRecipe = TypeVar("NamedRecipe", Component, Framework, Platform)

_RECIPE_FOLDERS = ("components", "frameworks", "platforms", "releases")
_NEVER_INHERITED = ("name", "summary", "extends")


def parse_table(data: bytes, *, place: str) -> dict[str, Any]:
    """Read the plain tables of a recipe file; `place` names the file in errors (RecipeError)."""
    return toml.loads(data, place=place, error=RecipeError)


def parse_recipe(table: Mapping[str, Any], kind: type[T], *, place: str) -> T:
    """Turn plain tables into a recipe of `kind`; RecipeError names file and key path."""
    try:
        return structure(table, kind)
    except StructureError as error:
        where = f"{place}: {error.path}" if error.path else place
        raise RecipeError(error.cause, place=where, hint=error.hint) from None


def read_library(files: Mapping[str, bytes]) -> Library:
    """Read recipes; `files` maps paths below the recipe folder to contents (RecipeError)."""
    tables = {
        path: parse_table(data, place=f"recipes/{path}")
        for path, data in sorted(files.items())
        if path.endswith(".toml") and path.split("/")[0] in _RECIPE_FOLDERS
    }
    library = Library(
        components=_named_recipes(tables, "components", Component),
        frameworks=_named_recipes(tables, "frameworks", Framework),
        platforms=_named_recipes(inherited_platforms(tables), "platforms", Platform),
        releases=_parsed_releases(tables),
        keys={path.split("/", 1)[1]: data for path, data in files.items() if path.startswith("keys/")},
        programs={path: Sha256.of(data) for path, data in files.items() if path.startswith("checks/")},
    )
    check_library(library)
    return library


def _named_recipes(
    tables: Mapping[str, Mapping[str, Any]], folder: str, kind: type[NamedRecipe]
) -> dict[str, NamedRecipe]:
    found: dict[str, NamedRecipe] = {}
    for path, table in tables.items():
        if not path.startswith(f"{folder}/"):
            continue
        recipe = parse_recipe(table, kind, place=f"recipes/{path}")
        stem = path.removeprefix(f"{folder}/").removesuffix(".toml")
        if recipe.name != stem:
            raise RecipeError(
                f"{recipe.name!r} is not the name of the file",
                place=f"recipes/{path}: name",
                hint=f"write {stem!r}, or rename the file",
            )
        found[stem] = recipe
    return found


def _parsed_releases(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Release]:
    found = {}
    for path, table in tables.items():
        if path.startswith("releases/"):
            release = parse_recipe(table, Release, place=f"recipes/{path}")
            if f"releases/{release.version}.toml" != path:
                raise RecipeError(
                    f"{release.version!r} is not the name of the file", place=f"recipes/{path}: version"
                )
            found[release.version] = release
    defaults = [release.version for release in found.values() if release.default]
    if len(defaults) != 1:
        raise RecipeError(
            f"{len(defaults)} releases are the default, expected one",
            place="recipes/releases",
            hint="write `default = true` in exactly one release",
        )
    return found


def inherited_platforms(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Fill the keys that a platform does not have from the one it extends.

    Key by key at the top level only: a table or list that is given replaces the inherited one as a whole, so
    that a reader of one file sees all of it. `name`, `summary` and `extends` are never inherited.
    """
    platforms = {path: table for path, table in tables.items() if path.startswith("platforms/")}
    done: dict[str, Mapping[str, Any]] = {}
    depth: dict[str, int] = {}
    for path, table in platforms.items():
        chain = [path]
        while isinstance(parent := platforms[chain[-1]].get("extends"), str) and parent:
            following = f"platforms/{parent}.toml"
            if following in chain or following not in platforms:
                why = "extends itself" if following in chain else "is not a platform"
                raise RecipeError(f"{parent!r} {why}", place=f"recipes/{chain[-1]}: extends")
            chain.append(following)
        merged: dict[str, Any] = {}
        for link in reversed(chain):
            if link != path:
                merged |= {k: v for k, v in platforms[link].items() if k not in _NEVER_INHERITED}
        done[path] = merged | dict(table)
        depth[path] = len(chain)
    # Parents first, so that what is wrong in one is reported there and not in its heirs.
    return {path: done[path] for path in sorted(done, key=lambda path: (depth[path], path))}
