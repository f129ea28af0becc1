"""Markdown tables of text that others wrote: no cell can end its row or become markup. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

__all__ = ["escaped", "markdown_table"]

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!])")
_WORDS = re.compile(r"(?<=[A-Za-z0-9])\\_(?=[A-Za-z0-9])")


def escaped(text: str) -> str:
    """Return `text` as one line that markdown shows as it is."""
    line = "".join(character if character.isprintable() else " " for character in text)
    # An underscore inside a word is no markup, and most of ours are.
    return _WORDS.sub("_", _MARKUP.sub(r"\\\1", " ".join(line.split())))


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table, one line a row, without a final newline."""
    lines = [columns, ["---"] * len(columns), *rows]
    shown = (map(escaped, line) if number != 1 else line for number, line in enumerate(lines))
    return "\n".join(f"| {' | '.join(line)} |" for line in shown)
