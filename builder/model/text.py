"""Text: what may stand in a recipe or a lock, and how text of others is shown on a terminal or in Markdown.

Every string of both is one line of printable text. That one rule keeps a
value from ending an instruction, a heredoc, a comment or a TOML line, and from
showing an auditor something else than what is executed.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence

__all__ = [
    "MAX_LENGTH",
    "SourceLine",
    "ascii_only",
    "check_line",
    "check_source_line",
    "counted",
    "human_size",
    "nearest_names",
    "printable",
    "shortened",
]

MAX_LENGTH = 16_384
"""Longest accepted string, in characters."""

_LONGEST_SHOWN = 60  # characters
_FORBIDDEN = {
    "Cc": "a control character",
    "Cf": "an invisible formatting character",
    "Cs": "a lone surrogate",
    "Co": "a private-use character",
    "Cn": "an unassigned character",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
}

_SIZE_UNITS = ("bytes", "KB", "MB", "GB", "TB")


_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!])")
_ESCAPED_UNDERSCORE = re.compile(r"(?<=[A-Za-z0-9])\\_(?=[A-Za-z0-9])")


def check_line(text: str) -> str:
    """Return `text` if it is one line of printable text; ValueError says which character is not."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"text of {len(text)} characters is too long (at most {MAX_LENGTH})")
    if text.isascii() and text.isprintable():
        return text
    for index, character in enumerate(text):
        why = _FORBIDDEN.get(unicodedata.category(character))
        if why:
            raise ValueError(f"{why} (U+{ord(character):04X}) at position {index} is not allowed")
    return text


class SourceLine(str):
    """One line of a source file, as a patch holds it: printable text that may also contain tabs."""

    __slots__ = ()


def check_source_line(text: str) -> str:
    """Return `text` if it is one line of printable text and tabs; ValueError says which character is not."""
    check_line(text.replace("\t", " "))
    return text


def printable(text: str) -> str:
    """Return `text` with everything escaped that `check_line` refuses: fit for a terminal, on one line."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        ascii(character)[1:-1] if unicodedata.category(character) in _FORBIDDEN else character
        for character in text
    )


def ascii_only(text: str) -> str:
    """Return `text` with everything but printable ASCII as escapes: no letter looks like another one."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(item if item.isascii() and item.isprintable() else ascii(item)[1:-1] for item in text)


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: `1 lock`, `3 locks`; `plural` is the form that no s makes."""
    return f"{number} {noun}" if number == 1 else f"{number} {plural or f'{noun}s'}"


def nearest_names(name: str, known: Collection[str], *, otherwise: str = "") -> str:
    """Return a hint for an unknown name: the nearest of `known`, else all of them.

    `otherwise` is the hint in place of all of them. Nearness is that of
    `difflib`: twice the matching characters over the length of both, at least 0.6.
    """
    near = difflib.get_close_matches(name, sorted(known), n=3)
    if near:
        return f"did you mean {' or '.join(f'`{item}`' for item in near)}?"
    return otherwise or f"known: {', '.join(sorted(known)) or 'none'}"


def shortened(text: str) -> str:
    """Return `text` in quotes, short and escaped to ASCII: for messages about hostile text."""
    return ascii(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")


def markdown_escaped(text: str) -> str:
    """Return `text` as one line that markdown shows as it is."""
    line = "".join(character if character.isprintable() else " " for character in text)
    # An underscore inside a word is not markup, and most of ours are.
    return _ESCAPED_UNDERSCORE.sub("_", _MARKUP.sub(r"\\\1", " ".join(line.split())))


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table, one line a row, without a final newline."""
    lines = [columns, ["---"] * len(columns), *rows]
    shown = (map(markdown_escaped, line) if number != 1 else line for number, line in enumerate(lines))
    return "\n".join(f"| {' | '.join(line)} |" for line in shown)


def human_size(size: int) -> str:
    """Return a number of bytes for people, in powers of a thousand: `999 bytes`, `237.5 MB`."""
    value, unit = float(size), 0
    while value >= 1000 and unit < len(_SIZE_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.{1 if unit else 0}f} {_SIZE_UNITS[unit]}"
