"""Tables as the templates draw them: columns, rows with an address, cells with a link and notes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from builder.model import human_size

__all__ = ["Anchors", "ReportTable", "TableCell", "TableColumn", "TableRow", "size_cell", "text_row"]

_LONGEST_ANCHOR = 80  # characters


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column; `choice` offers its values as a filter, `number` sorts it by the values of its cells."""

    title: str
    choice: bool = False
    number: bool = False


@dataclass(frozen=True, slots=True)
class TableCell:
    """A text with what belongs to it."""

    text: str
    link: str = ""
    """An address relative to the page, already encoded."""
    notes: tuple[str, ...] = ()
    """Small lines below the text: file names and digests."""
    value: int | None = None
    """What a column of numbers is sorted by."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row; the first cell names it, and `anchor` is its address in the page."""

    cells: tuple[TableCell, ...]
    anchor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTable:
    """A table with its caption."""

    name: str
    """The address of the table in the page."""
    caption: str
    columns: tuple[TableColumn, ...]
    rows: tuple[TableRow, ...]
    empty: str = "None."
    """What stands in place of a table without rows."""


class Anchors:
    """Addresses within one page: each is given out once."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()

    def of(self, kind: str, name: str) -> str:
        """Return the address of a thing, such as `python-torch`; the second of one name ends in `-2`."""
        base = f"{kind}-{''.join(map(_anchor_letter, name[:_LONGEST_ANCHOR]))}"
        self._used[base] += 1
        count = self._used[base]
        return base if count == 1 else f"{base}-{count}"


def _anchor_letter(letter: str) -> str:
    return letter if letter.isascii() and (letter.isalnum() or letter in "._+") else "-"


def size_cell(size: int | None) -> TableCell:
    """Return a cell with a number of bytes for people; empty if the lock does not state it."""
    return TableCell(human_size(size) if size is not None else "", value=size if size is not None else -1)


def text_row(*texts: str | TableCell, anchor: str = "") -> TableRow:
    """Return a row of plain texts and cells."""
    return TableRow(_table_cells(texts), anchor)


def _table_cells(texts: Iterable[str | TableCell]) -> tuple[TableCell, ...]:
    return tuple(TableCell(text) if isinstance(text, str) else text for text in texts)
