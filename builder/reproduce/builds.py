"""Two builds of one thing, without cache and under other conditions, compared."""

from __future__ import annotations

__all__ = ["HOSTNAMES", "Reproduction", "Variation", "reproduce"]

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from builder.build import AnyEngine, BuildRequest, BuildStep, Built, Engine, build, read_graph, stages_for
from builder.reproduce.causes import BuildConditions
from builder.reproduce.comparison import Comparison, compare

HOSTNAMES = ("buildkitsandbox", "another-machine")
"""What the steps of the two builds see; the first is BuildKit's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """What the second build is given that the first was not."""

    hostname: str = HOSTNAMES[1]
    """What its steps see; empty where the engine gives every step another name by itself."""
    pause: float = 0.0
    """Seconds between the two."""
    engine: Engine | None = None
    """Another builder, such as one on another machine."""
    order: tuple[str, ...] = ()
    """Stages that it makes first, one after another, in this order."""
    cgroup_parent: str = ""
    """A control group of the engine's machine, such as one with a single processor."""
    processors: int | None = None
    """How many processors that group or machine has, where it is known."""

    def describe(self) -> list[str]:
        """Return what was different, in words."""
        said = [f"another host name: {self.hostname or 'one for each step'}"]
        if self.pause:
            said.append(f"{self.pause:g} s later")
        if self.engine is not None:
            said.append(f"another builder: {self.engine.builder}, {self.engine.buildkit}")
        if self.order:
            said.append(f"one after another: {', '.join(self.order)}")
        if self.cgroup_parent:
            said.append(f"in the control group {self.cgroup_parent}")
        if self.processors is not None:
            said.append(f"processors: {self.processors}")
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """What came of it."""

    comparison: Comparison
    builds: tuple[Built, ...]
    variation: Variation


def reproduce(
    engine: AnyEngine,
    request: BuildRequest,
    second: Path,
    variation: Variation,
    watched: Callable[[str], AbstractContextManager[Callable[[BuildStep], None]]],
    *,
    against: Path | None = None,
) -> Reproduction:
    """Build twice without cache, into `request.output` and `second`, and compare.

    With `against`, an image that somebody made before, there is the second build only, compared with it.
    `watched` opens the progress of a build, given its title. ToolError when a build fails.
    """
    if request.output is None:
        raise AssertionError(request.target)
    first = replace(request, cache=False, hostname=HOSTNAMES[0])
    other = replace(first, output=second, hostname=variation.hostname, cgroup_parent=variation.cgroup_parent)
    builds = []
    if against is None:
        with watched("first build") as heard:
            builds.append(build(engine, first, heard))
        time.sleep(variation.pause)
    with watched("second build") as heard:
        builds.append(_in_order(variation.engine or engine, other, variation.order, heard))
    conditions = BuildConditions(hostnames=HOSTNAMES, processors=(engine.processors, variation.processors))
    comparison = compare(against or request.output, second, conditions)
    return Reproduction(comparison=comparison, builds=tuple(builds), variation=variation)


def _in_order(
    engine: AnyEngine, request: BuildRequest, order: tuple[str, ...], heard: Callable[[BuildStep], None]
) -> Built:
    """Make some stages one after another and then the whole; each stage is made once, without cache."""
    if not order:
        return build(engine, request, heard)
    graph = read_graph(request.dockerfile)
    arches = tuple(platform.partition("/")[2] for platform in request.platforms)
    waiting = set(stages_for(graph, request.target, arches))
    parts = []
    for stage in (*order, request.target):
        now = waiting & set(stages_for(graph, stage, arches))
        waiting -= now
        last = stage == request.target
        part = replace(
            request,
            target=stage,
            cache=True,
            again=tuple(sorted(now)),
            output=request.output if last else None,
        )
        parts.append(build(engine, part, heard))
    return Built(
        seconds=round(sum(part.seconds for part in parts), 1),
        steps=tuple(step for part in parts for step in part.steps),
    )
