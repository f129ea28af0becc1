"""The timeline of a build: what ran when, and how its seconds add up.

A step is announced when BuildKit learns of it and runs when its inputs are there. What counts is
when it ran: a stage whose first COPY ran at once and whose last RUN waited twenty minutes for a
component ran for the seconds of these two. Stages run beside each other, so their seconds do not
add up to those of the build. The shares do: a moment at which n rows ran counts 1/n for each of
them, and a moment at which nothing ran has a row of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from builder.build.events import BuildStep
from builder.build.request import Built
from builder.build.stage_graph import read_graph

__all__ = ["TimelineKind", "seconds_of_intervals", "stage_rows", "timeline_rows"]

Interval = tuple[float, float]
"""Beginning and end, in seconds."""

_EXPORT = ("exporting ", "sending tarball", "rewriting layers", "importing to docker")
_CONTEXT = ("load from client", "load build context", ".dockerignore", "transferring ", "local://")


class TimelineKind(StrEnum):
    """What a row of the timeline is about."""

    STAGE = "stage"
    """A stage of the Dockerfile."""
    CONTEXT = "context transfer"
    """Files of the build context on their way to the engine."""
    EXPORT = "export"
    """The image being written: layers compressed, times rewritten, the file sent back."""
    ENGINE = "engine"
    """What else the engine reports by itself, such as reading the Dockerfile."""
    IDLE = "nothing reported"
    """Moments at which no step was reported: the engine solves, waits, or clears up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _TimelineSpans:
    """The intervals of one row."""

    kind: TimelineKind
    name: str
    spans: tuple[Interval, ...]


def stage_rows(built: Built, dockerfile: str) -> list[dict[str, object]]:
    """Return each stage: its instructions, how many of its RUN were run and not cached, and its seconds.

    `seconds` are those at which at least one of its steps ran.
    """
    graph = read_graph(dockerfile)  # what several builds share, BuildKit may call by another build's name
    return [
        {
            "stage": name,
            "steps": graph[name].steps,
            "ran": len({one.number for one in steps if one.what.startswith("RUN") and not one.cached}),
            "seconds": seconds_of_intervals(span for one in steps for span in one.intervals),
        }
        for name, steps in _steps_by_stage(built.steps).items()
        if name in graph
    ]


def timeline_rows(built: Built, dockerfile: str) -> list[dict[str, object]]:
    """Return what ran, in the order of beginning: kind, name, seconds from the first beginning, and share.

    `began` and `ended` are seconds after the first reported beginning, `seconds` those at which it
    ran. The shares of all rows add up to the seconds of the build; the last row has what is left.
    """
    rows = [row for row in _timeline_spans(built.steps, set(read_graph(dockerfile))) if row.spans]
    rows.sort(key=lambda row: (min(row.spans), row.kind, row.name))
    first = min((began for row in rows for began, _ in row.spans), default=0.0)
    shares = _shares_of_time([row.spans for row in rows])
    found: list[dict[str, object]] = [
        {
            "kind": str(row.kind),
            "name": row.name,
            "began": round(min(began for began, _ in row.spans) - first, 2),
            "ended": round(max(ended for _, ended in row.spans) - first, 2),
            "seconds": seconds_of_intervals(row.spans),
            "share": share,
        }
        for row, share in zip(rows, shares, strict=True)
    ]
    idle = round(built.seconds - sum(shares), 2)
    return [*found, {"kind": str(TimelineKind.IDLE), "name": "", "seconds": idle, "share": idle}]


def seconds_of_intervals(intervals: Iterable[Interval]) -> float:
    """Return the seconds that lie in at least one interval."""
    total, reached = 0.0, float("-inf")
    for began, ended in sorted(intervals):
        total += max(0.0, ended - max(began, reached))
        reached = max(reached, ended)
    return round(total, 2)


def _steps_by_stage(steps: Iterable[BuildStep]) -> Mapping[str, list[BuildStep]]:
    found: dict[str, list[BuildStep]] = {}
    for step in steps:
        found.setdefault(step.stage, []).append(step)
    return found


def _timeline_spans(steps: Iterable[BuildStep], stages: set[str]) -> list[_TimelineSpans]:
    found: dict[tuple[TimelineKind, str], list[Interval]] = {}
    for step in steps:
        key = (TimelineKind.STAGE, step.stage) if step.stage in stages else (_kind_of_own_step(step), "")
        found.setdefault(key, []).extend(step.intervals)
    return [_TimelineSpans(kind=kind, name=name, spans=tuple(spans)) for (kind, name), spans in found.items()]


def _kind_of_own_step(step: BuildStep) -> TimelineKind:
    """Return what a step is that belongs to no stage of this Dockerfile, by BuildKit's name for it."""
    if step.what.startswith(_EXPORT):
        return TimelineKind.EXPORT
    if any(word in step.what for word in _CONTEXT):
        return TimelineKind.CONTEXT
    return TimelineKind.ENGINE


def _shares_of_time(rows: list[tuple[Interval, ...]]) -> list[float]:
    """Return each row's part of the time: a moment counts 1/n for each of the n rows that run then."""
    moments = sorted({moment for spans in rows for span in spans for moment in span})
    shares = [0.0] * len(rows)
    for began, ended in pairwise(moments):
        running = [
            index
            for index, spans in enumerate(rows)
            if any(start <= began and ended <= end for start, end in spans)
        ]
        for index in running:
            shares[index] += (ended - began) / len(running)
    return [round(share, 2) for share in shares]
