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
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from builder.errors import BuilderError, NoSolutionError, RecipeError
from builder.lockfile import RECIPE
from builder.model import (
    OpenMarkerError,
    admits,
    lenient_requirement,
    marker_holds,
    normalized_name,
    recipe_requirement,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from packaging.requirements import Requirement

    from builder.recipe import PythonRequest

__all__ = [
    "DistributionDemand",
    "RequirementNode",
    "active_requirements",
    "open_marker",
    "recipe_marker_holds",
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
        if _requirement_counts(node, text, requirement, environment, extra):
            yield text, requirement


def _requirement_counts(
    node: RequirementNode, text: str, requirement: Requirement, environment: Mapping[str, str], extra: str
) -> bool:
    try:
        return marker_holds(requirement.marker, environment, extra)
    except OpenMarkerError as error:
        raise open_marker(f"{node.name} {node.version} requires {text}", error) from None


def open_marker(said: str, error: OpenMarkerError) -> NoSolutionError:
    """Return the refusal of a requirement that counts for some patch releases or kernels only."""
    hint = "take a platform whose OS packages or interpreter component give Python's full version"
    if "kernel" in error.decider:
        hint = "choose a version whose metadata asks nothing of the kernel: an image runs on any"
    return NoSolutionError(
        f"{said}: {error.decider} decides whether this counts, and it is not known", hint=hint
    )


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


def recipe_marker_holds(text: str, environment: Mapping[str, str]) -> bool:
    """Whether a requirement of the recipe counts on the target; NoSolutionError where that is open."""
    try:
        return marker_holds(recipe_requirement(text).marker, environment)
    except OpenMarkerError as error:
        raise open_marker(f"the recipe requires {text}", error) from None


def _raise_error(error: BuilderError) -> None:
    raise error


def walk_requirements(
    request: PythonRequest,
    nodes: Mapping[str, RequirementNode],
    *,
    unmet: Callable[[BuilderError], None] = _raise_error,
) -> dict[str, DistributionDemand]:
    """Return how each reachable node is asked for.

    A requirement that no node meets is a NoSolutionError, an extra of a root that
    does not exist a RecipeError. Each goes to `unmet`, which raises it unless the
    caller wants to hear of all of them.
    """
    walked = _RequirementWalk(nodes=nodes, unmet=unmet)
    environment = request.markers()
    for text in request.roots:
        root = recipe_requirement(text)
        if recipe_marker_holds(text, environment):
            walked.ask(RECIPE, "the recipe", text, root)
            walked.check_extras(root)
    while walked.waiting:
        name, extra = walked.waiting.pop()
        node = nodes[name]
        for text, requirement in active_requirements(node, extra, environment):
            walked.ask(name, f"{node.name} {node.version}", text, requirement)
    return walked.answers()


@dataclass(frozen=True, slots=True, kw_only=True)
class _RequirementWalk:
    """Who asked for what so far, and which (distribution, extra) is still to be looked at."""

    nodes: Mapping[str, RequirementNode]
    unmet: Callable[[BuilderError], None]
    via: dict[str, set[str]] = field(default_factory=dict)
    extras: dict[str, set[str]] = field(default_factory=dict)
    waiting: list[tuple[str, str]] = field(default_factory=list)

    def ask(self, asker: str, said_by: str, text: str, requirement: Requirement) -> None:
        """Note that `asker` has the requirement `text`; `said_by` is what messages call it."""
        name = normalized_name(requirement)
        error = _unmet_error(requirement, self.nodes, said_by, text)
        if error is not None:
            self.unmet(error)
        if name not in self.nodes:
            return
        if asker != name:
            self.via.setdefault(name, set()).add(asker)
        for extra in ("", *sorted(requirement_extras(requirement))):
            if extra not in self.extras.setdefault(name, set()):
                self.extras[name].add(extra)
                self.waiting.append((name, extra))

    def check_extras(self, root: Requirement) -> None:
        """Refuse an extra of a root that its distribution does not offer."""
        node = self.nodes.get(normalized_name(root))
        unknown = sorted(requirement_extras(root) - set(node.extras)) if node is not None else []
        if node is not None and unknown:
            offered = ", ".join(node.extras) or "none"
            self.unmet(
                RecipeError(
                    f"{node.name} {node.version} has no extra {unknown[0]!r}",
                    place=f"root {str(root)!r}",
                    hint=f"use one of its extras: {offered}",
                )
            )

    def answers(self) -> dict[str, DistributionDemand]:
        """Return how each distribution that was reached is asked for."""
        return {
            name: DistributionDemand(
                extras=tuple(sorted(self.extras[name] & set(self.nodes[name].extras))),
                via=tuple(sorted(askers)),
            )
            for name, askers in self.via.items()
        }


def requirement_extras(requirement: Requirement) -> set[str]:
    """Return the extras that a requirement asks for, normalised."""
    return {str(canonicalize_name(extra)) for extra in requirement.extras}


def _unmet_error(
    requirement: Requirement, nodes: Mapping[str, RequirementNode], asker: str, text: str
) -> NoSolutionError | None:
    """Return why no node meets a requirement, or None when one does."""
    if requirement.url is not None:
        return NoSolutionError(
            f"{asker} requires {requirement.name} from a fixed place: {text}",
            hint="choose a version whose metadata names distributions only",
        )
    node = nodes.get(normalized_name(requirement))
    if node is None:
        return NoSolutionError(f"{asker} requires {text}, and the solution has no {requirement.name}")
    if not admits(requirement.specifier, node.version):
        return NoSolutionError(f"{asker} requires {text}, and the solution has {node.name} {node.version}")
    return None
