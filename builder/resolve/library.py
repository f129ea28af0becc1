"""All recipes of a folder, read once and checked against each other."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from builder.errors import RecipeError, UsageError
from builder.model.digest import Evidence
from builder.model.lock import INSTALLER
from builder.model.recipe import Component, Framework, Platform, Release, VersionRecipe
from builder.model.recipefile import parse_recipe, parse_table

__all__ = ["Library", "read_library"]

T = TypeVar("T", Component, Framework, Platform)
Item = TypeVar("Item")

SYSTEMS = ("autotools", "cmake", "make", "meson", "prebuilt", "python-wheel")
"""Build systems that a component may name."""

_FOLDERS = ("components", "frameworks", "platforms", "releases")
_MOVING = re.compile(r"(?i)(main|master|head|trunk|develop|dev|latest|nightly|stable)|.*\.x")
_NEVER_INHERITED = ("name", "summary", "extends")


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """Every recipe by name, and the armored signing certificates by file name."""

    components: Mapping[str, Component]
    frameworks: Mapping[str, Framework]
    platforms: Mapping[str, Platform]
    releases: Mapping[str, Release]
    keys: Mapping[str, bytes]

    def component(self, name: str, *, place: str) -> Component:
        """Return a component; RecipeError at `place` where there is none of that name."""
        return _find(self.components, name, "component", RecipeError, place)

    def framework(self, name: str) -> Framework:
        """Return a framework (UsageError where there is none of that name)."""
        return _find(self.frameworks, name, "framework", UsageError, "--framework")

    def platform(self, name: str) -> Platform:
        """Return a platform (UsageError where there is none of that name)."""
        return _find(self.platforms, name, "platform", UsageError, "--platform")

    def release(self, name: str) -> Release:
        """Return a release (UsageError where there is none of that version)."""
        return _find(self.releases, name, "release", UsageError, "--release")

    @property
    def default_release(self) -> Release:
        """The release that is meant where none is named."""
        return next(release for release in self.releases.values() if release.default)


def _find(
    items: Mapping[str, Item], name: str, kind: str, error: type[RecipeError | UsageError], place: str
) -> Item:
    if name in items:
        return items[name]
    near = difflib.get_close_matches(name, items, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(sorted(items))}"
    raise error(f"there is no {kind} {name!r}", place=place, hint=hint)


def read_library(files: Mapping[str, bytes]) -> Library:
    """Read recipes; `files` maps paths below the recipe folder to contents (RecipeError)."""
    tables = {
        path: parse_table(data, place=f"recipes/{path}")
        for path, data in sorted(files.items())
        if path.endswith(".toml") and path.split("/")[0] in _FOLDERS
    }
    library = Library(
        components=_named(tables, "components", Component),
        frameworks=_named(tables, "frameworks", Framework),
        platforms=_named(_inherit(tables), "platforms", Platform),
        releases=_releases(tables),
        keys={path.split("/", 1)[1]: data for path, data in files.items() if path.startswith("keys/")},
    )
    _check_library(library)
    return library


def _named(tables: Mapping[str, Mapping[str, Any]], folder: str, kind: type[T]) -> dict[str, T]:
    found: dict[str, T] = {}
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


def _releases(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Release]:
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


def _inherit(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Fill the keys that a platform does not have from the one it extends."""
    platforms = {path: table for path, table in tables.items() if path.startswith("platforms/")}
    done: dict[str, Mapping[str, Any]] = {}
    for path, table in platforms.items():
        chain = [path]
        while isinstance(parent := platforms[chain[-1]].get("extends"), str) and parent:
            following = f"platforms/{parent}.toml"
            if following in chain or following not in platforms:
                why = "extends itself" if following in chain else "is no platform"
                raise RecipeError(f"{parent!r} {why}", place=f"recipes/{chain[-1]}: extends")
            chain.append(following)
        merged: dict[str, Any] = {}
        for link in reversed(chain):
            if link != path:
                merged |= {k: v for k, v in platforms[link].items() if k not in _NEVER_INHERITED}
        done[path] = merged | dict(table)
    return done


def _check_library(library: Library) -> None:
    for component in library.components.values():
        _check_component(component, library)
    for name, framework in library.frameworks.items():
        _known(framework.components, library.components, f"recipes/frameworks/{name}.toml: components")
    for name, platform in library.platforms.items():
        _check_platform(platform, library, f"recipes/platforms/{name}.toml")
    for version, release in library.releases.items():
        _check_release(release, library, f"recipes/releases/{version}.toml")


def _known(names: Iterable[str], items: Mapping[str, Any], place: str) -> None:
    for index, name in enumerate(names):
        if name not in items:
            near = difflib.get_close_matches(name, items, n=1)
            raise RecipeError(
                f"unknown name {name!r}",
                place=f"{place}[{index}]",
                hint=f"did you mean `{near[0]}`?" if near else f"known: {', '.join(sorted(items))}",
            )


def _check_component(component: Component, library: Library) -> None:
    place = f"recipes/components/{component.name}.toml"
    if component.system not in SYSTEMS:
        raise RecipeError(
            f"unknown build system {component.system!r}",
            place=f"{place}: system",
            hint=f"known: {', '.join(SYSTEMS)}",
        )
    _known(component.needs, library.components, f"{place}: needs")
    for index, variant in enumerate(component.variants):
        _known(variant.needs, library.components, f"{place}: variants[{index}].needs")
        if variant.when.versions is not None:
            try:
                SpecifierSet(variant.when.versions)
            except InvalidSpecifier as error:
                raise RecipeError(str(error), place=f"{place}: variants[{index}].when.versions") from None
    for version, recipe in component.versions.items():
        _check_version(recipe, f'{place}: versions."{version}"')


def _check_version(recipe: VersionRecipe, place: str) -> None:
    if recipe.published and (recipe.git or recipe.archives):
        raise RecipeError("published, but it has sources", place=place)
    if recipe.published and not recipe.reason:
        raise RecipeError("published without a reason", place=place, hint="say why no source is used")
    if not (recipe.published or recipe.git or recipe.archives):
        raise RecipeError("no source", place=place, hint="give git, archives, or published with a reason")
    if recipe.git is not None:
        git = recipe.git
        if not git.tag and not git.reason:
            raise RecipeError(
                "a bare commit needs a reason", place=f"{place}.git", hint="give `tag`, or `reason`"
            )
        if _MOVING.fullmatch(git.tag):
            raise RecipeError(
                f"{git.tag!r} names a branch, which moves",
                place=f"{place}.git.tag",
                hint="name a tag, or give the commit alone with a `reason`",
            )
        if not git.url.startswith("https://"):
            raise RecipeError(f"{git.url!r} is not an https address", place=f"{place}.git.url")
    for index, archive in enumerate(recipe.archives):
        if archive.evidence is Evidence.DECLARED and not archive.by:
            raise RecipeError(
                "declared by nobody", place=f"{place}.archives[{index}]", hint="say who published it: `by`"
            )


def _check_platform(platform: Platform, library: Library, place: str) -> None:
    _known(platform.provides, library.components, f"{place}: provides")
    _known(platform.components, library.components, f"{place}: components")
    for index, repository in enumerate(platform.repositories):
        _known(repository.keys, library.keys, f"{place}: repositories[{index}].keys")
    if platform.images and platform.assembled:
        raise RecipeError("it has both images and assembled", place=place, hint="give one of the two")


def _check_release(release: Release, library: Library, place: str) -> None:
    groups = {**dict.fromkeys(library.frameworks), "all": None, INSTALLER: None}
    _known(release.python, groups, f"{place}: python")
    _known([name for name, _ in release.components], library.components, f"{place}: components")
    for kind in ("targets", "refused"):
        for index, row in enumerate(getattr(release, kind)):
            _known([row.framework], library.frameworks, f"{place}: {kind}[{index}].framework")
            _known(row.platforms, library.platforms, f"{place}: {kind}[{index}].platforms")


def with_release(library: Library, release: Release) -> Library:
    """Return the library with one release replaced."""
    return dataclasses.replace(library, releases={**library.releases, release.version: release})
