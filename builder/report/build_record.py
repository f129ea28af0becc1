"""Records of builds, as `build` and `reproduce` write them beside an image: what ran, and when. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from builder.errors import UsageError
from builder.json_text import parse_json

__all__ = ["BuildRecord", "RecordedStage", "read_build_records"]

_MOST_ROWS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedStage:
    """One row of a timeline; seconds from the first reported beginning."""

    kind: str
    name: str
    began: float
    ended: float
    seconds: float
    """At which at least one of its steps ran."""
    share: float
    """Its part of the build's time."""
    ran: int | None
    """How many of its RUN steps ran and were not cached; None for what is not a stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRecord:
    """One build."""

    name: str
    engine: str
    seconds: float
    stages: tuple[RecordedStage, ...]
    unseen: tuple[str, ...]
    """Stages of which no step ran: all of them came from the cache."""
    idle: float
    """Seconds at which nothing was reported."""


def read_build_records(data: bytes, *, place: str) -> tuple[BuildRecord, ...]:
    """Read a record: one build of `build`, or those of `reproduce` (UsageError for anything else)."""
    try:
        value = parse_json(data)
        engine = ", ".join(f"{name} {version}" for name, version in value["engine"].items())
        timelines, stages, seconds = value["timeline"], value["stages"], value["seconds"]
        if not isinstance(seconds, list):
            return (_build_record(place, engine, seconds, timelines, stages),)
        return tuple(
            _build_record(f"{place}, build {number}", engine, *parts)
            for number, parts in enumerate(zip(seconds, timelines, stages, strict=True), start=1)
        )
    except (ValueError, KeyError, TypeError, AttributeError) as cause:
        raise UsageError(
            "is not a record of a build with its timeline",
            place=place,
            hint="name runtime.json or reproduce.json beside an image that BuildKit built",
        ) from cause


def _build_record(name: str, engine: str, seconds: Any, timeline: Any, stages: Any) -> BuildRecord:
    if len(timeline) > _MOST_ROWS:
        raise ValueError("too many rows")
    ran = {str(row["stage"]): int(row["ran"]) for row in stages}
    rows = tuple(
        RecordedStage(
            kind=str(row["kind"]),
            name=str(row["name"]),
            began=float(row["began"]),
            ended=float(row["ended"]),
            seconds=float(row["seconds"]),
            share=float(row["share"]),
            ran=ran.get(str(row["name"])),
        )
        for row in timeline
        if "began" in row
    )
    idle = sum(float(row["seconds"]) for row in timeline if "began" not in row)
    if any(not 0 <= row.began <= row.ended <= 1e7 for row in rows):
        raise ValueError("a row that ends before it begins")
    unseen = tuple(name for name in ran if name not in {row.name for row in rows})
    return BuildRecord(
        unseen=unseen,
        name=name,
        engine=engine,
        seconds=float(seconds),
        stages=rows,
        idle=idle,
    )
