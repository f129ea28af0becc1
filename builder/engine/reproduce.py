"""Two builds of one thing, without cache and under other conditions, compared."""

from __future__ import annotations

__all__ = ["HOSTNAMES", "Reproduction", "Variation", "reproduce"]

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from builder.engine.buildkit import Built, Request, build
from builder.engine.causes import Conditions
from builder.engine.compare import Comparison, compare
from builder.engine.docker import Engine
from builder.engine.events import Step

HOSTNAMES = ("buildkitsandbox", "another-machine")
"""What the steps of the two builds see; the first is BuildKit's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """What the second build is given that the first was not."""

    pause: float = 0.0
    """Seconds between the two."""
    engine: Engine | None = None
    """Another builder, such as one on another machine."""
    cgroup_parent: str = ""
    """A control group of the engine's machine, such as one with a single processor."""
    processors: int | None = None
    """How many processors that group or machine has, where it is known."""

    def describe(self) -> list[str]:
        """Return what was different, in words."""
        said = [f"another host name: {HOSTNAMES[1]}", f"{self.pause:g} s later"]
        if self.engine is not None:
            said.append(f"another builder: {self.engine.builder}, {self.engine.buildkit}")
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
    engine: Engine,
    request: Request,
    second: Path,
    variation: Variation,
    watched: Callable[[str], AbstractContextManager[Callable[[Step], None]]],
) -> Reproduction:
    """Build twice without cache, into `request.output` and `second`, and compare.

    `watched` opens the progress of a build, given its title. ToolError when a build fails.
    """
    if request.output is None:
        raise AssertionError(request.target)
    first = replace(request, cache=False, hostname=HOSTNAMES[0])
    other = replace(first, output=second, hostname=HOSTNAMES[1], cgroup_parent=variation.cgroup_parent)
    with watched("first build") as heard:
        builds = [build(engine, first, heard)]
    time.sleep(variation.pause)
    with watched("second build") as heard:
        builds.append(build(variation.engine or engine, other, heard))
    conditions = Conditions(hostnames=HOSTNAMES, processors=(engine.processors, variation.processors))
    comparison = compare(request.output, second, conditions)
    return Reproduction(comparison=comparison, builds=tuple(builds), variation=variation)
