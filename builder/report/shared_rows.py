"""The same row in several locks: which rows stand in which set of locks. Pure.

A row is the same if `why` calls it one: kind, name, version, file and SHA-256 are equal. Many rows
share one set of locks, so a row of a page names its set, and one page lists each set once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from builder.graph import LockGraph, LockNode

__all__ = ["LockSet", "SharedRows", "shared_rows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockSet:
    """A set of locks, and how many rows are in exactly these."""

    number: int
    locks: tuple[str, ...]
    """Names of lock files, sorted."""
    rows: int

    @property
    def anchor(self) -> str:
        """The address in the page of sets."""
        return f"set-{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedRows:
    """Every set of two or more locks, and the set of each row that is in more than one lock."""

    sets: tuple[LockSet, ...]
    by_node: Mapping[LockNode, LockSet]


def shared_rows(graphs: Mapping[str, LockGraph]) -> SharedRows:
    """Return which rows of the graphs, by the names of their locks, are in which locks."""
    places: dict[LockNode, list[str]] = {}
    for name, graph in sorted(graphs.items()):
        for node in graph.askers:
            places.setdefault(node, []).append(name)
    rows: dict[tuple[str, ...], list[LockNode]] = {}
    for node, names in places.items():
        if len(names) > 1:
            rows.setdefault(tuple(names), []).append(node)
    ordered = sorted(rows.items(), key=lambda item: (-len(item[0]), item[0]))
    sets = tuple(
        LockSet(number=number, locks=names, rows=len(nodes))
        for number, (names, nodes) in enumerate(ordered, start=1)
    )
    by_node = {node: one for one, (_, nodes) in zip(sets, ordered, strict=True) for node in nodes}
    return SharedRows(sets=sets, by_node=by_node)
