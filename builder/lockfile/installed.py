"""Which glibc and which Python the OS packages of an environment bring, by inventory and rows. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from builder.lockfile.lock import BASE, INSTALLER, RUNTIME, Lock, OsPackage

__all__ = [
    "environment_packages",
    "environments_without_python",
    "glibc_version",
    "lock_full_pythons",
    "os_python",
]

_GLIBC_PACKAGES = ("libc6", "glibc")  # Debian's name and RPM's
# Upstream's part of a package's version: `1:3.13.5-2+deb13u1`, `3.13.0~rc2-1`, `3.9.18-3.el9`.
_UPSTREAM = re.compile(r"(?:\d+:)?(?P<minor>\d+\.\d+)(?P<patch>\.\d+)?(?:~?(?P<pre>(?:a|b|rc)\d+))?")
_PYTHON_PROGRAM = re.compile(r"python3(?:\.\d+)?(?:-minimal)?")
_PYTHON_PACKAGE = re.compile(r"(?:lib)?python3(?:\.\d+)?(?:-minimal|-stdlib|-libs)?")


class InventoriedImage(Protocol):
    """An image of a recipe or of a lock."""

    @property
    def roles(self) -> tuple[str, ...]:
        """`build`, `runtime`, or both."""

    @property
    def inventory(self) -> tuple[str, ...]:
        """OS packages that it holds, each `name=version`."""


def environment_packages(
    environment: str, *, images: Iterable[InventoriedImage], rows: Iterable[OsPackage]
) -> dict[str, str]:
    """Return the OS packages of an environment, name to version: its image's or base's, then its own rows."""
    place = RUNTIME if environment == INSTALLER else environment
    role = "runtime" if place == RUNTIME else "build"
    held = [line.partition("=") for image in images if role in image.roles for line in image.inventory]
    found = {name: version for name, _, version in held}
    own = {}
    for row in rows:
        if BASE in row.for_:
            found[row.name] = row.version
        if place in row.for_:
            own[row.name] = row.version
    return found | own


def glibc_version(packages: Mapping[str, str]) -> str:
    """Return the glibc of an environment, such as `2.41`, or empty where no package says it."""
    versions = (_UPSTREAM.match(packages[name]) for name in _GLIBC_PACKAGES if name in packages)
    return next((found["minor"] for found in versions if found), "")


def os_python(packages: Mapping[str, str], python: str) -> tuple[str, str]:
    """Return the version of the packages' Python and the package that says it; both empty where none does.

    A package of the minor version `python` goes first: it says the patch release, and is what
    `pythonX.Y` starts. Without one, any other Python is returned. A full version has three numbers.
    """
    named = [name for name in packages if _PYTHON_PACKAGE.fullmatch(name)]
    order = sorted(named, key=lambda name: (f"python{python}" not in name, len(name), name))
    for name in order:
        found = _UPSTREAM.match(packages[name])
        if found:
            full = f"{found['minor']}{found['patch']}{found['pre'] or ''}" if found["patch"] else ""
            return full or found["minor"], name
    return "", ""


def environments_without_python(lock: Lock) -> tuple[str, ...]:
    """Return the environments with Python distributions whose OS packages do not hold the interpreter.

    None if nothing is known of what the image holds.
    """
    if not any(image.inventory for image in lock.images) and not any(
        BASE in row.for_ for row in lock.os_packages
    ):
        return ()
    users = {use for row in lock.python for use in row.for_} & lock.environments
    places = sorted({RUNTIME if use == INSTALLER else use for use in users})
    return tuple(
        place
        for place in places
        if not any(
            map(
                _PYTHON_PROGRAM.fullmatch,
                environment_packages(place, images=lock.images, rows=lock.os_packages),
            )
        )
    )


def lock_full_pythons(lock: Lock) -> dict[str, str]:
    """Return the full version of Python in each environment of a lock that says it."""
    return dict(_full_pythons(lock))


def _full_pythons(lock: Lock) -> Iterator[tuple[str, str]]:
    minor, maker = lock.environment.python, lock.environment.interpreter
    built = next((build.version for build in lock.builds if build.component == maker), "")
    for environment in sorted(lock.environments):
        version = built
        if not maker:
            packages = environment_packages(environment, images=lock.images, rows=lock.os_packages)
            version, _ = os_python(packages, minor)
        if version.startswith(f"{minor}."):
            yield environment, version
