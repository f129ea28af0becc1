"""Placeholders in recipes: `{version}`, `{prefix}`, `{prefix:NAME}`, `{arch:NAME}`, `{gpu-archs:,}` and more.

All are filled when a lock is made. `{jobs}` alone is left: how many processors
a builder has does not belong to what is built.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from builder.errors import RecipeError
from builder.model import Table

__all__ = ["PlaceholderValues", "fill_placeholders", "fill_steps"]

_PLACEHOLDER = re.compile(r"\{([a-z][a-z-]*(?::[^{}]*)?)\}")
_KEPT = "jobs"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceholderValues:
    """What placeholders stand for."""

    words: Table
    gpu_archs: tuple[str, ...] = ()


def fill_placeholders(text: str, values: PlaceholderValues, *, place: str) -> str:
    """Return `text` with its placeholders filled; RecipeError names an unknown one."""
    words = dict(values.words)

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name == _KEPT:
            return match[0]
        if name.startswith("gpu-archs:"):
            return name.removeprefix("gpu-archs:").join(values.gpu_archs)
        if name in words:
            return words[name]
        near = difflib.get_close_matches(name, [*words, _KEPT], n=1)
        raise RecipeError(
            f"unknown placeholder {match[0]!r}",
            place=place,
            hint=f"did you mean `{{{near[0]}}}`?" if near else f"known: {', '.join(sorted(words))}",
        )

    return _PLACEHOLDER.sub(replace, text)


def fill_steps(
    steps: Iterable[tuple[str, ...]], values: PlaceholderValues, *, place: str
) -> tuple[tuple[str, ...], ...]:
    """Fill every argument of every step."""
    return tuple(
        tuple(fill_placeholders(argument, values, place=place) for argument in step) for step in steps
    )
