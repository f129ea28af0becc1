"""A treemap: rectangles whose areas are sizes, nearly square (Bruls, Huizing, van Wijk: squarified). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Rectangle", "squarified"]


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A place in a picture, in its units."""

    x: float
    y: float
    width: float
    height: float


def squarified(sizes: Sequence[int], width: float, height: float) -> tuple[Rectangle, ...]:
    """Return a rectangle for each size, in their order; `sizes` are positive and fall.

    Rows are filled along the shorter side as long as their worst ratio of sides gets better.
    """
    total = sum(sizes)
    if not total:
        return ()
    areas = [size * width * height / total for size in sizes]
    found: list[Rectangle] = []
    free = Rectangle(0, 0, width, height)
    row: list[float] = []
    for area in areas:
        side = min(free.width, free.height)
        if row and _worst_ratio([*row, area], side) > _worst_ratio(row, side):
            found.extend(_row_rectangles(row, free))
            free = _free_rest(sum(row), free)
            row = []
        row.append(area)
    found.extend(_row_rectangles(row, free))
    return tuple(found)


def _worst_ratio(row: Sequence[float], side: float) -> float:
    total = sum(row)
    return max(side * side * max(row) / total**2, total**2 / (side * side * min(row)))


def _row_rectangles(row: Sequence[float], free: Rectangle) -> Iterator[Rectangle]:
    """Yield the rectangles of a row along the shorter side of what is free."""
    total, offset = sum(row), 0.0
    for area in row:
        share = area / total
        if free.width >= free.height:
            length = free.height * share
            yield Rectangle(free.x, free.y + offset, total / free.height, length)
        else:
            length = free.width * share
            yield Rectangle(free.x + offset, free.y, length, total / free.width)
        offset += length


def _free_rest(used: float, free: Rectangle) -> Rectangle:
    if free.width >= free.height:
        taken = used / free.height
        return Rectangle(free.x + taken, free.y, max(free.width - taken, 1e-6), free.height)
    taken = used / free.width
    return Rectangle(free.x, free.y + taken, free.width, max(free.height - taken, 1e-6))
