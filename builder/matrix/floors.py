"""What a wheel asks of a machine (glibc, CUDA), and which GPUs native code was built for. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from builder.lockfile import RUNTIME, Lock, PythonPackage
from builder.model import glibc_floor, wheel_tags

__all__ = ["GENERATIONS", "GpuGenerations", "WheelFloor", "generations", "wheel_floors"]

GENERATIONS = {
    "70": "Volta",
    "75": "Turing",
    "80": "Ampere",
    "86": "Ampere",
    "87": "Ampere",
    "89": "Ada Lovelace",
    "90": "Hopper",
    "100": "Blackwell",
    "101": "Blackwell",
    "103": "Blackwell",
    "110": "Blackwell",
    "120": "Blackwell",
    "121": "Blackwell",
}
"""NVIDIA's GPU generations by compute capability without the dot."""

_VARIANT = re.compile(r"-cu(\d+)$")
_LABEL = re.compile(r"cu(\d\d)(\d+)")
_CUDA_RUNTIME = re.compile(r"nvidia-cuda-runtime(?:-cu\d+)?|cuda-toolkit")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class WheelFloor:
    """What one wheel of one release needs; the most over its architectures."""

    release: str
    framework: str
    name: str
    version: str
    glibc: str
    """Such as `2.28`; empty for a wheel without native code."""
    cuda: str
    """Such as `12.8` or `13`; empty where nothing about the wheel speaks of CUDA."""
    root: bool
    """Whether a recipe asks for it by name."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class GpuGenerations:
    """The GPU generations that native code of one locked image is built for."""

    release: str
    framework: str
    platform: str
    capabilities: tuple[str, ...]
    names: tuple[str, ...]


def wheel_floors(locks: Iterable[Lock]) -> tuple[WheelFloor, ...]:
    """Return the floor of every wheel with one: releases in the order of the locks, then sorted."""
    order: dict[str, int] = {}
    found: dict[tuple[str, ...], tuple[set[tuple[int, int]], set[str]]] = {}
    roots = set()
    for lock in locks:
        order.setdefault(lock.release, len(order))
        for row, glibc, cuda in _wheel_floor_rows(lock):
            key = (lock.release, lock.framework, row.name, row.version)
            floors, cudas = found.setdefault(key, (set(), set()))
            floors |= {glibc} if glibc else set()
            cudas |= {cuda} if cuda else set()
            roots |= {key} if "recipe" in row.via else set()
    return tuple(
        WheelFloor(
            release=key[0],
            framework=key[1],
            name=key[2],
            version=key[3],
            glibc=".".join(map(str, max(floors))) if floors else "",
            cuda=", ".join(sorted(cudas)),
            root=key in roots,
        )
        for key, (floors, cudas) in sorted(found.items(), key=lambda item: (order[item[0][0]], item[0]))
        if floors or cudas
    )


def _wheel_floor_rows(lock: Lock) -> Iterator[tuple[PythonPackage, tuple[int, int] | None, str]]:
    runtime = {row.name: row for row in lock.python if _CUDA_RUNTIME.fullmatch(row.name)}
    for row in lock.python:
        if RUNTIME in row.for_ and row.file:
            yield row, _lowest_glibc(row.file), _wheel_cuda(row, runtime.values())


def _lowest_glibc(file: str) -> tuple[int, int] | None:
    """Return the lowest glibc that a wheel's name admits."""
    floors = [floor[0] for tag in wheel_tags(file) if (floor := glibc_floor(tag.platform))]
    return min(floors) if floors else None


def _wheel_cuda(row: PythonPackage, runtimes: Iterable[PythonPackage]) -> str:
    """Return the CUDA of a wheel: what it requires, else what its version or its name says."""
    required = [runtime.version for runtime in runtimes if row.name in runtime.via]
    if required:
        return ".".join(required[0].split(".")[:2])
    try:
        label = _LABEL.fullmatch(parse_wheel_filename(row.file)[1].local or "")
    except InvalidWheelFilename:
        label = None
    if label:
        return f"{label[1]}.{label[2]}"
    variant = _VARIANT.search(row.name)
    return variant[1] if variant else ""


def generations(locks: Iterable[Lock]) -> tuple[GpuGenerations, ...]:
    """Return the generations of each locked image with a CUDA toolkit, in the order of the locks."""
    found: dict[GpuGenerations, None] = {}
    for lock in locks:
        capabilities = lock.environment.gpu_archs
        if not capabilities:
            continue
        names = [GENERATIONS.get(capability, f"sm_{capability}") for capability in capabilities]
        row = GpuGenerations(
            release=lock.release,
            framework=lock.framework,
            platform=lock.platform,
            capabilities=capabilities,
            names=tuple(dict.fromkeys(names)),
        )
        found[row] = None
    return tuple(found)
