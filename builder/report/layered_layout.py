"""A layered layout of a directed graph: columns by distance, order by barycentres (Sugiyama). Pure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

__all__ = ["layered"]

Node = TypeVar("Node", bound=Hashable)

_SWEEPS = 4


def layered(edges: Mapping[Node, Sequence[Node]]) -> tuple[tuple[Node, ...], ...]:
    """Return the nodes in columns from the left: each stands left of all that it leads to.

    `edges` has every node with those it leads to; where it has a circle, one edge of it is not kept to
    this rule. The order within columns follows from that of `edges` alone.
    """
    distance: dict[Node, int] = {}
    for node in edges:
        _measured_distance(node, edges, distance, [])
    columns: list[list[Node]] = [[] for _ in range(max(distance.values(), default=-1) + 1)]
    for node in edges:
        columns[len(columns) - 1 - distance[node]].append(node)
    arriving: dict[Node, list[Node]] = {node: [] for node in edges}
    for node, targets in edges.items():
        for target in targets:
            arriving[target].append(node)
    for sweep in range(_SWEEPS):
        neighbours = arriving if sweep % 2 else edges
        _order_columns(columns, neighbours)
    return tuple(map(tuple, columns))


def _measured_distance(
    node: Node, edges: Mapping[Node, Sequence[Node]], distance: dict[Node, int], path: list[Node]
) -> int:
    """Return the length of the longest way from a node to an end; an edge back into `path` counts nothing."""
    if node in distance:
        return distance[node]
    path.append(node)
    ways = [_measured_distance(one, edges, distance, path) + 1 for one in edges[node] if one not in path]
    path.pop()
    distance[node] = max(ways, default=0)
    return distance[node]


def _order_columns(columns: list[list[Node]], neighbours: Mapping[Node, Sequence[Node]]) -> None:
    """Order each column by the mean place of its neighbours; who has none keeps its place."""
    place = {node: index / len(column) for column in columns for index, node in enumerate(column)}

    def barycentre(node: Node) -> float:
        near = [place[one] for one in neighbours[node]]
        return sum(near) / len(near) if near else place[node]

    for column in columns:
        column.sort(key=barycentre)
        place.update((node, index / len(column)) for index, node in enumerate(column))
