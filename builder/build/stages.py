"""The progress of a build in stages of its Dockerfile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from builder.build.events import BuildStep
from builder.build.request import BuildRequest
from builder.build.stage_graph import read_graph, stages_for
from builder.build.timeline import seconds_of_intervals
from builder.console import Steps
from builder.project import Project

__all__ = ["stage_progress"]


@contextmanager
def stage_progress(
    project: Project, request: BuildRequest, title: str
) -> Iterator[Callable[[BuildStep], None]]:
    """Show stage_progress in stages while the engine builds."""
    graph = read_graph(request.dockerfile)
    arches = tuple(platform.partition("/")[2] for platform in request.platforms)
    expected = {
        name: graph[name].steps for name in stages_for(graph, request.target, arches) if graph[name].steps
    }
    with project.console.steps(title, len(expected)) as steps:
        yield _StageProgress(steps, expected).heard


class _StageProgress:
    """Notices when a stage is complete. BuildKit counts the parts of one instruction under one number."""

    def __init__(self, steps: Steps, expected: dict[str, int]) -> None:
        self._steps = steps
        self._expected = expected
        self._done: dict[str, dict[str, BuildStep]] = {}
        self._said: set[str] = set()

    def heard(self, step: BuildStep) -> None:
        """Take a step's news; say when it was the last of its stage."""
        if not step.done or step.error or step.stage not in self._expected or step.stage in self._said:
            return
        done = self._done.setdefault(step.stage, {})
        done[step.digest] = step
        if len({one.number for one in done.values()}) == self._expected[step.stage]:
            self._said.add(step.stage)
            seconds = seconds_of_intervals(span for one in done.values() for span in one.intervals)
            self._steps.done(f"{step.stage}: {f'{seconds:.1f} s' if seconds >= 0.1 else 'cached'}")
