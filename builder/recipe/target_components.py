"""Which components, in which versions and variants, a target is built from. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from builder.errors import RecipeError
from builder.model import Table, Target, nearest_names
from builder.recipe.component import Component, ComponentVariant, TargetConditions, VersionRecipe
from builder.recipe.library import Library
from builder.recipe.platform import Platform
from builder.recipe.release import Release

__all__ = ["TargetRecipes", "applying_variants", "choose_components", "component_needs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRecipes:
    """The recipes that decide for one target."""

    library: Library
    release: Release
    platform: Platform
    target: Target

    def version(self, component: Component) -> str:
        """Return the version that the platform gives a component, else the release.

        RecipeError for one that the component's recipe does not know: where it comes from, a source or a
        published wheel, is always somebody's decision with a reason.
        """
        stated = self.release.components
        for name in reversed(self.framework_names):
            stated = stated.merged(self.release.framework_components.get(name, Table()))
        found = stated.merged(self.platform.versions).get(component.name)
        place = f"{self.library.place(f'releases/{self.release.version}.toml')}: components"
        if not found:
            raise RecipeError(f"no version of {component.name!r}", place=place, hint="add one")
        if found not in component.versions:
            if self.platform.versions.get(component.name):
                place = f"{self.library.place(f'platforms/{self.platform.name}.toml')}: versions"
            raise RecipeError(
                f"{component.name} {found} is not in its recipe",
                place=f"{place}.{component.name}",
                hint=_unknown_version_hint(component, found),
            )
        return found

    @property
    def framework_names(self) -> tuple[str, ...]:
        """The framework and those that it extends, the nearest first: their conditions hold for it."""
        return self.library.framework_chain(self.target.framework)

    @property
    def condition_version(self) -> str:
        """The release's version as conditions of frameworks judge it: that of the release it stands on."""
        return self.library.release_chain(self.release)[-1].version

    def source(self, component: Component) -> VersionRecipe:
        """Return where a version comes from, as the conditions of `source-when` decide here."""
        version = self.version(component)
        found = component.versions[version]
        if found.source_when is None:
            return found
        if self.holds(found.source_when, version):
            return replace(found, published=False)
        return VersionRecipe(published=True, reason=found.reason)

    def holds(self, when: TargetConditions, version: str = "") -> bool:
        """Say whether every condition that is given holds for this target."""
        given = (
            (when.cuda, bool(self.platform.cuda)),
            (when.arch, self.target.arch),
            (when.family, self.platform.family),
            (when.os, self.platform.os),
            (when.system_python, not self.platform.interpreter),
        )
        if any(wanted is not None and wanted != found for wanted, found in given):
            return False
        if when.framework is not None and when.framework not in self.framework_names:
            return False
        return when.versions is None or _version_matches(version, when.versions)


def _unknown_version_hint(component: Component, version: str) -> str:
    near = nearest_names(version, component.versions, otherwise="-").removeprefix("-")
    hint = f"{near} known: {', '.join(component.versions)}; add it with `python -m builder pin git`".lstrip()
    if component.python.family:
        hint += (
            f', or, for the wheel of the index, [versions."{version}"] with `published = true` and a reason'
        )
    return hint


def _version_matches(version: str, specifier: str) -> bool:
    try:
        return SpecifierSet(specifier).contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False


def choose_components(
    recipes: TargetRecipes, names: Iterable[str]
) -> tuple[list[Component], list[Component]]:
    """Return the components to build, in order, and those that come as wheels.

    Depth first over the needs, names sorted at each step: a component comes after all it needs, and the order
    is the same on every machine. What the platform provides ends a branch, and so does what comes as a wheel.
    """
    built: list[Component] = []
    published: list[Component] = []
    for name in sorted(set(names)):
        _visit_component(recipes, name, (), built, published)
    return built, sorted(published, key=lambda component: component.name)


def _visit_component(
    recipes: TargetRecipes,
    name: str,
    chain: tuple[str, ...],
    built: list[Component],
    published: list[Component],
) -> None:
    component = recipes.library.component(name, place=_needing_place(recipes, name, chain))
    if name in recipes.platform.provides or component in built or component in published:
        return
    if name in chain:
        cycle = " needs ".join((*chain[chain.index(name) :], name))
        raise RecipeError(
            f"a cycle: {cycle}", place=f"{recipes.library.place(f'components/{name}.toml')}: needs"
        )
    if recipes.source(component).published:
        published.append(component)
        return
    for need in component_needs(recipes, component):
        _visit_component(recipes, need, (*chain, name), built, published)
    built.append(component)


def _needing_place(recipes: TargetRecipes, name: str, chain: tuple[str, ...]) -> str:
    return recipes.library.place(f"components/{(*chain, name)[-1]}.toml")


def applying_variants(recipes: TargetRecipes, component: Component) -> list[ComponentVariant]:
    """Return the variants of a component that apply, in order."""
    version = recipes.version(component)
    return [variant for variant in component.variants if recipes.holds(variant.when, version)]


def component_needs(recipes: TargetRecipes, component: Component) -> tuple[str, ...]:
    """Return the names of the components that one needs here, sorted."""
    names = set(component.needs)
    variants = applying_variants(recipes, component)
    names.update(need for variant in variants for need in variant.needs)
    interpreter = recipes.platform.interpreter
    if interpreter and interpreter != component.name and _has_environment(component, variants):
        names.add(interpreter)
    return tuple(sorted(names))


def _has_environment(component: Component, variants: Sequence[ComponentVariant]) -> bool:
    """Say whether a Python environment is made for the build."""
    return bool(component.python.build_requires) or any(variant.build_requires for variant in variants)
