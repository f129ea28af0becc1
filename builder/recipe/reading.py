"""Recipe files from bytes: strict TOML to the four kinds of recipe, and a whole folder to a `Library`. Pure.

Whoever calls it has read the files: `project` for `recipes/`, tests from texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from builder.errors import RecipeError
from builder.model import Sha256, StructureError, nearest_names, structure, toml
from builder.recipe.catalogue import RecipeCatalogue, check_replacing, file_place
from builder.recipe.component import Component
from builder.recipe.framework import Framework
from builder.recipe.library import Library, check_library
from builder.recipe.platform import Platform
from builder.recipe.release import Release

__all__ = ["inherited_tables", "joined_tables", "parse_recipe", "parse_table", "read_library"]

T = TypeVar("T")
NamedRecipe = TypeVar("NamedRecipe", Component, Framework, Platform)

_FRAMEWORKS, _PLATFORMS, _RELEASES = "frameworks", "platforms", "releases"
_RECIPE_FOLDERS = ("components", _FRAMEWORKS, _PLATFORMS, _RELEASES)
_NEVER_INHERITED = {
    _FRAMEWORKS: ("name", "summary", "extends", "replaces"),
    _PLATFORMS: ("name", "summary", "extends", "replaces"),
    # What a release is for, and what was published as it, is its own.
    _RELEASES: ("version", "extends", "replaces", "default", "targets", "refused", "published", "evidence"),
}
_REPLACED_LISTS = ("command", "entrypoint", "pythons")
"""Keys of a framework whose items are one value together."""


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


def read_library(files: Mapping[str, bytes], catalogue: RecipeCatalogue | None = None) -> Library:
    """Read recipes, those of `catalogue` behind the project's own (RecipeError).

    `files` maps paths below the project's recipe folder to contents.
    """
    inherited = frozenset(catalogue.files.keys() - files.keys()) if catalogue else frozenset()
    every = {**(catalogue.files if catalogue else {}), **files}
    tables = {
        path: parse_table(data, place=file_place(path, inherited=path in inherited))
        for path, data in sorted(every.items())
        if path.endswith(".toml") and path.split("/")[0] in _RECIPE_FOLDERS
    }
    check_replacing(files, tables, catalogue)
    heirs = (_FRAMEWORKS, _PLATFORMS, _RELEASES)
    whole: dict[str, Mapping[str, Any]] = {
        path: table for path, table in tables.items() if path.split("/")[0] not in heirs
    }
    for folder in heirs:
        whole |= inherited_tables(tables, folder, inherited)
    library = Library(
        components=_named_recipes(whole, "components", Component, inherited),
        frameworks=_named_recipes(whole, _FRAMEWORKS, Framework, inherited),
        platforms=_named_recipes(whole, _PLATFORMS, Platform, inherited),
        releases=_parsed_releases(whole, inherited),
        keys={path.split("/", 1)[1]: data for path, data in every.items() if path.startswith("keys/")},
        programs={path: Sha256.of(data) for path, data in every.items() if path.startswith("checks/")},
        patches={path.split("/", 1)[1]: data for path, data in every.items() if path.startswith("patches/")},
        inherited=inherited,
        catalogue_version=catalogue.version if catalogue else "",
    )
    check_library(library)
    return library


def _named_recipes(
    tables: Mapping[str, Mapping[str, Any]],
    folder: str,
    kind: type[NamedRecipe],
    inherited: frozenset[str],
) -> dict[str, NamedRecipe]:
    found: dict[str, NamedRecipe] = {}
    for path, table in tables.items():
        if not path.startswith(f"{folder}/"):
            continue
        place = file_place(path, inherited=path in inherited)
        recipe = parse_recipe(table, kind, place=place)
        stem = path.removeprefix(f"{folder}/").removesuffix(".toml")
        if recipe.name != stem:
            raise RecipeError(
                f"{recipe.name!r} is not the name of the file",
                place=f"{place}: name",
                hint=f"write {stem!r}, or rename the file",
            )
        found[stem] = recipe
    return found


def _parsed_releases(
    tables: Mapping[str, Mapping[str, Any]], inherited: frozenset[str]
) -> dict[str, Release]:
    found, own = {}, []
    for path, table in tables.items():
        if path.startswith(f"{_RELEASES}/"):
            place = file_place(path, inherited=path in inherited)
            release = parse_recipe(table, Release, place=place)
            if f"{_RELEASES}/{release.version}.toml" != path:
                raise RecipeError(
                    f"{release.version!r} is not the name of the file", place=f"{place}: version"
                )
            found[release.version] = release
            if path not in inherited:
                own.append(release)
    # A project's own releases alone say which one is meant: the catalogue's default is for a project without.
    defaults = [release.version for release in own or found.values() if release.default]
    if len(defaults) != 1:
        raise RecipeError(
            f"{len(defaults)} releases are the default, expected one",
            place="recipes/releases",
            hint="write `default = true` in exactly one release",
        )
    return found


def inherited_tables(
    tables: Mapping[str, Mapping[str, Any]], folder: str, inherited: frozenset[str] = frozenset()
) -> dict[str, Mapping[str, Any]]:
    """Return the tables of a folder, each with the keys that it has from the one it extends (RecipeError).

    Of platforms a key that is given replaces the inherited one as a whole, so that a reader of one file sees
    all of it. Frameworks and releases grow: see `Framework.extends` and `Release.extends`.
    """
    chosen = {path: table for path, table in tables.items() if path.startswith(f"{folder}/")}
    done: dict[str, Mapping[str, Any]] = {}
    depth: dict[str, int] = {}
    for path in chosen:
        chain = [path]
        while isinstance(parent := chosen[chain[-1]].get("extends"), str) and parent:
            following = f"{folder}/{parent}.toml"
            if following in chain or following not in chosen:
                why = "extends itself" if following in chain else f"is not a {folder.removesuffix('s')}"
                place = file_place(chain[-1], inherited=chain[-1] in inherited)
                hint = (
                    ""
                    if following in chain
                    else nearest_names(parent, [_recipe_name(known) for known in chosen])
                )
                raise RecipeError(f"{parent!r} {why}", place=f"{place}: extends", hint=hint)
            chain.append(following)
        done[path] = joined_tables([chosen[link] for link in chain], folder)
        depth[path] = len(chain)
    # Parents first, so that what is wrong in one is reported there and not in its heirs.
    return {path: done[path] for path in sorted(done, key=lambda path: (depth[path], path))}


def joined_tables(chain: Sequence[Mapping[str, Any]], folder: str) -> dict[str, Any]:
    """Return the first table of a chain with what it has from the others, each of which extends the next.

    It only asks what is a table or a list and what is equal, so that leaves may be other than plain values.
    """
    merged: dict[str, Any] = {}
    for index in reversed(range(len(chain))):
        never = _NEVER_INHERITED.get(folder, ()) if index else ()
        kept = {key: value for key, value in chain[index].items() if key not in never}
        merged = {**merged, **kept} if folder == _PLATFORMS else _grown_table(merged, kept)
    return merged


def _recipe_name(path: str) -> str:
    return path.partition("/")[2].removesuffix(".toml")


def _grown_table(parent: Mapping[str, Any], own: Mapping[str, Any], *, top: bool = True) -> dict[str, Any]:
    """Return `own` on top of `parent`: tables are joined, lists grow at their end, other values win."""
    found = dict(parent)
    for key, value in own.items():
        before = parent.get(key)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            found[key] = _grown_table(before, value, top=False)
        elif isinstance(value, list) and isinstance(before, list) and not (top and key in _REPLACED_LISTS):
            found[key] = [*before, *(item for item in value if item not in before)]
        else:
            found[key] = value
    return found
