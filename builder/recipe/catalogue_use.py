"""What one target takes from each file of the catalogue: the part of its contents that decides. Pure.

A digest of a file's text would change with every version that a component gains, and every lock with it.
Taken are values in force: of a component the version that is used, the variants that apply and the packages
of the platform's family; of a platform, release or framework that another one extends, what that one
does not replace. Placeholders stay as they are written: what fills them comes from elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from builder.model import Arch, Sha256, Table, unstructure
from builder.recipe.component import Component, ComponentVariant
from builder.recipe.framework import Framework, FrameworkVariant
from builder.recipe.platform import Platform
from builder.recipe.release import Release
from builder.recipe.target_components import TargetRecipes, applying_variants

__all__ = ["NEVER_LOCKED", "CatalogueFile", "catalogue_files"]

NEVER_LOCKED = (
    "accelerated-hint",
    "default",
    "evidence",
    "homepage",
    "pythons",
    "refused",
    "replaces",
    "status",
    "summary",
    "targets",
    "variants",
)
"""Words for people, and what only decides which targets there are: none of these changes what is locked."""
_OF_A_LINK = (*NEVER_LOCKED, "name", "extends")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class CatalogueFile:
    """One file of the catalogue that a recipe was made from."""

    path: str
    sha256: Sha256
    """Of what was taken from it; of the whole file for a key, a patch, or a program of checks."""


def catalogue_files(
    recipes: TargetRecipes,
    *,
    built: Iterable[Component],
    published: Iterable[Component],
    pins: Mapping[str, str],
    whole: Mapping[str, Sha256],
) -> tuple[CatalogueFile, ...]:
    """Return the files of the catalogue that decide for a target, sorted by path.

    `whole` are files that are taken as they are, programs of checks and patches, with their digests.
    """
    library = recipes.library
    built, published = tuple(built), tuple(published)
    taken: dict[str, Any] = {}
    for release in library.release_chain(recipes.release):
        used = [*built, *published]
        taken[f"releases/{release.version}.toml"] = _of_release(recipes, release, used, pins)
    for platform in library.platform_chain(recipes.platform):
        taken[f"platforms/{platform.name}.toml"] = _of_platform(recipes, platform)
    for name in recipes.framework_names:
        taken[f"frameworks/{name}.toml"] = _of_framework(recipes, library.framework(name))
    for component in built:
        taken[f"components/{component.name}.toml"] = _of_component(recipes, component)
    for component in published:
        version = recipes.version(component)
        taken[f"components/{component.name}.toml"] = [version, list(component.python.family)]
    digests = {path: _value_digest(value) for path, value in taken.items()}
    digests |= {
        f"keys/{name}": Sha256.of(library.keys[name])
        for repository in recipes.platform.repositories
        for name in repository.keys
    }
    digests |= whole
    return tuple(
        CatalogueFile(path=path, sha256=sha256)
        for path, sha256 in sorted(digests.items())
        if path in library.inherited
    )


def _value_digest(value: object) -> Sha256:
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return Sha256.of(text.encode())


def _of_release(
    recipes: TargetRecipes, release: Release, used: Iterable[Component], pins: Mapping[str, str]
) -> dict[str, Any]:
    """Return day, bound and versions of a release, as far as they are in force."""
    stated: dict[str, str] = dict(release.components)
    groups: dict[str, str] = {}
    for name in reversed(recipes.framework_names):
        stated |= dict(release.framework_components.get(name, Table()))
    for group in ("all", *reversed(recipes.framework_names)):
        groups |= dict(release.python.get(group, Table()))
    names = {component.name: recipes.version(component) for component in used}
    last = recipes.release
    return {
        "components": {name: stated[name] for name in names if stated.get(name) == names[name]},
        "python": {name: version for name, version in groups.items() if pins.get(name) == version},
        "installer": {
            group: list(table)
            for group, table in release.python.items()
            if group not in recipes.library.frameworks and table == last.python.get(group)
        },
        "date": release.date if release.date == last.date else "",
        "exclude-newer": release.exclude_newer if release.exclude_newer == last.exclude_newer else "",
    }


def _of_platform(recipes: TargetRecipes, platform: Platform) -> dict[str, Any]:
    found, last = (_platform_table(row, recipes.target.arch) for row in (platform, recipes.platform))
    return {key: value for key, value in found.items() if value == last.get(key)}


def _platform_table(platform: Platform, arch: Arch) -> dict[str, Any]:
    table = {key: value for key, value in unstructure(platform).items() if key not in _OF_A_LINK}
    for key in ("images", "assembled"):
        table[key] = table.get(key, {}).get(arch)
    return table


def _of_framework(recipes: TargetRecipes, framework: Framework) -> dict[str, Any]:
    table = {key: value for key, value in unstructure(framework).items() if key not in _OF_A_LINK}
    last = unstructure(recipes.library.framework(recipes.target.framework))
    replaced = [key for key, value in table.items() if isinstance(value, str) and value != last.get(key)]
    variants = [row for row in framework.variants if recipes.holds(row.when, recipes.condition_version)]
    kept = {key: value for key, value in table.items() if key not in replaced}
    return _of_family(kept, recipes) | {"variants": [_of_variant(row, recipes) for row in variants]}


def _of_component(recipes: TargetRecipes, component: Component) -> dict[str, Any]:
    table = {key: value for key, value in unstructure(component).items() if key not in NEVER_LOCKED}
    source = {key: value for key, value in unstructure(recipes.source(component)).items() if key != "reason"}
    variants = [_of_variant(row, recipes) for row in applying_variants(recipes, component)]
    return _of_family(table, recipes) | {"versions": source, "variants": variants}


def _of_variant(variant: ComponentVariant | FrameworkVariant, recipes: TargetRecipes) -> dict[str, Any]:
    table = unstructure(variant)
    return _of_family({key: value for key, value in table.items() if key not in ("when", "reason")}, recipes)


def _of_family(table: Mapping[str, Any], recipes: TargetRecipes) -> dict[str, Any]:
    """Return a table whose OS packages are those of the platform's family alone."""
    packages = table.get("packages", {})
    return {**table, "packages": packages.get(recipes.platform.family, {})}
