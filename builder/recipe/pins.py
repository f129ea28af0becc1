"""Exact versions of Python distributions: what the recipes demand of the resolver. Pure."""

from __future__ import annotations

from builder.errors import RecipeError
from builder.model import Table
from builder.recipe.component import Component
from builder.recipe.components import Choice
from builder.recipe.recipe import Framework, Release

__all__ = ["family_pins", "pin_root"]


def family_pins(
    choice: Choice, framework: Framework, components: list[Component]
) -> tuple[tuple[str, str], ...]:
    """Return every equality that the recipes demand, sorted by distribution."""
    release = choice.release
    pins = dict(release.python.get("all", Table())) | dict(release.python.get(framework.name, Table()))
    families = [(c.name, choice.version(c), c.python.family) for c in components]
    for component, version, family in families:
        for distribution in family:
            stated = pins.setdefault(distribution, version)
            if stated != version:
                raise RecipeError(
                    f"{distribution} is pinned to {stated}, but component {component} is {version}",
                    place=f"recipes/releases/{release.version}.toml: python",
                    hint="the component's version binds its family: remove the pin or align the two",
                )
    return tuple(sorted(pins.items()))


def pin_root(root: str, pins: tuple[tuple[str, str], ...], release: Release, framework: Framework) -> str:
    """Return a root as an exact requirement; RecipeError where nothing pins it (trap T4)."""
    name = root.partition("[")[0].strip()
    version = dict(pins).get(name)
    if version is None:
        raise RecipeError(
            f"root {root!r} has no version",
            place=f"recipes/releases/{release.version}.toml: python.{framework.name}",
            hint=f'add `{name} = "…"`: roots are pinned exactly (trap T4)',
        )
    return f"{root}=={version}"
