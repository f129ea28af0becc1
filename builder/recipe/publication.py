"""The page of what each release publishes itself. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from builder.recipe.published import Published, PublishedKind
from builder.recipe.recipe import Release

__all__ = ["published_page"]

_HEAD = """\
# What does each release publish itself?

Generated from `recipes/releases` by `scripts/maintenance/generate`; do not edit.
Locks do not use images, charts and crates; they are listed so that you can compare them with what you deploy.
Each digest has its evidence; a missing digest has its reason instead.
"""


def published_page(releases: Iterable[Release]) -> str:
    """Return the page as markdown: newest release first, by kind and name."""
    ordered = sorted(releases, key=lambda release: release.date, reverse=True)
    return "\n".join([_HEAD, *(line for release in ordered for line in _section(release))])


def _section(release: Release) -> Iterator[str]:
    yield f"## {release.version}\n"
    yield "| kind | name | sha256 | evidence |\n|---|---|---|---|"
    kinds = list(PublishedKind)
    rows = sorted(release.published, key=lambda row: (kinds.index(PublishedKind(row.kind)), row.name))
    yield from map(_row, rows)
    yield ""


def _row(row: Published) -> str:
    if row.sha256 is None:
        return f"| {row.kind} | `{row.name}` | absent: {row.absent} | |"
    evidence = f"{row.evidence}, {row.by}" if row.by else f"{row.evidence}"
    return f"| {row.kind} | `{row.name}` | `{row.sha256}` | {evidence} |"
