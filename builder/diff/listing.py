"""A lock as lines that git can compare: each line names its row, so that a changed line says what changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from builder.diff.change import show
from builder.lockfile import Build, Check, Lock
from builder.model import Table, ascii_only, key_name

__all__ = ["as_listing"]

_NAMES = ("component", "name", "origin", "suite", "version")
_WHOLE = ("for_", "via", "license", "extras")
_APART = (*_WHOLE, "inventory", "signed_by", "submodules", "omitted")
"""Fields with lines of their own: they change without the row's bytes, or the other way round."""
_HEADINGS = {
    "images": "image",
    "repositories": "repository",
    "sources": "git",
    "archives": "archive",
    "python": "python",
    "os_packages": "os",
    "builds": "build",
}


def as_listing(lock: Lock) -> str:
    """Return a line for each fact that changes on its own: a row, an argument of a step, a setting."""
    return "".join(f"{ascii_only(line)}\n" for line in _listing_lines(lock))


def _listing_lines(lock: Lock) -> Iterator[str]:
    for field in dataclasses.fields(lock):
        value = getattr(lock, field.name)
        if field.name == "inputs":
            yield from (f"recipe {key} {digest}" for key, digest in value)
        elif field.name in _HEADINGS:
            for row in value:
                yield from _row_lines(_HEADINGS[field.name], row)
        elif dataclasses.is_dataclass(value):
            yield from _field_lines(field.name, value, ())
        else:
            yield f"{key_name(field.name)} {show(value)}"


def _row_lines(heading: str, row: Any) -> Iterator[str]:
    named = [name for name in _NAMES if getattr(row, name, "")]
    if heading != "os" and "origin" in named and "name" in named:
        named.remove("origin")
    start = " ".join((heading, *(show(getattr(row, name)) for name in named)))
    if isinstance(row, Build):
        yield start
        yield from _field_lines(f"build {row.component}", row, ("component", "version"))
        return
    rest = [field.name for field in dataclasses.fields(row) if field.name not in named]
    values = ((key_name(name), show(getattr(row, name))) for name in rest if name not in _APART)
    yield " ".join((start, *(f"{key}={value}" for key, value in values if value)))
    owner = " ".join((heading, *(show(getattr(row, name)) for name in named if name != "version")))
    for name in rest:
        if name in _APART and getattr(row, name):
            yield from _lines_of_whole_value(
                f"{owner} {key_name(name)}", getattr(row, name), whole=name in _WHOLE
            )


def _lines_of_whole_value(start: str, value: Any, *, whole: bool) -> Iterator[str]:
    if whole:
        yield f"{start} {show(value)}"
    else:
        yield from _part_lines(start, value)


def _field_lines(start: str, value: Any, without: tuple[str, ...]) -> Iterator[str]:
    """Yield a line for each field; a table, a list of commands and a list of texts have a line an element."""
    for field in dataclasses.fields(value):
        if field.name not in without:
            yield from _part_lines(f"{start} {key_name(field.name)}", getattr(value, field.name))


def _part_lines(start: str, value: Any) -> Iterator[str]:
    if isinstance(value, Table):
        yield from (f"{start} {key}={item}" for key, item in value)
    elif isinstance(value, tuple):
        for item in value:
            yield from _element_lines(start, item)
    elif value not in ("", None):
        yield f"{start} {show(value)}"


def _element_lines(start: str, item: Any) -> Iterator[str]:
    if isinstance(item, Check):
        yield f"{start} {show(item.run)}" + (f" expects {item.expect}" if item.expect else "")
    elif isinstance(item, tuple):
        program, *arguments = item or ("nothing",)
        yield f"{start} {program}"
        yield from (f"{start} {program} {show((argument,))}" for argument in arguments)
    else:
        yield f"{start} {show((item,))}"
