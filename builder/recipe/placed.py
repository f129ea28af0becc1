"""Values of recipe files, each with the file and line where it is written. Pure.

Tables keep their shape, so that `joined_tables` joins those of a chain of recipes as it joins plain ones: a
value is equal to another one whatever their places are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from builder.model import ValuePath, value_lines
from builder.recipe.reading import parse_table

__all__ = ["PlacedList", "PlacedTable", "PlacedValue", "ValuePlace", "flattened", "placed_table"]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ValuePlace:
    """The line, counted from 1, of a recipe file as messages name it."""

    file: str
    line: int

    def __str__(self) -> str:
        """Return it as editors and compilers write places."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedValue:
    """A text, number or truth value of a recipe, or a list that is one value together."""

    value: str | int | bool | tuple[str, ...]
    place: ValuePlace = field(compare=False)


class PlacedList(list[Any]):
    """A list of placed values; `place` is where it begins."""

    place: ValuePlace | None = None


class PlacedTable(dict[str, Any]):
    """A table of placed values; `place` is where it begins, and None for one with a header."""

    place: ValuePlace | None = None


def placed_table(data: bytes, *, file: str) -> PlacedTable:
    """Read a recipe file; RecipeError as for `parse_table`."""
    table = parse_table(data, place=file)
    lines = value_lines(data.decode("utf-8"))
    places = {path: ValuePlace(file=file, line=line) for path, line in lines.items()}
    found: PlacedTable = _placed_value(table, (), places)
    return found


def _placed_value(value: Any, here: ValuePath, places: Mapping[ValuePath, ValuePlace]) -> Any:
    if isinstance(value, dict):
        table = PlacedTable((key, _placed_value(item, (*here, key), places)) for key, item in value.items())
        table.place = places.get(here)
        return table
    if isinstance(value, list):
        items = PlacedList(_placed_value(item, (*here, index), places) for index, item in enumerate(value))
        items.place = places.get(here)
        return items
    return PlacedValue(value=value if isinstance(value, str | int) else str(value), place=places[here])


def flattened(tree: Any, here: ValuePath = ()) -> Iterator[tuple[ValuePath, PlacedValue]]:
    """Yield each value below `tree` with its path; a step or a command is one value, as is an empty list."""
    if isinstance(tree, PlacedValue):
        yield here, tree
        return
    place = getattr(tree, "place", None)
    if place is not None and (not tree or (isinstance(tree, PlacedList) and _is_command(here))):
        yield here, PlacedValue(value=tuple(str(item.value) for item in tree), place=place)
        return
    inner = tree.items() if isinstance(tree, Mapping) else enumerate(tree)
    for key, item in inner:
        yield from flattened(item, (*here, key))


def _is_command(path: Sequence[str | int]) -> bool:
    """Whether the list at a path is the words of one program."""
    if path[-1] in ("entrypoint", "command"):
        return True
    if path[-1] == "run":
        return "checks" in path
    return len(path) > 1 and isinstance(path[-1], int) and path[-2] in ("before", "steps", "after")
