"""The pictures of a lock's page: what it is built from, and where its bytes are. Pure.

Both are drawn from values of the lock, and each box leads to its row, which says the same in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from builder.graph import RECIPE_NODE, LockGraph, LockNode, NodeKind, node_of
from builder.lockfile import BASE, RUNTIME, Lock
from builder.model import counted, human_size
from builder.report.layered_layout import layered
from builder.report.treemap import squarified

__all__ = ["GraphPicture", "PictureBox", "PictureLine", "SizePicture", "graph_picture", "size_picture"]

_BOX, _GAP, _ROW, _HEIGHT = 170, 60, 34, 24
_FEWEST_LETTERS = 4
_MOST_NODES = 300
"""A graph of more boxes is not drawn: nobody could read it, and a hostile lock may have any number."""
_LETTERS = 24
"""So many letters of a name fit into a box."""
_SIZE_WIDTH, _SIZE_HEIGHT = 1000, 420
_MOST_BOXES = 60
_KINDS = (NodeKind.BUILD, NodeKind.SOURCE, NodeKind.SUBMODULE, NodeKind.ARCHIVE, NodeKind.IMAGE)
_LETTER_WIDTH, _LINE_HEIGHT = 7.5, 18


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureBox:
    """A rectangle with a text; `title` is shown when it is pointed at and read aloud."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    text: str
    title: str
    link: str


@dataclass(frozen=True, slots=True)
class PictureLine:
    """A line from the right side of one box to the left side of another."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def middle(self) -> float:
        """Where the curve turns."""
        return (self.x1 + self.x2) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphPicture:
    """Builds, their inputs, and the image."""

    width: float
    height: float
    boxes: tuple[PictureBox, ...]
    lines: tuple[PictureLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SizePicture:
    """The files of what is in the image, by size."""

    boxes: tuple[PictureBox, ...]
    files: int
    total: str
    unknown: int
    """How many rows state no size."""


def graph_picture(lock: Lock, graph: LockGraph, anchors: Mapping[LockNode, str]) -> GraphPicture | None:
    """Return the graph of builds, sources, archives and images, as `why` knows their edges.

    None if it has more than 300 boxes.
    """
    made = {node_of(row) for row in lock.python if row.build}
    shown = [node for node in graph.askers if node.kind in _KINDS or node in made]
    if len(shown) > _MOST_NODES:
        return None
    edges: dict[LockNode, list[LockNode]] = {}
    for node in shown:
        askers = [one for one in graph.askers[node] if one in made or one.kind in _KINDS]
        edges[node] = askers or [RECIPE_NODE]
    for summary in _summary_nodes(lock):
        edges[summary] = [RECIPE_NODE]
    edges[RECIPE_NODE] = []
    columns = layered(edges)
    rows = max(map(len, columns))
    places: dict[LockNode, tuple[float, float]] = {}
    for number, column in enumerate(columns):
        top = (rows - len(column)) * _ROW / 2
        for index, node in enumerate(column):
            places[node] = (number * (_BOX + _GAP), top + index * _ROW)
    return GraphPicture(
        width=len(columns) * (_BOX + _GAP) - _GAP,
        height=rows * _ROW,
        boxes=tuple(_graph_box(node, *places[node], lock, anchors) for node in places),
        lines=tuple(
            PictureLine(
                places[node][0] + _BOX,
                places[node][1] + _HEIGHT / 2,
                places[target][0],
                places[target][1] + _HEIGHT / 2,
            )
            for node, targets in edges.items()
            for target in targets
        ),
    )


def _cut_name(name: str, letters: int) -> str:
    return name if len(name) <= letters else f"{name[: letters - 1]}…"


def _summary_nodes(lock: Lock) -> Iterator[LockNode]:
    """Yield a box for the distributions and packages that are too many for one each."""
    wheels = sum(not row.build for row in lock.python)
    if wheels:
        yield LockNode(kind=NodeKind.PYTHON, name=counted(wheels, "Python wheel"))
    if lock.os_packages:
        yield LockNode(kind=NodeKind.OS_PACKAGE, name=counted(len(lock.os_packages), "OS package"))


def _graph_box(node: LockNode, x: float, y: float, lock: Lock, anchors: Mapping[LockNode, str]) -> PictureBox:
    steps = {row.component: len(row.steps) for row in lock.builds}
    name, said = node.name, f"{node.kind.value} {node.name} {node.version}".rstrip()
    anchor = anchors.get(node, "")
    if node == RECIPE_NODE:
        name = said = f"image {lock.framework}"
    elif node.kind is NodeKind.BUILD:
        said = f"{said}: {counted(steps.get(node.name, 0), 'step')}"
    elif node.kind in (NodeKind.PYTHON, NodeKind.OS_PACKAGE) and not anchor:
        said = name
        anchor = "python" if node.kind is NodeKind.PYTHON else "os"
    return PictureBox(
        kind=node.kind.value,
        x=x,
        y=y,
        width=_BOX,
        height=_HEIGHT,
        text=_cut_name(name, _LETTERS),
        title=said,
        link=f"#{anchor}" if anchor else "",
    )


def size_picture(lock: Lock, anchors: Mapping[LockNode, str]) -> SizePicture:
    """Return the downloaded files of what is in the image, the largest first, the small ones together."""
    rows = [row for row in lock.python if RUNTIME in row.for_ and row.sha256]
    packages = [row for row in lock.os_packages if {RUNTIME, BASE} & set(row.for_)]
    sized = [(row.size, node_of(row)) for row in rows if row.size]
    sized += [(row.size, node_of(row)) for row in packages if row.size]
    sized.sort(key=lambda item: (-item[0], item[1]))
    large, small = sized[:_MOST_BOXES], sized[_MOST_BOXES:]
    entries = [
        (size, node.kind.value, node.name, f"{node.name} {node.version}", anchors.get(node, ""))
        for size, node in large
    ]
    if rest := sum(size for size, _ in small):
        entries.append((rest, "rest", "smaller", counted(len(small), "smaller file"), ""))
        entries.sort(key=lambda item: -item[0])
    places = squarified([entry[0] for entry in entries], _SIZE_WIDTH, _SIZE_HEIGHT)
    boxes = []
    for (size, kind, name, said, anchor), place in zip(entries, places, strict=True):
        letters = int((place.width - 6) / _LETTER_WIDTH) if place.height > _LINE_HEIGHT else 0
        boxes.append(
            PictureBox(
                kind=kind,
                x=round(place.x, 1),
                y=round(place.y, 1),
                width=round(place.width, 1),
                height=round(place.height, 1),
                text=_cut_name(name, letters) if letters > _FEWEST_LETTERS else "",
                title=f"{said}: {human_size(size)}",
                link=f"#{anchor}" if anchor else "",
            )
        )
    return SizePicture(
        boxes=tuple(boxes),
        files=len(sized),
        total=human_size(sum(size for size, _ in sized)),
        unknown=len(rows) + len(packages) - len(sized),
    )
