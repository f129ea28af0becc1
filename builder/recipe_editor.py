"""Changing values of a recipe file while its comments, order and layout stay as they are."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from builder.errors import RecipeError
from builder.io import read_text, write_atomic
from builder.model import ValuePath, counted, key_path_text, toml
from builder.recipe import parse_recipe, parse_table

__all__ = ["KeyPath", "RecipeChange", "RecipeEditor"]

T = TypeVar("T")
KeyPath = ValuePath

_LINE_WIDTH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeChange:
    """One value of a recipe file that became another; an empty text stands for no value."""

    place: str
    """The file and the key path."""
    before: str
    after: str


class RecipeEditor:
    """One recipe file being edited; nothing reaches the disk before `save`."""

    def __init__(self, path: Path, *, place: str, text: str | None = None) -> None:
        self.path = path
        self.place = place
        self._set_text(read_text(path, error=RecipeError) if text is None else text)
        self._changes: list[RecipeChange] = []

    @property
    def plain(self) -> Mapping[str, Any]:
        """The file's tables as they are now, edits included."""
        return self._plain

    @property
    def changes(self) -> tuple[RecipeChange, ...]:
        """What was changed so far, in order."""
        return tuple(self._changes)

    @property
    def text(self) -> str:
        """The edited file; RecipeError when its layout did not take the edits."""
        text = tomlkit.dumps(self._document)
        if parse_table(text.encode("utf-8"), place=self.place) != self._plain:
            raise RecipeError(
                "its layout does not allow the edit",
                place=self.place,
                hint="keep the tables of one version, image or repository together, then try again",
            )
        return text

    def get(self, keys: KeyPath, default: Any = None) -> Any:
        """Return the plain value at `keys`, or `default`."""
        here: Any = self._plain
        for key in keys:
            try:
                here = here[key]
            except (KeyError, IndexError):
                return default
        return here

    def put(self, keys: KeyPath, value: str | int | Sequence[Mapping[str, str]] | Sequence[str]) -> bool:
        """Set the value at `keys`, whose table exists; return whether that changed anything."""
        before = self.get(keys)
        plain = value if isinstance(value, str | int) else copy.deepcopy(list(value))
        if before == plain:
            return False
        _table_at(self._plain, keys[:-1])[keys[-1]] = plain
        _set_key(_table_at(self._document, keys[:-1]), str(keys[-1]), _laid_out_value(str(keys[-1]), plain))
        self._note_change(keys, before, plain)
        return True

    def put_top(self, key: str, value: str) -> bool:
        """Set a key of the file itself, a new one above the first table; return whether it changed."""
        if key in self._plain:
            return self.put((key,), value)
        lines = tomlkit.dumps(self._document).splitlines(keepends=True)
        at = next((n for n, line in enumerate(lines) if line.startswith("[")), len(lines))
        while at > 0 and (lines[at - 1].startswith("#") or not lines[at - 1].strip()):
            at -= 1
        self._set_text("".join([*lines[:at], toml.dumps({key: value}), *lines[at:]]))
        self._note_change((key,), None, value)
        return True

    def drop(self, keys: KeyPath) -> bool:
        """Remove the value at `keys`; return whether there was one."""
        before = self.get(keys)
        if before is None:
            return False
        del _table_at(self._plain, keys[:-1])[keys[-1]]
        del _table_at(self._document, keys[:-1])[keys[-1]]
        self._note_change(keys, before, None)
        return True

    def insert_version(self, header: str, values: Mapping[str, str]) -> None:
        """Write a new table `[header]` before the first version's, and before the comment above that."""
        self.insert_block(f"[{header}]", values, before=("[versions.", "[[versions."))

    def insert_block(self, header: str, values: Mapping[str, Any], *, before: str | tuple[str, ...]) -> None:
        """Write a new table, `header` with its brackets, before the first line that begins so, or at the end.

        It comes before the comment above that line too.
        """
        lines = tomlkit.dumps(self._document).splitlines(keepends=True)
        at = next((n for n, line in enumerate(lines) if line.startswith(before)), len(lines))
        while at > 0 and lines[at - 1].startswith("#"):
            at -= 1
        block = [f"{header}\n", toml.dumps(values)]
        gap = ["\n"] if at and lines[at - 1].strip() else []
        self._set_text("".join([*lines[:at], *gap, *block, "\n" if lines[at:] else "", *lines[at:]]))
        name = header.strip("[]")
        self._changes.append(RecipeChange(place=f"{self.place}: {name}", before="", after="added"))

    def parsed(self, kind: type[T]) -> T:
        """Return the file as a recipe of `kind` (RecipeError)."""
        return parse_recipe(self._plain, kind, place=self.place)

    def save(self) -> bool:
        """Write the file, completely or not at all; return whether it changed."""
        return write_atomic(self.path, self.text.encode("utf-8"))

    def _set_text(self, text: str) -> None:
        self._plain = parse_table(text.encode("utf-8"), place=self.place)
        try:
            self._document = tomlkit.parse(text)
        except TOMLKitError as error:
            raise RecipeError(f"not TOML: {error}", place=self.place) from None

    def _note_change(self, keys: KeyPath, before: object, after: object) -> None:
        place = f"{self.place}: {key_path_text(keys)}"
        self._changes.append(
            RecipeChange(place=place, before=_shown_value(before), after=_shown_value(after))
        )


def _table_at(table: Any, keys: KeyPath) -> Any:
    for key in keys:
        table = table[key]
    return table


def _set_key(table: Any, key: str, item: Any) -> None:
    """Set a key; a new one goes before the blanks and comments that end a table: they belong to the next."""
    held: list[Any] = []
    if isinstance(table, Table) and key not in table:
        body = table.value.body
        while body and body[-1][0] is None:
            held.append(body.pop())
    table[key] = item
    if held:
        table.value.body.extend(reversed(held))


def _laid_out_value(key: str, value: object) -> Any:
    """Return a value in the layout of hand-written recipes: one row a line, two blanks before it."""
    if not isinstance(value, list):
        return value
    rows = [_inline_row(row) for row in value]
    line = f"{key} = [{', '.join(rows)}]\n"
    if value and (isinstance(value[0], dict) or len(line) > _LINE_WIDTH):
        line = f"{key} = [\n" + "".join(f"  {row},\n" for row in rows) + "]\n"
    return tomlkit.parse(line)[key]


def _inline_row(row: object) -> str:
    if isinstance(row, dict):
        return "{ " + ", ".join(f"{key} = {_quoted_text(value)}" for key, value in row.items()) + " }"
    return _quoted_text(str(row))


def _quoted_text(text: str) -> str:
    # JSON's escapes are TOML's for every text on one line, but for DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def _shown_value(value: object) -> str:
    if value is None:
        return ""
    return counted(len(value), "row") if isinstance(value, list) else str(value)
