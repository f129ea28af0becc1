"""Placeholders in recipes: `{version}`, `{prefix:NAME}`, `{arch:NAME}`, `{gencode: }` and more.

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
    ptx: str = ""
    """The compute capability whose PTX is compiled too; empty for none."""


def fill_placeholders(text: str, values: PlaceholderValues, *, place: str) -> str:
    """Return `text` with its placeholders filled; RecipeError names an unknown one."""
    words = dict(values.words)

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name == _KEPT:
            return match[0]
        if name.startswith("gpu-archs:"):
            return name.removeprefix("gpu-archs:").join(values.gpu_archs)
        if name.startswith("gencode:"):
            return name.removeprefix("gencode:").join(_nvcc_flags(values))
        if name.startswith("torch-archs:"):
            return name.removeprefix("torch-archs:").join(_torch_archs(values))
        if name in words:
            return words[name]
        near = difflib.get_close_matches(name, [*words, _KEPT], n=1)
        raise RecipeError(
            f"unknown placeholder {match[0]!r}",
            place=place,
            hint=f"did you mean `{{{near[0]}}}`?" if near else f"known: {', '.join(sorted(words))}",
        )

    return _PLACEHOLDER.sub(replace, text)


def _nvcc_flags(values: PlaceholderValues) -> tuple[str, ...]:
    """Return nvcc's options: machine code for each GPU architecture, and PTX of the one that has it."""
    machine = tuple(f"-gencode=arch=compute_{arch},code=sm_{arch}" for arch in values.gpu_archs)
    ptx = (f"-gencode=arch=compute_{values.ptx},code=compute_{values.ptx}",) if values.ptx else ()
    return (*machine, *ptx)


def _torch_archs(values: PlaceholderValues) -> tuple[str, ...]:
    """Return the architectures as TORCH_CUDA_ARCH_LIST names them, such as `9.0` and `12.0+PTX`."""
    dotted = tuple((arch, f"{arch[:-1]}.{arch[-1]}") for arch in values.gpu_archs)
    return tuple(f"{name}+PTX" if arch == values.ptx else name for arch, name in dotted)


def fill_steps(
    steps: Iterable[tuple[str, ...]], values: PlaceholderValues, *, place: str
) -> tuple[tuple[str, ...], ...]:
    """Fill every argument of every step."""
    return tuple(
        tuple(fill_placeholders(argument, values, place=place) for argument in step) for step in steps
    )
