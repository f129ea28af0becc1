"""Shapes of small values in a lock. Pure."""

from __future__ import annotations

import re

__all__ = ["COUNT", "DIGITS", "MOMENT", "NAME", "SNAPSHOT", "clean_folder", "clean_path", "unfilled"]

NAME = re.compile(r"[a-z0-9][a-z0-9._+-]*")
MOMENT = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ")
SNAPSHOT = re.compile(r"\d{8}T\d{6}Z")
DIGITS = re.compile(r"[0-9a-f]{16}")
COUNT = re.compile(r"[1-9]\d{0,3}")

_PLACEHOLDER = re.compile(r"\{(?!jobs\})[a-z][a-z-]*(?::[^{}\s]*)?\}")


def clean_path(path: str) -> bool:
    """Whether `path` is relative and has no empty, `.` or `..` part."""
    return not any(part in {"", ".", ".."} for part in path.split("/"))


def clean_folder(path: str) -> bool:
    """Whether `path` is absolute, is not the root, and has no empty, `.` or `..` part."""
    return path.startswith("/") and clean_path(path[1:])


def unfilled(text: str) -> tuple[str, ...]:
    """Return the placeholders of recipes that are left in `text`; `{jobs}` is filled when a build runs."""
    return tuple(match[0] for match in _PLACEHOLDER.finditer(text))
