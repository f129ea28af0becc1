"""Shapes of small values in a lock, and what lists must be like. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["COUNT", "DIGITS", "MOMENT", "NAME", "SNAPSHOT", "clean_folder", "clean_path", "in_order"]

NAME = re.compile(r"[a-z0-9][a-z0-9._+-]*")
MOMENT = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ")
SNAPSHOT = re.compile(r"\d{8}T\d{6}Z")
DIGITS = re.compile(r"[0-9a-f]{16}")
COUNT = re.compile(r"[1-9]\d{0,3}")


def in_order(what: str, items: tuple[str, ...]) -> Iterator[str]:
    """Yield that a list is not sorted, or has something twice."""
    if list(items) != sorted(set(items)):
        yield f"{what} is not sorted and unique"


def clean_path(path: str) -> bool:
    """Whether `path` is relative and has no empty, `.` or `..` part."""
    return not any(part in {"", ".", ".."} for part in path.split("/"))


def clean_folder(path: str) -> bool:
    """Whether `path` is absolute, is not the root, and has no empty, `.` or `..` part."""
    return path.startswith("/") and clean_path(path[1:])
