"""The line of a TOML text on which each value is written. Pure.

`tomli` gives values without their places, and `tomlkit` keeps the layout without numbering it. This does
not parse: it walks over a text that `loads` of `toml` accepted, and only has to tell where keys, values and
lists begin. `tests/model/test_toml_lines.py` compares it with both libraries.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from builder.errors import BuilderError
from builder.model.toml import loads

__all__ = ["ValuePath", "key_path_text", "value_lines"]

ValuePath = tuple[str | int, ...]
"""Keys and indexes that lead to a value."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_TEXT = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}'
    r"|'''(?:[^']|'(?!''))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'',
    re.DOTALL,
)
_OTHER_VALUE = re.compile(r"[^,\]}#\n]+")


def value_lines(text: str) -> dict[ValuePath, int]:
    """Return the line, from 1, on which the value at each path begins; tables by headers have none.

    `text` must be TOML.
    """
    return dict(_Walk(text.replace("\r\n", "\n")).places())


class _Walk:
    """One walk over a text from its begin to its end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._rows: dict[ValuePath, int] = {}
        """How many `[[tables]]` there are so far at each path."""

    def places(self) -> Iterator[tuple[ValuePath, int]]:
        table: ValuePath = ()
        while self._skip_blanks():
            if self._text.startswith("[", self._at):
                table = self._header_path()
            else:
                yield from self._pair_places(table)

    def _skip_blanks(self) -> bool:
        """Go to what follows blanks, line feeds and comments; say whether there is anything."""
        match = _BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._at < len(self._text)

    def _line_number(self) -> int:
        return self._text.count("\n", 0, self._at) + 1

    def _header_path(self) -> ValuePath:
        is_row = self._text.startswith("[[", self._at)
        self._at += 2 if is_row else 1
        *parents, last = self._dotted_key()
        self._at += 2 if is_row else 1
        path: ValuePath = ()
        for key in parents:
            path = self._last_row((*path, key))
        path = (*path, last)
        if is_row:
            self._rows[path] = self._rows.get(path, -1) + 1
        return self._last_row(path)

    def _last_row(self, path: ValuePath) -> ValuePath:
        """Return the path of the table that a header means: of a list of tables the last one so far."""
        return (*path, self._rows[path]) if path in self._rows else path

    def _dotted_key(self) -> list[str]:
        """Read a key with its dots, and the blanks around it."""
        keys = []
        while True:
            self._skip_blanks()
            match = _KEY.match(self._text, self._at)
            if match is None:
                raise ValueError(f"no key at character {self._at}: the text is not TOML")
            keys.append(_plain_key(match[0]))
            self._at = match.end()
            self._skip_blanks()
            if not self._text.startswith(".", self._at):
                return keys
            self._at += 1

    def _pair_places(self, table: ValuePath) -> Iterator[tuple[ValuePath, int]]:
        path = (*table, *self._dotted_key())
        self._at += 1  # the equals sign
        yield from self._value_places(path)

    def _value_places(self, path: ValuePath) -> Iterator[tuple[ValuePath, int]]:
        self._skip_blanks()
        yield path, self._line_number()
        opening = self._text[self._at]
        if opening == "[":
            index = 0
            while self._more_items("]"):
                yield from self._value_places((*path, index))
                index += 1
        elif opening == "{":
            while self._more_items("}"):
                yield from self._pair_places(path)
        else:
            match = (_TEXT if opening in "\"'" else _OTHER_VALUE).match(self._text, self._at)
            if match is None:
                raise ValueError(f"no value at character {self._at}: the text is not TOML")
            self._at = match.end()

    def _more_items(self, closing: str) -> bool:
        """Step over an opening bracket or a comma; say whether an item follows, else step over the end."""
        self._skip_blanks()
        if self._text[self._at] in "[{,":
            self._at += 1
            self._skip_blanks()
        if self._text[self._at] != closing:
            return True
        self._at += 1
        return False


def _plain_key(written: str) -> str:
    if written[0] not in "\"'":
        return written
    return str(loads(f"key = {written}".encode(), place=written, error=BuilderError)["key"])


def key_path_text(path: ValuePath) -> str:
    """Return a path as messages write them: `versions."1.2".git.tag`."""
    words = ""
    for key in path:
        if isinstance(key, int):
            words += f"[{key}]"
        else:
            words += (
                f".{key}"
                if key.replace("-", "").replace("_", "").isalnum()
                else f".{json.dumps(key, ensure_ascii=False)}"
            )
    return words.removeprefix(".")
