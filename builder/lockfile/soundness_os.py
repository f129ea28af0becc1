"""OS packages, base images and repositories: of the target's architecture, one version of each. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.lockfile.finding import Finding, found
from builder.lockfile.integrity import BASE
from builder.lockfile.lock import RECIPE, REQUIRED, RUNTIME, Image, Lock, OsPackage, Repository
from builder.lockfile.shapes import MOMENT, NAME, SNAPSHOT, clean_path, in_order
from builder.model import Evidence

__all__ = ["os_faults"]

_DEBIAN, _RPM = "debian", "rpm"
_DEBIAN_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
_DEBIAN_VERSION = re.compile(r"(?:\d+:)?\d[0-9A-Za-z.+~-]*")
_RPM_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")
_RPM_VERSION = re.compile(r"(?:\d+:)?[A-Za-z0-9._+~^]+-[A-Za-z0-9._+~^]+")
_RPM_INDEXES = 2  # primary and filelists
_ROLES = ("build", RUNTIME)


def os_faults(lock: Lock) -> Iterator[Finding]:
    """Yield what is wrong with the images, repositories and OS packages of `lock`."""
    for image in lock.images:
        yield from (found("integrity", text, row=f"images {image.name}") for text in _image(image))
    if any(image.tar for image in lock.images) and not any(BASE in row.for_ for row in lock.os_packages):
        yield found("integrity", f"an assembled base needs os-packages for {BASE}", row="images")
    for row in lock.repositories:
        name = f"repositories {row.origin} {row.suite}"
        yield from (found("integrity", text, row=name) for text in _repository(row, lock.environment.family))
    suites = [(row.origin, row.suite) for row in lock.repositories]
    for origin, suite in sorted({suite for suite in suites if suites.count(suite) > 1}):
        yield found("integrity", "it is there twice", row=f"repositories {origin} {suite}")
    for package in lock.os_packages:
        yield from (found("integrity", text, row=_name(package)) for text in _package(package))
        if lock.environment.family == _DEBIAN:
            yield from _debian(package, lock)
        if lock.environment.family == _RPM:
            yield from _rpm(package, lock)
    yield from _versions(lock)
    yield from _reached(lock)


def _name(row: OsPackage) -> str:
    return f"os-packages {row.name} {row.version}"


def _image(image: Image) -> Iterator[str]:
    yield from in_order("roles", image.roles)
    yield from (f"{role!r} is no role" for role in image.roles if role not in _ROLES)
    if image.digest is None and (image.index_digest or image.tag):
        yield "only a published image has a tag and an index"
    if image.tar is not None and image.inventory:
        yield "an assembled base has os-packages, not an inventory"
    if image.by and image.evidence is not Evidence.DECLARED:
        yield "it says who declared it, and is not declared"
    names = tuple(line.partition("=")[0] for line in image.inventory)
    yield from in_order("inventory", image.inventory)
    yield from (
        f"inventory: {line!r} is no name=version"
        for line in image.inventory
        if not all(line.partition("=")[::2])
    )
    if len(set(names)) != len(names):
        yield "inventory has a package twice"


def _repository(row: Repository, family: str) -> Iterator[str]:
    if not MOMENT.fullmatch(row.date):
        yield f"its date {row.date!r} is no moment such as 2026-11-21T00:53:03Z"
    if not SNAPSHOT.fullmatch(row.snapshot):
        yield f"its snapshot {row.snapshot!r} is no time stamp such as 20261121T005303Z"
    if family == _RPM:
        yield from _rpm_repository(row)
    elif len(row.indexes) != len(row.components):
        yield f"it has {len(row.components)} components and {len(row.indexes)} indexes"
    elif not row.components or len(set(row.components)) != len(row.components):
        yield "its components are none, or one is there twice"
    if not NAME.fullmatch(row.origin):
        yield f"{row.origin!r} is no name of an origin"


def _rpm_repository(row: Repository) -> Iterator[str]:
    if len(row.indexes) != _RPM_INDEXES:
        yield f"it has {len(row.indexes)} indexes, not primary and filelists"
    if not clean_path(row.path):
        yield f"{row.path!r} is no folder below an archive"


def _package(row: OsPackage) -> Iterator[str]:
    if row.size <= 0:
        yield f"its size is {row.size}"
    if not clean_path(row.file):
        yield f"{row.file!r} is no file below an archive"


def _debian(row: OsPackage, lock: Lock) -> Iterator[Finding]:
    arch = lock.arch.debian
    if row.arch not in {arch, "all"}:
        yield found("target", f"it is for {row.arch}, not for {arch}", row=_name(row))
    if not _DEBIAN_NAME.fullmatch(row.name) or not _DEBIAN_VERSION.fullmatch(row.version):
        yield found("integrity", "its name or version is none of Debian's", row=_name(row))
    plain = row.version.partition(":")[2] or row.version
    file = f"{row.name}_{plain}_{row.arch}.deb"
    if row.basename != file:
        yield found("integrity", f"{row.basename} is not {file}", row=_name(row))


def _rpm(row: OsPackage, lock: Lock) -> Iterator[Finding]:
    arch = lock.arch.rpm
    if row.arch not in {arch, "noarch"}:
        yield found("target", f"it is for {row.arch}, not for {arch}", row=_name(row))
    if not _RPM_NAME.fullmatch(row.name) or not _RPM_VERSION.fullmatch(row.version):
        yield found("integrity", "its name or version is none of RPM's", row=_name(row))


def _versions(lock: Lock) -> Iterator[Finding]:
    """Yield packages that one environment would have in two versions; each stands on the base."""
    there: dict[tuple[str, str], OsPackage] = {}
    for row in lock.os_packages:
        for use in row.for_:
            other = there.setdefault((use, row.name), row)
            if other is not row:
                yield found("integrity", f"{use} has {other.version} of it too", row=_name(row))
    for (use, name), row in there.items():
        if use != BASE and there.get((BASE, name), row) is not row:
            yield found("integrity", f"{use} has another version of it than {BASE}", row=_name(row))


def _reached(lock: Lock) -> Iterator[Finding]:
    """Yield packages that nothing leads to in one of their environments; what stands on a base sees it."""
    if not any(row.via for row in lock.os_packages):
        return  # locks of older versions do not say who asks
    asks: dict[str, list[OsPackage]] = {}
    for row in lock.os_packages:
        for name in row.via:
            asks.setdefault(name, []).append(row)
    reached: set[tuple[str, str]] = set()
    roots = (*asks.get(RECIPE, ()), *asks.get(REQUIRED, ()))
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
            yield found("integrity", f"nothing asks for it in {', '.join(lost)}", row=_name(row))
