"""Builds and what they read: prefixes that exist, results that somebody uses, values all filled in. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.lockfile.finding import Finding, found
from builder.lockfile.lock import Archive, Build, GitSource, Lock
from builder.lockfile.shapes import NAME, clean_folder, clean_path, in_order
from builder.model import Evidence

__all__ = ["build_faults"]

_PLACEHOLDER = re.compile(r"\{(?!jobs\})[a-z][a-z-]*(?::[^{}\s]*)?\}")
_BELOW_OPT = re.compile(r"/opt/[A-Za-z0-9._+-]+")
_OURS = frozenset({"/opt/build-env", "/opt/dynamo"})
"""The Python environments of a build and of the image."""


def build_faults(lock: Lock) -> Iterator[Finding]:
    """Yield what is wrong with the builds, sources and archives of `lock`."""
    for build in lock.builds:
        texts = (*_build(build), *_mentions(build, lock))
        yield from (found("integrity", text, row=_name(build)) for text in texts)
    yield from _prefixes(lock)
    for source in lock.sources:
        row = f"sources {source.component} {source.version}"
        yield from (found("integrity", text, row=row) for text in _source(source))
    versions = {build.component: build.version for build in lock.builds}
    for archive in lock.archives:
        row = f"archives {archive.file}"
        yield from (found("integrity", text, row=row) for text in _archive(archive, versions))


def _name(build: Build) -> str:
    return f"builds {build.component} {build.version}"


def _build(build: Build) -> Iterator[str]:
    for what in ("needs", "archives", "wheels"):
        yield from in_order(what, getattr(build, what))
    if not NAME.fullmatch(build.component):
        yield f"{build.component!r} is no name of a component"
    if build.prefix and not clean_folder(build.prefix):
        yield f"its prefix {build.prefix!r} is no absolute folder"
    if build.runtime and not build.prefix:
        yield "it is for runtime, and has no prefix to copy"
    if not build.license:
        yield "it has no licence"
    steps = (*build.steps, *(check.run for check in build.checks))
    if any(not step or not step[0] for step in steps):
        yield "a step is empty"
    values = (build.prefix, *(value for _, value in build.env), *(word for step in steps for word in step))
    yield from sorted(
        {f"{match[0]} was not filled in" for text in values for match in _PLACEHOLDER.finditer(text)}
    )


def _mentions(build: Build, lock: Lock) -> Iterator[str]:
    """Yield prefixes that the steps name and that will not be there."""
    text = "\n".join((*(word for step in build.steps for word in step), *(value for _, value in build.env)))
    there = {build.component, *build.needs}
    prefixes = {other.prefix: other.component for other in lock.builds if other.prefix}
    for prefix, component in sorted(prefixes.items()):
        if component not in there and re.search(rf"{re.escape(prefix)}(?![A-Za-z0-9._+-])", text):
            yield f"its steps name {prefix}, the prefix of {component}, which is none of its needs"
    for folder in sorted(set(_BELOW_OPT.findall(text)) - _OURS):
        if not any(prefix == folder or prefix.startswith(f"{folder}/") for prefix in prefixes):
            yield f"its steps name {folder}, which is the prefix of no build"


def _prefixes(lock: Lock) -> Iterator[Finding]:
    placed = [build for build in lock.builds if build.prefix]
    for build in placed:
        for other in placed:
            if other is not build and f"{build.prefix}/".startswith(f"{other.prefix}/"):
                text = f"its prefix {build.prefix} is in that of {other.component}"
                yield found("integrity", text, row=_name(build))


def _source(source: GitSource) -> Iterator[str]:
    if not source.tag and not source.reason:
        yield "a commit without a tag needs a reason"
    for submodule in source.submodules:
        if not clean_path(submodule.path):
            yield f"submodule {submodule.path!r} is not below the source"
    paths = tuple(submodule.path for submodule in source.submodules)
    yield from in_order("submodules", paths)
    yield from in_order("omitted", source.omitted)
    for path in source.omitted:
        if not clean_path(path):
            yield f"{path!r}, which is left out, is not below the source"
    for path in sorted({*paths} & {*source.omitted}):
        yield f"submodule {path} is both locked and left out"
    for url in (source.git, *(submodule.git for submodule in source.submodules)):
        if not url.startswith("https://") or "@" in url or any(mark in url for mark in " ?#"):
            yield f"{url!r} is no public https address"


def _archive(row: Archive, versions: dict[str, str]) -> Iterator[str]:
    if versions.get(row.component, row.version) != row.version:
        yield f"it is of version {row.version}, its build of {versions[row.component]}"
    if row.size is not None and row.size <= 0:
        yield f"its size is {row.size}"
    if row.path and not clean_path(row.path):
        yield f"its path {row.path!r} is no folder below an origin"
    if not NAME.fullmatch(row.origin):
        yield f"{row.origin!r} is no name of an origin"
    if row.by and row.evidence is not Evidence.DECLARED:
        yield "it says who declared it, and is not declared"
