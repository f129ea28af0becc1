"""Wheel tags of a target: which wheels it can use, and which of several is best.

A target's tags follow from its architecture, glibc and Python alone, never from the
host: `packaging.tags` is given the list of platforms instead of asking for one. The
order is that of pip: the interpreter's own ABI before abi3 and `none`, and within each
the newest glibc first (PEP 600 tag `manylinux_2_X`, then its older alias, then `linux`).
A wheel may carry several tags; its best one counts.
"""

from __future__ import annotations

import re
from functools import lru_cache

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from builder.errors import RecipeError
from builder.model.target import Arch

__all__ = [
    "glibc_floor",
    "is_musl",
    "linux_arch",
    "target_tags",
    "uv_platform",
    "wheel_rank",
    "wheel_tags",
]

_LEGACY_ALIASES = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
# The aarch64 port of glibc began with 2.17, and PEP 600 starts there for it.
_OLDEST_GLIBC = {Arch.X86_64: 5, Arch.AARCH64: 17}
_LEGACY_FLOORS = {alias: floor for floor, alias in _LEGACY_ALIASES.items()}
# uv's names of platforms end here; a newer glibc runs what was made for an older one.
_UV_FLOORS = (17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40)
_MANYLINUX_TAG = re.compile(r"manylinux_(\d+)_(\d+)_(.+)|(manylinux(?:2014|2010|1))_(.+)")
_LINUX_TAG = re.compile(r"(?:linux|manylinux(?:1|2010|2014|_\d+_\d+)|musllinux_\d+_\d+)_(.+)")


def _minor_version(text: str, what: str, major: int) -> int:
    found = re.fullmatch(rf"{major}\.(\d{{1,3}})", text)
    if found is None:
        raise RecipeError(f"expected a version such as {major}.{{number}}, got {text!r}", place=what)
    return int(found[1])


def uv_platform(arch: Arch, glibc: str) -> str:
    """Return uv's name of the newest platform that a target with this glibc covers."""
    minor = _minor_version(glibc, "glibc", 2)
    fitting = [floor for floor in _UV_FLOORS if floor <= minor]
    if not fitting:
        raise RecipeError(
            f"glibc {glibc} is older than 2.{_UV_FLOORS[0]}, and no resolver knows wheels for it",
            place="glibc",
            hint="choose a platform with a newer base image",
        )
    return f"{arch}-manylinux_2_{fitting[-1]}"


@lru_cache
def target_tags(arch: Arch, glibc: str, python: str) -> dict[Tag, int]:
    """Return every tag that the target's CPython accepts, with its rank: 0 is the best."""
    platforms = []
    for minor in range(_minor_version(glibc, "glibc", 2), _OLDEST_GLIBC[arch] - 1, -1):
        platforms.append(f"manylinux_2_{minor}_{arch}")
        if (2, minor) in _LEGACY_ALIASES:
            platforms.append(f"{_LEGACY_ALIASES[2, minor]}_{arch}")
    platforms.append(f"linux_{arch}")
    version = (3, _minor_version(python, "python", 3))
    interpreter = f"cp3{version[1]}"
    # cpython_tags has cp3X, abi3 and none for this interpreter; compatible_tags has py3X, py3 and `any`.
    ordered = [
        *cpython_tags(version, platforms=platforms),
        *compatible_tags(version, interpreter, platforms),
    ]
    # A tag may occur twice; reversed, its first and better position is the one that stays.
    return {tag: position for position, tag in reversed(list(enumerate(ordered)))}


def wheel_tags(file: str) -> frozenset[Tag]:
    """Return the tags in a wheel's file name; none when it is not one."""
    try:
        return parse_wheel_filename(file)[3]
    except InvalidWheelFilename:
        return frozenset()


def wheel_rank(file: str, tags: dict[Tag, int]) -> tuple[int, tuple[object, ...], str] | None:
    """Return a key that is lowest for the best wheel, or None when the target cannot use `file`.

    The tag decides, then the higher build tag (PEP 427: its number, then its letters), then the file name.
    """
    try:
        _, _, build, found = parse_wheel_filename(file)
    except InvalidWheelFilename:
        return None
    positions = [tags[tag] for tag in found if tag in tags]
    return (min(positions), _descending_build(build), file) if positions else None


def _descending_build(build: tuple[()] | tuple[int, str]) -> tuple[object, ...]:
    """Return a key that falls where packaging's build tag rises; a wheel without one comes last."""
    if not build:
        return (1,)
    number, letters = build
    # Negated letters sort downwards; the 1 after them puts `1ab` before `1a`, as it is longer.
    return (0, -number, *(-ord(letter) for letter in letters), 1)


def glibc_floor(platform: str) -> tuple[tuple[int, int], str] | None:
    """Return the glibc and the architecture of a manylinux platform tag, or None for any other."""
    found = _MANYLINUX_TAG.fullmatch(platform)
    if found is None:
        return None
    if found[4]:
        return _LEGACY_FLOORS[found[4]], found[5]
    return (int(found[1]), int(found[2])), found[3]


def linux_arch(platform: str) -> str:
    """Return the architecture of a platform tag for Linux, of any libc; empty for every other tag."""
    found = _LINUX_TAG.fullmatch(platform)
    return found[1] if found else ""


def is_musl(platform: str) -> bool:
    """Whether a platform tag asks for musl instead of glibc (PEP 656)."""
    return platform.startswith("musllinux_")
