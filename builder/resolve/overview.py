"""Which targets are locked and which are refused, as a table for people. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from builder.model.recipe import Release
from builder.model.target import Target
from builder.resolve.library import Library

__all__ = ["overview"]

_Row = tuple[str, str, str, str, str]


def overview(library: Library, locked: Iterable[Target]) -> str:
    """Return a markdown table: one line for each framework and platform of each release, newest first."""
    have = frozenset(locked)
    lines = ["| release | framework | platform | architectures | |", "|---|---|---|---|---|"]
    ordered = sorted(library.releases.values(), key=lambda release: release.date, reverse=True)
    for release in ordered:
        rows = sorted(
            (*_locked(release, have), *_refused(release)), key=lambda row: (row[1], row[4] != "", row[2])
        )
        lines += [f"| {' | '.join(row)} |" for row in _merged(rows)]
    return "\n".join(lines)


def _locked(release: Release, have: frozenset[Target]) -> Iterator[_Row]:
    for row in release.targets:
        for platform in row.platforms:
            targets = [
                Target(release=release.version, platform=platform, framework=row.framework, arch=arch)
                for arch in row.arches
            ]
            done = [target.arch.value for target in targets if target in have]
            missing = [target.arch.value for target in targets if target not in have]
            if done:
                yield release.version, row.framework, platform, ", ".join(done), ""
            if missing:
                yield release.version, row.framework, platform, ", ".join(missing), "not locked yet"


def _refused(release: Release) -> Iterator[_Row]:
    for row in release.refused:
        trap = f" ({row.trap})" if row.trap else ""
        arches = ", ".join(arch.value for arch in row.arches)
        yield release.version, row.framework, ", ".join(row.platforms), arches, f"refused{trap}: {row.reason}"


def _merged(rows: Iterable[_Row]) -> Iterator[_Row]:
    """Join rows that differ in their platform only."""
    for _, group in groupby(rows, key=lambda row: (row[0], row[1], row[3], row[4])):
        first, *others = group
        platforms = ", ".join((first[2], *(row[2] for row in others)))
        yield first[0], first[1], platforms, first[3], first[4] or "locked"
