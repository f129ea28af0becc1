"""Environment markers (PEP 508) on a target's terms, also where only Python's minor version is known.

`python_full_version` and `implementation_version` are then open: a marker that mentions one of
them is evaluated for every patch release, and counts only if all of them agree.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from builder.model.target import Arch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.markers import Marker

__all__ = ["OpenMarkerError", "marker_environment", "marker_holds", "possible_pythons"]

_PATCHES = 64
"""More than any minor version of CPython has patch releases: 3.9 has had the most so far, 26."""
_FULL_VERSION_NAMES = ("python_full_version", "implementation_version")


class OpenMarkerError(ValueError):
    """A marker depends on the patch release of the interpreter, which is not known."""


def possible_pythons(python: str, full: str = "") -> tuple[str, ...]:
    """Return the full versions that an interpreter of minor version `python` may have: `full` if known."""
    return (full,) if full else tuple(f"{python}.{patch}" for patch in range(_PATCHES))


@lru_cache
def marker_environment(arch: Arch, python: str, full: str = "") -> dict[str, str]:
    """Return what markers are evaluated against on a target; without `full`, its full versions are left out.

    The resolver uses the same.
    """
    environment = {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": str(arch),
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_version": python,
        "sys_platform": "linux",
    }
    return environment | (dict.fromkeys(_FULL_VERSION_NAMES, full) if full else {})


def marker_holds(marker: Marker | None, environment: Mapping[str, str], extra: str = "") -> bool:
    """Whether `marker` holds in an environment of `marker_environment`, and with `extra`.

    OpenMarkerError where that depends on a patch release that the environment leaves open.
    """
    if marker is None:
        return True
    known = {**environment, "extra": extra}
    if _FULL_VERSION_NAMES[0] in known:
        return marker.evaluate(known)
    text = str(marker)
    # What is left out, packaging would take from the running interpreter: each of them is always given.
    pythons = possible_pythons(known["python_version"])
    if not any(name in text for name in _FULL_VERSION_NAMES):
        pythons = pythons[:1]
    answers = {marker.evaluate(known | dict.fromkeys(_FULL_VERSION_NAMES, full)) for full in pythons}
    if len(answers) > 1:
        raise OpenMarkerError(text)
    return answers.pop()
