"""Who asks for what: the chosen wheels' requirements, walked from the roots on the target's terms.

uv's PEP 751 answer has neither extras nor dependants. The walk finds them, and
proves on the way that every requirement that counts on the target is met by a
chosen wheel: an independent check of uv's answer.

The walk is over pairs (distribution, extra), where the empty extra stands for the
distribution itself: a requirement on `a[x]` asks for ("a", "") and ("a", "x"). Markers
are evaluated with the target's environment and that one extra. Each pair is visited
once, so circles of requirements end. What no pair reaches was not asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from builder.errors import NoSolutionError, RecipeError
from builder.lockfile import RECIPE
from builder.model import admits, lenient_requirement, marker_environment, normalized_name, recipe_requirement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.requirements import Requirement

    from builder.recipe import PythonRequest

__all__ = [
    "DistributionDemand",
    "RequirementNode",
    "active_requirements",
    "requirement_extras",
    "walk_requirements",
]

_EXTRA = re.compile(r"""extra\s*==\s*["']([^"']*)["']""")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementNode:
    """A distribution of the solution, as its metadata describes it."""

    name: str
    version: str
    requires: tuple[str, ...]
    extras: tuple[str, ...]
    """The extras that it offers, normalised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionDemand:
    """How a distribution is asked for."""

    extras: tuple[str, ...]
    via: tuple[str, ...]


def active_requirements(
    node: RequirementNode, extra: str, environment: Mapping[str, str]
) -> Iterator[tuple[str, Requirement]]:
    """Yield the requirements of `node` that count with `extra` (empty: without any), text and value."""
    for text in node.requires:
        if _cannot_count(text, extra):
            continue
        requirement = lenient_requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({**environment, "extra": extra}):
            yield text, requirement


def _cannot_count(text: str, extra: str) -> bool:
    """Whether a conjunction asks for another extra: parsing thousands of these is what would take time.

    Only a shortcut before the real evaluation: with an `or` anywhere it says nothing, and the
    extra is looked for by its text, which is how every build backend writes it.
    """
    marker = text.partition(";")[2]
    if " or " in marker:
        return False
    named = _EXTRA.findall(marker)
    return bool(named) and extra not in {str(canonicalize_name(item)) for item in named}


def walk_requirements(
    request: PythonRequest, nodes: Mapping[str, RequirementNode]
) -> dict[str, DistributionDemand]:
    """Return how each reachable node is asked for. NoSolutionError for a requirement that is not met."""
    environment = marker_environment(request.arch, request.python)
    via: dict[str, set[str]] = {}
    extras: dict[str, set[str]] = {}
    waiting: list[tuple[str, str]] = []

    def ask(asker: str, name: str, wanted: set[str]) -> None:
        if asker != name:
            via.setdefault(name, set()).add(asker)
        for extra in ("", *sorted(wanted)):
            if extra not in extras.setdefault(name, set()):
                extras[name].add(extra)
                waiting.append((name, extra))

    for text in request.roots:
        root = recipe_requirement(text)
        if root.marker is not None and not root.marker.evaluate({**environment, "extra": ""}):
            continue
        _check_met(root, nodes, "the recipe", text)
        _check_extras(root, nodes[normalized_name(root)])
        ask(RECIPE, normalized_name(root), requirement_extras(root))
    while waiting:
        name, extra = waiting.pop()
        node = nodes[name]
        for text, requirement in active_requirements(node, extra, environment):
            _check_met(requirement, nodes, f"{node.name} {node.version}", text)
            ask(name, normalized_name(requirement), requirement_extras(requirement))
    return {
        name: DistributionDemand(
            extras=tuple(sorted(extras[name] & set(nodes[name].extras))),
            via=tuple(sorted(askers)),
        )
        for name, askers in via.items()
    }


def requirement_extras(requirement: Requirement) -> set[str]:
    """Return the extras that a requirement asks for, normalised."""
    return {str(canonicalize_name(extra)) for extra in requirement.extras}


def _check_met(requirement: Requirement, nodes: Mapping[str, RequirementNode], asker: str, text: str) -> None:
    if requirement.url is not None:
        raise NoSolutionError(
            f"{asker} requires {requirement.name} from a fixed place: {text}",
            hint="choose a version whose metadata names distributions only",
        )
    node = nodes.get(normalized_name(requirement))
    if node is None:
        raise NoSolutionError(f"{asker} requires {text}, and the solution has no {requirement.name}")
    if not admits(requirement.specifier, node.version):
        raise NoSolutionError(f"{asker} requires {text}, and the solution has {node.name} {node.version}")


def _check_extras(root: Requirement, node: RequirementNode) -> None:
    unknown = sorted(requirement_extras(root) - set(node.extras))
    if unknown:
        offered = ", ".join(node.extras) or "none"
        raise RecipeError(
            f"{node.name} {node.version} has no extra {unknown[0]!r}",
            place=f"root {str(root)!r}",
            hint=f"use one of its extras: {offered}",
        )
