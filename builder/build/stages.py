"""The progress of a build in stages of its Dockerfile, and what became of each stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from builder.build.events import BuildStep
from builder.build.request import BuildRequest, Built
from builder.build.stage_graph import read_graph, stages_for
from builder.console import Steps
from builder.project import Project

__all__ = ["stage_progress", "stage_rows"]


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
            seconds = _seconds_of_steps(list(done.values()))
            self._steps.done(f"{step.stage}: {f'{seconds:.1f} s' if seconds >= 0.1 else 'cached'}")


def stage_rows(built: Built, dockerfile: str) -> list[dict[str, object]]:
    """Return each stage: its instructions, how many of its RUN were run and not cached, and its seconds."""
    graph = read_graph(dockerfile)  # what several builds share, BuildKit may call by another build's name
    stages: dict[str, list[BuildStep]] = {}
    for step in built.steps:
        if step.stage in graph:
            stages.setdefault(step.stage, []).append(step)
    return [
        {
            "stage": name,
            "steps": graph[name].steps,
            "ran": len({one.number for one in steps if one.what.startswith("RUN") and not one.cached}),
            "seconds": _seconds_of_steps(steps),
        }
        for name, steps in stages.items()
    ]


def _seconds_of_steps(steps: list[BuildStep]) -> float:
    """Return the seconds from the first beginning to the last end of what was not cached."""
    made = [step for step in steps if step.done and not step.cached]
    return round(max(step.ended for step in made) - min(step.began for step in made), 2) if made else 0.0
