"""Values that try to become something else, and locks in which any one text is replaced by such a value."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from hypothesis import strategies as st

Path = tuple[str | int, ...]

SNIPPETS = (
    "\n", "\r", "\r\n", "\x00", "\t", "\x0b", "\x0c", "\x1b[2K", "\x85", "\u2028", "\u2029", "\u202e", "\u200b",
    "\ud800", "\ufeff", "'", '"', "'\"'\"'", "\\", "\\\n", "\\\\", "$", "$(id)", "`id`", "${PATH}", "$$", "\\$",
    "<<EOF", "<<'EOF'", "<<-EOF", "EOF", "EOF\n", "EOF2", "\nEOF\nRUN id\n", "\nRUN id", "\nFROM evil:latest\n",
    "# syntax=evil/image", "syntax=evil/image", "syntax=evil", "# escape=`", "escape=`", "# check=skip=all", "#", "# ",
    " AS evil", "scratch", ":latest", "@sha256:", "store", "runtime-x86_64", "--network=host", "--mount=type=ssh",
    "--from=evil", ",", ",source=/", "=", ";", "&", "&&", "|", "||", ">", "<", "*", "?", "[a]", "~", "!", "{}",
    "{jobs}", "{version}", "{prefix:ucx}", "{", "}", "../../etc", "/", "//", ".", "..", "-", "--", " ", "  ",
    "https://evil.invalid/x.git", "http://a:b@evil.invalid/", "%0A", "%", "%{", "\u00e9", "\u4e2d", "\U0001f600",
)  # fmt: skip

LONG = ("a" * 1_000_000, "'" * 16_384, "\\" * 16_384, "{jobs}" * 2_000)
"""The first is too long for a lock, the others just fit."""


def texts() -> st.SearchStrategy[str]:
    """Return hostile texts: snippets joined with anything."""
    anything = st.text(st.characters(exclude_categories=()), max_size=8)
    mixed = st.lists(st.one_of(st.sampled_from(SNIPPETS), anything), min_size=1, max_size=5).map("".join)
    return st.one_of(mixed, mixed, st.sampled_from(SNIPPETS), st.sampled_from(LONG))


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every text in a value made of dataclasses, tuples and texts."""
    if isinstance(value, StrEnum):  # no text: Arch and Evidence have no other values
        return
    if isinstance(value, str):
        yield path
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from leaves(getattr(value, field.name), (*path, field.name))
    elif isinstance(value, tuple | list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))


def replaced(value: Any, path: Path, text: str) -> Any:
    """Return `value` with the text at `path` replaced, past every check of the types."""
    if not path:
        return text
    step, rest = path[0], path[1:]
    if isinstance(value, dict):
        return {key: replaced(item, rest, text) if key == step else item for key, item in value.items()}
    if isinstance(value, list):
        return [replaced(item, rest, text) if at == step else item for at, item in enumerate(value)]
    if isinstance(value, tuple):
        items = [replaced(item, rest, text) if at == step else item for at, item in enumerate(value)]
        return tuple.__new__(type(value), items)
    return dataclasses.replace(value, **{str(step): replaced(getattr(value, str(step)), rest, text)})
