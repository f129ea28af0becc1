"""Rules of builds: what they need is built before, their prefixes exist, their steps are final. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.lockfile.labels import row_label
from builder.lockfile.lock import Build, Lock
from builder.lockfile.rule import Fault, LockRule
from builder.lockfile.shapes import NAME, clean_folder, unfilled

__all__ = ["BUILD_RULES"]

_BELOW_OPT = re.compile(r"/opt/[A-Za-z0-9._+-]+")
_PYTHON_ENVIRONMENTS = frozenset({"/opt/build-env", "/opt/dynamo"})
"""Of a build and of the image."""


def _build_order_faults(lock: Lock) -> Iterator[Fault]:
    seen: set[str] = set()
    for build in lock.builds:
        if build.component in seen:
            yield Fault(row=row_label(build), text="it appears twice")
        for need in build.needs:
            if need not in seen:
                text = f"it needs {need}, which is not built before it"
                yield Fault(row=row_label(build), text=text)
        seen.add(build.component)


def _prefix_faults(lock: Lock) -> Iterator[Fault]:
    for build in lock.builds:
        if not NAME.fullmatch(build.component):
            yield Fault(row=row_label(build), text=f"{build.component!r} is not a component's name")
        if build.prefix and not clean_folder(build.prefix):
            yield Fault(row=row_label(build), text=f"its prefix {build.prefix!r} is not an absolute folder")
        if build.runtime and not build.prefix:
            yield Fault(row=row_label(build), text="it is for runtime, and has no prefix to copy")
    placed = [build for build in lock.builds if build.prefix]
    for number, build in enumerate(placed):
        for other in placed[:number]:
            inside = f"{build.prefix}/".startswith(f"{other.prefix}/")
            if inside or f"{other.prefix}/".startswith(f"{build.prefix}/"):
                text = f"its prefix {build.prefix} and {other.prefix} of {other.component} overlap"
                yield Fault(row=row_label(build), text=text)


def _command_faults(lock: Lock) -> Iterator[Fault]:
    for build in lock.builds:
        commands = (*build.steps, *(check.run for check in build.checks))
        if any(not command or not command[0] for command in commands):
            yield Fault(row=row_label(build), text="a step is empty")


def _placeholder_faults(lock: Lock) -> Iterator[Fault]:
    for build in lock.builds:
        checks = (word for check in build.checks for word in check.run)
        texts = (build.prefix, *_step_texts(build), *checks)
        for placeholder in sorted({found for text in texts for found in unfilled(text)}):
            yield Fault(row=row_label(build), text=f"the placeholder {placeholder!r} is not filled")


def _step_texts(build: Build) -> tuple[str, ...]:
    words = (word for step in build.steps for word in step)
    return (*words, *(value for _, value in build.env))


def _named_prefix_faults(lock: Lock) -> Iterator[Fault]:
    prefixes = {build.prefix: build.component for build in lock.builds if build.prefix}
    for build in lock.builds:
        text = "\n".join(_step_texts(build))
        there = {build.component, *build.needs}
        for prefix, component in sorted(prefixes.items()):
            if component not in there and re.search(rf"{re.escape(prefix)}(?![A-Za-z0-9._+-])", text):
                named = f"its steps name {prefix}, the prefix of {component}, which is none of its needs"
                yield Fault(row=row_label(build), text=named)


def _named_folder_faults(lock: Lock) -> Iterator[Fault]:
    prefixes = [build.prefix for build in lock.builds if build.prefix]
    for build in lock.builds:
        folders = set(_BELOW_OPT.findall("\n".join(_step_texts(build)))) - _PYTHON_ENVIRONMENTS
        for folder in sorted(folders):
            if not any(prefix == folder or prefix.startswith(f"{folder}/") for prefix in prefixes):
                text = f"its steps name {folder}, which is not the prefix of a build"
                yield Fault(row=row_label(build), text=text)


def _license_faults(lock: Lock) -> Iterator[Fault]:
    for build in lock.builds:
        if not build.license:
            yield Fault(row=row_label(build), text="it has no license")


BUILD_RULES = (
    LockRule(
        id="build-order",
        says="A component is built once, after what it needs.",
        stops=True,
        why="its stage could not be built",
        finds=_build_order_faults,
    ),
    LockRule(
        id="build-prefix",
        says="Prefixes are absolute folders of one component each, and what the image gets has one.",
        stops=True,
        why="one build would overwrite another",
        finds=_prefix_faults,
        after=("build-order",),
    ),
    LockRule(
        id="build-commands",
        says="Every step and check of a build names a program.",
        stops=True,
        why="an empty command cannot run",
        finds=_command_faults,
    ),
    LockRule(
        id="placeholders",
        says="Steps, checks, variables and prefixes hold no placeholder of recipes.",
        stops=True,
        why="a lock is final: nothing is computed later but `{jobs}`",
        finds=_placeholder_faults,
    ),
    LockRule(
        id="named-prefixes",
        says="Steps name the prefixes of components that the build needs, and no others.",
        stops=True,
        why="the folder is not in that stage",
        finds=_named_prefix_faults,
        after=("build-order",),
    ),
    LockRule(
        id="named-folders",
        says="Folders of /opt that steps name are prefixes of builds.",
        stops=False,
        why="found in text: a step may make such a folder itself",
        finds=_named_folder_faults,
    ),
    LockRule(
        id="build-license",
        says="Every build has a license.",
        stops=False,
        why="the image is the same; license policies judge it",
        finds=_license_faults,
    ),
)
"""The rules of builds, causes before consequences."""
