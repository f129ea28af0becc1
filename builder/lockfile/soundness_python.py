"""Python rows: usable by the target, asked for by somebody, one version in each environment. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from builder.errors import BuilderError
from builder.lockfile.finding import Finding, found
from builder.lockfile.lock import INSTALLER, RECIPE, Lock, PythonPackage
from builder.lockfile.shapes import NAME, clean_path, in_order
from builder.model import Evidence, target_tags, wheel_tags

__all__ = ["python_faults"]

_INSTALLER = "pip"


def python_faults(lock: Lock) -> Iterator[Finding]:
    """Yield what is wrong with the Python rows of `lock`."""
    for row in lock.python:
        for text in (*_row(row), *_via(row)):
            yield found("integrity", text, row=_name(row))
    yield from _environments(lock)
    yield from _reached(lock)
    yield from _tags(lock)
    installers = [row.name for row in lock.python if INSTALLER in row.for_]
    if lock.python and installers != [_INSTALLER]:
        yield found("integrity", f"exactly one row, {_INSTALLER}, must be for {INSTALLER}", row="python")


def _name(row: PythonPackage) -> str:
    return f"python {row.name} {row.version}"


def _row(row: PythonPackage) -> Iterator[str]:
    if row.name != canonicalize_name(row.name):
        yield f"its name is not normalised: {canonicalize_name(row.name)}"
    if not _is_version(row.version):
        yield f"{row.version!r} is no version in normal form"
    if row.build and (row.size is not None or row.path or row.by):
        yield "it is built, so it can have no size, path or publisher"
    if row.size is not None and row.size <= 0:
        yield f"its size is {row.size}"
    if row.path and not clean_path(row.path):
        yield f"its path {row.path!r} is no folder below an origin"
    if row.origin and not NAME.fullmatch(row.origin):
        yield f"{row.origin!r} is no name of an origin"
    if row.by and row.evidence is not Evidence.DECLARED:
        yield "it says who declared it, and is not declared"
    if row.license and not _is_license(row.license):
        yield f"license {row.license!r} is no SPDX expression in normal form"
    yield from in_order("extras", row.extras)


def _is_version(text: str) -> bool:
    try:
        return str(Version(text)) == text
    except InvalidVersion:
        return False


def _is_license(text: str) -> bool:
    try:
        return canonicalize_license_expression(text) == text
    except InvalidLicenseExpression:
        return False


def _via(row: PythonPackage) -> Iterator[str]:
    if not row.via:
        yield "via is empty: nothing asks for it"
    yield from in_order("via", row.via)
    if row.name in row.via:
        yield "via names itself"


def _environments(lock: Lock) -> Iterator[Finding]:
    """Yield names that one environment has twice, and askers that it has not."""
    there: dict[tuple[str, str], PythonPackage] = {}
    for row in lock.python:
        for use in row.for_:
            other = there.setdefault((use, row.name), row)
            if other is not row:
                yield found("integrity", f"{use} has {other.version} of it too", row=_name(row))
    for row in lock.python:
        for name in row.via:
            if name not in {RECIPE, row.name} and not any((use, name) in there for use in row.for_):
                yield found("integrity", f"via names {name}, which is not there", row=_name(row))


def _reached(lock: Lock) -> Iterator[Finding]:
    """Yield rows that no root leads to: each is asked for, but only by one another."""
    asks: dict[str, list[PythonPackage]] = {}
    for row in lock.python:
        for name in row.via:
            asks.setdefault(name, []).append(row)
    reached: set[tuple[str, str]] = set()
    waiting = [(use, row) for row in asks.get(RECIPE, ()) for use in row.for_]
    while waiting:
        use, row = waiting.pop()
        if (use, row.name) not in reached:
            reached.add((use, row.name))
            waiting += [(use, other) for other in asks.get(row.name, ()) if use in other.for_]
    for row in lock.python:
        lost = [use for use in row.for_ if (use, row.name) not in reached]
        if lost and row.via:
            yield found("integrity", f"no root leads to it in {', '.join(lost)}", row=_name(row))


def _tags(lock: Lock) -> Iterator[Finding]:
    try:
        usable = target_tags(lock.arch, lock.environment.glibc, lock.environment.python)
    except BuilderError as error:
        yield found("integrity", str(error), row="environment")
        return
    for row in lock.python:
        tags = wheel_tags(row.file) if row.file else frozenset()
        if tags and not any(tag in usable for tag in tags):
            target = f"Python {lock.environment.python}, glibc {lock.environment.glibc}, {lock.arch}"
            yield found("target", f"{row.file} is not for {target}", row=_name(row))
