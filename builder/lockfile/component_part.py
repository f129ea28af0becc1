"""The part of a lock that building one component uses. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from builder.errors import UsageError
from builder.lockfile.lock import BASE, INSTALLER, Build, Lock

__all__ = ["component_build", "component_part"]


def component_build(lock: Lock, component: str) -> Build:
    """Return the build of `component` (UsageError where the lock does not build it)."""
    for build in lock.builds:
        if build.component == component:
            return build
    built = ", ".join(build.component for build in lock.builds) or "nothing"
    raise UsageError(
        f"{component!a} is not built for {lock.target}",
        place="--component",
        hint=f"name one of these: {built}",
    )


def component_part(lock: Lock, component: str) -> Lock:
    """Return `lock` with only the rows that building `component` and what it needs reads.

    The rows of its build environments, sources and archives stay, as do the interpreter, the
    installer, and an assembled base. It says which files are needed; it is not a lock to keep.
    UsageError where the lock does not build it.
    """
    builds = _needed_builds(lock, component)
    environments = {*builds, BASE}
    if any({*row.for_} & builds for row in lock.python):
        environments.add(INSTALLER)

    def used(uses: Iterable[str]) -> bool:
        return not environments.isdisjoint(uses)

    return dataclasses.replace(
        lock,
        builds=tuple(build for build in lock.builds if build.component in builds),
        sources=tuple(row for row in lock.sources if row.component in builds),
        archives=tuple(row for row in lock.archives if row.component in builds),
        python=tuple(row for row in lock.python if used(row.for_)),
        os_packages=tuple(row for row in lock.os_packages if used(row.for_)),
    )


def _needed_builds(lock: Lock, component: str) -> set[str]:
    """Return the builds that `component` needs, itself included.

    Besides `needs` these are the makers of wheels in its build environments, and of the interpreter.
    """
    waiting, found = [component_build(lock, component).component], set[str]()
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        environment = [row for row in lock.python if name in row.for_]
        waiting += component_build(lock, name).needs
        waiting += [row.build for row in environment if row.build]
        waiting += [lock.environment.interpreter] if environment and lock.environment.interpreter else []
    return found
