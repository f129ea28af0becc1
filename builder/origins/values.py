"""Checks of single values in an origins file; every error names the file and the key."""

from __future__ import annotations

__all__ = ["boolean", "check_keys", "did_you_mean", "kind", "string", "strings", "table"]

import difflib
from collections.abc import Mapping, Sequence

from builder.errors import UsageError


def table(document: Mapping[str, object], key: str, place: str) -> Mapping[str, object]:
    """Return the table `key` of a document, empty where there is none (UsageError)."""
    value = document.get(key, {})
    if not isinstance(value, dict):
        raise UsageError(f"expected a table, got {kind(value)}", place=f"{place}: {key}")
    return value


def string(table: Mapping[str, object], key: str, place: str) -> str:
    """Return the string `key` of a table (UsageError)."""
    value = table.get(key)
    if not isinstance(value, str):
        raise UsageError(f"expected a string, got {kind(value)}", place=f"{place}.{key}")
    return value


def boolean(table: Mapping[str, object], key: str, place: str) -> bool:
    """Return the boolean `key` of a table, false where there is none (UsageError)."""
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise UsageError(f"expected true or false, got {kind(value)}", place=f"{place}.{key}")
    return value


def strings(value: object, place: str) -> tuple[str, ...]:
    """Return a list of strings (UsageError)."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UsageError(f"expected a list of strings, got {kind(value)}", place=place)
    return tuple(value)


def kind(value: object) -> str:
    """Return what people call the type of `value`."""
    names = {type(None): "nothing", bool: "a boolean", int: "an integer", str: "a string"}
    return {**names, dict: "a table", list: "a list with other values"}.get(type(value), type(value).__name__)


def check_keys(table: Mapping[str, object], known: Sequence[str], place: str) -> None:
    """Refuse a key that is not among `known` (UsageError)."""
    for key in sorted(table):
        if key not in known:
            raise UsageError(f"unknown key {key!r}{did_you_mean(key, known)}", place=place)


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return a question that names the known word nearest to `word`, or nothing."""
    near = difflib.get_close_matches(word, known, n=1)
    return f", did you mean {near[0]!r}?" if near else ""
