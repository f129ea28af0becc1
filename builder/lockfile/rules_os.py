"""Rules of OS packages: names and files as their family writes them, and who requires each. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.lockfile.labels import LockSection, named_label, row_label
from builder.lockfile.lock import BASE, RECIPE, REQUIRED, Lock, OsPackage
from builder.lockfile.rule import Fault, LockRule

__all__ = ["OS_RULES"]

_SHAPES = {
    "debian": (re.compile(r"[a-z0-9][a-z0-9+.-]+"), re.compile(r"(?:\d+:)?\d[0-9A-Za-z.+~-]*"), "Debian's"),
    "rpm": (
        re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*"),
        re.compile(r"(?:\d+:)?[A-Za-z0-9._+~^]+-[A-Za-z0-9._+~^]+"),
        "RPM's",
    ),
}
"""Names and versions of a family (deb-version(7), rpm-version(7)), and whose they are."""

_SHOWN = 3


def _name_faults(lock: Lock) -> Iterator[Fault]:
    if lock.environment.family in _SHAPES:
        name, version, whose = _SHAPES[lock.environment.family]
        for row in lock.os_packages:
            if not name.fullmatch(row.name) or not version.fullmatch(row.version):
                yield Fault(row=row_label(row), text=f"its name or version is none of {whose}")


def _architecture_faults(lock: Lock) -> Iterator[Fault]:
    allowed = {"debian": (lock.arch.debian, "all"), "rpm": (lock.arch.rpm, "noarch")}
    fitting = allowed.get(lock.environment.family)
    for row in lock.os_packages if fitting else ():
        if fitting and row.arch not in fitting:
            yield Fault(row=row_label(row), text=f"it is for {row.arch}, not for {fitting[0]}")


def _file_name_faults(lock: Lock) -> Iterator[Fault]:
    """Yield packages whose file the archive would call otherwise: a swapped file shows here."""
    for row in lock.os_packages:
        version = row.version.partition(":")[2] or row.version  # no file name has the epoch
        file = f"{row.name}_{version}_{row.arch}.deb"
        if lock.environment.family == "rpm":
            file = f"{row.name}-{version}.{row.arch}.rpm"
        if row.basename != file:
            yield Fault(row=row_label(row), text=f"{row.basename} is not {file}")


def _origin_faults(lock: Lock) -> Iterator[Fault]:
    known = {repository.origin for repository in lock.repositories}
    for row in lock.os_packages:
        if row.origin not in known:
            yield Fault(row=row_label(row), text=f"it comes from {row.origin}, which is not a repository")


def _dangling_askers(lock: Lock) -> dict[str, list[OsPackage]]:
    """Return the names in `via` that are no package of the lock, each with the rows that give it."""
    known = {row.name for row in lock.os_packages} | {RECIPE, REQUIRED}
    dangling: dict[str, list[OsPackage]] = {}
    for row in lock.os_packages:
        for name in row.via:
            if name not in known:
                dangling.setdefault(name, []).append(row)
    return dangling


def _asker_faults(lock: Lock) -> Iterator[Fault]:
    for name, rows in sorted(_dangling_askers(lock).items()):
        shown = ", ".join(row.name for row in rows[:_SHOWN])
        more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        text = f"it is not in the lock, and via says that it asks for {shown}{more}"
        yield Fault(row=named_label(LockSection.OS_PACKAGES, name), text=text)


def _unreached_faults(lock: Lock) -> Iterator[Fault]:
    """Yield packages that nothing leads to in one of their environments.

    From the roots along `via`, environment by environment; what stands on a
    base sees the base's packages. A row whose own `via` dangles is reported as
    that, so it counts as reached: what it asks for is not reported again.
    """
    if not any(row.via for row in lock.os_packages):
        return  # locks of older versions do not say who asks
    asks: dict[str, list[OsPackage]] = {}
    for row in lock.os_packages:
        for name in row.via:
            asks.setdefault(name, []).append(row)
    broken = [row for rows in _dangling_askers(lock).values() for row in rows]
    reached: set[tuple[str, str]] = set()
    roots = (*asks.get(RECIPE, ()), *asks.get(REQUIRED, ()), *broken)
    waiting = [(use, row) for row in roots for use in row.for_]
    while waiting:
        use, row = waiting.pop()
        if (use, row.name) not in reached:
            reached.add((use, row.name))
            below = asks.get(row.name, ())
            waiting += [(other, to) for to in below for other in to.for_ if use in {other, BASE}]
    for row in lock.os_packages:
        lost = [use for use in row.for_ if (use, row.name) not in reached]
        if lost:
            yield Fault(row=row_label(row), text=f"nothing requires it in {', '.join(lost)}")


OS_RULES = (
    LockRule(
        id="os-names",
        says="Names and versions of OS packages are as their family writes them.",
        stops=True,
        why="dpkg and rpm refuse others, and a name may hold an option",
        finds=_name_faults,
    ),
    LockRule(
        id="os-architecture",
        says="OS packages are for the target's architecture, or for all.",
        stops=True,
        why="they cannot be installed",
        finds=_architecture_faults,
        kind="target",
    ),
    LockRule(
        id="os-file-name",
        says="The file of an OS package is called after its name, version and architecture.",
        stops=True,
        why="row and file name two different packages",
        finds=_file_name_faults,
        after=("os-names", "os-architecture", "paths"),
    ),
    LockRule(
        id="os-origin",
        says="OS packages come from a repository of the lock.",
        stops=True,
        why="nothing vouches for the package",
        finds=_origin_faults,
    ),
    LockRule(
        id="os-askers",
        says="What requires an OS package is in the lock.",
        stops=True,
        why="the lock contradicts itself about what it holds",
        finds=_asker_faults,
    ),
    LockRule(
        id="os-reached",
        says="The recipe or the distribution leads to every OS package, in each of its environments.",
        stops=True,
        why="nobody asked for the package",
        finds=_unreached_faults,
        after=("environments",),
    ),
)
"""The rules of OS packages, causes before consequences."""
