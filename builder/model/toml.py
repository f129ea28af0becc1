"""TOML in and out: strict reading, one canonical form for writing.

Canonical form: keys in the order given; plain values before tables; a list on
one line where it fits, else one element a line; tables inside lists of plain
values are written inline; one line feed at each line's end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import tomli

from builder.errors import BuilderError

__all__ = ["dumps", "loads"]

_WIDTH = 110
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_MOST_BITS = 63  # and a sign
_MAX_BYTES = 64 * 1024 * 1024


def loads(data: bytes, *, place: str, error: type[BuilderError]) -> dict[str, Any]:
    """Parse `data`; anything but TOML in UTF-8 is an `error` at `place`."""
    if len(data) > _MAX_BYTES:
        raise error(f"{len(data)} bytes are too many for a TOML file", place=place)
    try:
        table = tomli.loads(data.decode("utf-8"))
        _check_integers(table)
    except UnicodeDecodeError as problem:
        raise error(f"byte {problem.start} is not UTF-8", place=place) from None
    except tomli.TOMLDecodeError as problem:
        raise error(f"not TOML: {problem}", place=place) from None
    except RecursionError:
        raise error("not TOML: nested too deeply", place=place) from None
    except (ValueError, OverflowError) as problem:  # a number or a date that Python cannot hold
        raise error(f"not TOML: {problem}", place=place) from None
    return table


def _check_integers(value: object) -> None:
    """Raise ValueError for an integer beyond 64 bits: TOML has none, and Python cannot print the largest."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, int) and item.bit_length() > _MOST_BITS:
            raise ValueError(f"a number of {item.bit_length()} bits, and TOML has 64")


def dumps(table: Mapping[str, Any]) -> str:
    """Return `table` in canonical form; values are texts, whole numbers, booleans, lists and tables."""
    lines: list[str] = []
    _add_table(lines, "", table)
    return "\n".join(lines).lstrip("\n") + "\n"


def _add_table(lines: list[str], path: str, table: Mapping[str, Any]) -> None:
    sections = []
    for key, value in table.items():
        if _is_section(value):
            sections.append((f"{path}{_key_text(key)}", value))
        else:
            lines.append(_pair_text(key, value))
    for name, value in sections:
        if isinstance(value, Mapping):
            lines += ("", f"[{name}]")
            _add_table(lines, f"{name}.", value)
        else:
            for row in value:
                # What is nested in a row stays inline, so that a row is a block.
                lines += ("", f"[[{name}]]")
                lines += [_pair_text(key, item) for key, item in row.items()]


def _pair_text(key: str, value: object) -> str:
    text = _quoted_text(value) if type(value) is str else _wrapped_value(value, len(key) + 3, "")
    return f"{_key_text(key)} = {text}"


def _is_section(value: object) -> bool:
    if type(value) is str:
        return False
    if isinstance(value, Mapping):
        return True
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _wrapped_value(value: object, used: int, margin: str) -> str:
    """Write a value on one line where it fits, else a list with a line an element."""
    line = _inline_value(value)
    if not isinstance(value, list) or used + len(line) <= _WIDTH:
        return line
    deeper = f"{margin}  "
    return (
        "[\n"
        + "".join(f"{deeper}{_wrapped_value(item, len(deeper) + 1, deeper)},\n" for item in value)
        + f"{margin}]"
    )


def _inline_value(value: object) -> str:
    if isinstance(value, str):
        return _quoted_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Mapping):
        inner = ", ".join([f"{_key_text(key)} = {_inline_value(item)}" for key, item in value.items()])
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, Sequence):
        return f"[{', '.join([_inline_value(item) for item in value])}]"
    raise TypeError(f"{type(value).__name__} has no form in a lock")


@lru_cache(maxsize=4096)  # the keys of a format are few
def _key_text(key: str) -> str:
    return key if _BARE.fullmatch(key) else _quoted_text(key)


def _quoted_text(text: str) -> str:
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    if not escaped.isprintable():
        escaped = "".join(map(_escaped_character, escaped))
    return f'"{escaped}"'


def _escaped_character(character: str) -> str:
    if character.isprintable() or character == " ":
        return character
    return f"\\u{ord(character):04X}" if ord(character) < 0x10000 else f"\\U{ord(character):08X}"
