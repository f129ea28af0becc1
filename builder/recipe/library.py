"""All recipes of a project by kind and name. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from builder.errors import RecipeError, UsageError
from builder.model import nearest_names
from builder.recipe.component import Component
from builder.recipe.framework import Framework
from builder.recipe.platform import Platform
from builder.recipe.release import Release
from builder.selection import TargetNames

__all__ = ["Library"]

Item = TypeVar("Item")


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
        return _find_recipe(self.components, name, "component", RecipeError, place)

    def framework(self, name: str) -> Framework:
        """Return a framework (UsageError where there is none of that name)."""
        return _find_recipe(self.frameworks, name, "framework", UsageError, "--framework")

    def platform(self, name: str) -> Platform:
        """Return a platform (UsageError where there is none of that name)."""
        return _find_recipe(self.platforms, name, "platform", UsageError, "--platform")

    def release(self, name: str) -> Release:
        """Return a release (UsageError where there is none of that version)."""
        return _find_recipe(self.releases, name, "release", UsageError, "--release")

    @property
    def target_names(self) -> TargetNames:
        """What a selection may name: every release, platform and framework that has a recipe."""
        return TargetNames(
            releases=frozenset(self.releases),
            platforms=frozenset(self.platforms),
            frameworks=frozenset(self.frameworks),
        )

    @property
    def default_release(self) -> Release:
        """The release that is meant where none is named."""
        return next(release for release in self.releases.values() if release.default)


def _find_recipe(
    items: Mapping[str, Item], name: str, kind: str, error: type[RecipeError | UsageError], place: str
) -> Item:
    if name in items:
        return items[name]
    raise error(f"there is no {kind} {name!r}", place=place, hint=nearest_names(name, items))
