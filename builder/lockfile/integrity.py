"""The integrity of a lock, judged from the lock alone.

* canonical: the bytes are those that the program would write
* ordered and unique: rows are sorted by identity, none is there twice
* closed: no reference dangles, no row is unused
* complete: every row that enters an image says by which digest
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from builder.lockfile.interpreter import interpreter_findings
from builder.lockfile.lock import (
    INSTALLER,
    RECIPE,
    REQUIRED,
    RUNTIME,
    Archive,
    Image,
    Lock,
    OsPackage,
    PythonPackage,
)
from builder.model import Evidence, ImageDigest, Sha256

__all__ = ["BASE", "findings", "first_difference", "row_key", "summary_digest"]

_DEBIAN, _RPM = ("components", "inrelease"), ("path", "repomd", "signature")
_SIGNED = {"debian": (_DEBIAN, _RPM), "rpm": (_RPM, _DEBIAN)}

BASE = "base"
"""The environment of an assembled base image's own packages."""

_FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")
_LICENSE = re.compile(r"\(*[A-Za-z0-9.+-]+\)*( (AND|OR|WITH) \(*[A-Za-z0-9.+-]+\)*)*")


def findings(lock: Lock) -> Iterator[str]:
    """Yield what is wrong with `lock`, as one sentence each; nothing for a sound one."""
    yield from _order(lock)
    yield from _images(lock)
    yield from _python(lock)
    yield from _builds(lock)
    yield from interpreter_findings(lock)
    yield from _uses(lock)
    yield from _origins(lock)
    yield from _repositories(lock)
    yield from _askers(lock)
    yield from _signers(lock)
    if lock.recipe_digest != summary_digest(lock.inputs):
        yield "recipe-digest is not the digest of inputs"


def summary_digest(inputs: Iterable[tuple[str, str]]) -> ImageDigest:
    """Return the digest of a table of input digests."""
    text = "".join(f"{key} {value}\n" for key, value in sorted(inputs))
    return ImageDigest(f"sha256:{Sha256.of(text.encode())}")


def row_key(row: object) -> tuple[str, ...]:
    """Return what a row is identified and ordered by."""
    names = ("component", "name", "suite", "version", "arch", "file", "origin", "build", "for_")
    parts = (getattr(row, name, "") for name in names)
    return tuple(" ".join(part) if isinstance(part, tuple) else str(part) for part in parts)


def first_difference(canonical: bytes, found: bytes) -> int:
    """Return the number of the first line that is not the same, from 1."""
    lines = zip(canonical.split(b"\n"), found.split(b"\n"), strict=False)
    for number, (left, right) in enumerate(lines, start=1):
        if left != right:
            return number
    return min(canonical.count(b"\n"), found.count(b"\n")) + 1


def _order(lock: Lock) -> Iterator[str]:
    for name in ("sources", "archives", "python", "os_packages"):
        rows = getattr(lock, name)
        for left, right in pairwise(map(row_key, rows)):
            shown = " ".join(part for part in right if part)
            if left == right:
                yield f"{name.replace('_', '-')}: {shown} is there twice"
            elif left > right:
                yield f"{name.replace('_', '-')}: {shown} is out of order"
    seen: set[str] = set()
    for build in lock.builds:
        if build.component in seen:
            yield f"builds: {build.component} is there twice"
        for need in build.needs:
            if need not in seen:
                yield f"builds: {build.component} needs {need}, which is not built before it"
        seen.add(build.component)


def _images(lock: Lock) -> Iterator[str]:
    for role in ("build", RUNTIME):
        count = sum(role in image.roles for image in lock.images)
        if count != 1:
            yield f"images: {count} images have the role {role}, expected one"
    yield from (f"images: {image.name}: {why}" for image in lock.images for why in _image(image))


def _image(image: Image) -> Iterator[str]:
    if (image.digest is None) == (image.tar is None):
        yield "expected either digest or tar"
    if image.digest is not None and not image.tag:
        yield "a digest needs its tag beside it"
    if image.evidence is Evidence.DECLARED and not image.by:
        yield "declared, but it does not say by whom"


def _python(lock: Lock) -> Iterator[str]:
    makers = {(build.component, wheel) for build in lock.builds for wheel in build.wheels}
    for row in lock.python:
        yield from (f"python: {row.name} {row.version}: {why}" for why in _python_row(row, makers))
    named = {(row.build, row.name) for row in lock.python if row.build}
    for component, wheel in sorted(makers - named):
        yield f"builds: {component} makes {wheel}, which no python row installs"


def _python_row(row: PythonPackage, makers: set[tuple[str, str]]) -> Iterator[str]:
    fetched = (row.file, row.sha256, row.origin, row.evidence)
    if row.build and any(fetched):
        yield "it is built, so it can have no file, sha256, origin or evidence"
    elif row.build and (row.build, row.name) not in makers:
        yield f"build {row.build} does not make it"
    elif not row.build and not all(fetched):
        yield "incomplete: it needs file, sha256, origin and evidence, or a build"
    if row.evidence is Evidence.DECLARED and not row.by:
        yield "declared, but it does not say by whom"
    if row.license and not _LICENSE.fullmatch(row.license):
        yield f"license {row.license!r} is no SPDX expression"
    if row.file:
        yield from _wheel_name(row)


def _wheel_name(row: PythonPackage) -> Iterator[str]:
    """Yield where a file name says something else than its row: a swapped file shows here."""
    try:
        name, version, _, _ = parse_wheel_filename(row.file)
        Version(row.version)
    except (InvalidWheelFilename, InvalidVersion):
        yield f"{row.file!r} is not the file name of a wheel"
        return
    if name != canonicalize_name(row.name) or str(version) != row.version:
        yield f"{row.file} is a wheel of {name} {version}"


def _builds(lock: Lock) -> Iterator[str]:
    sources = {row.component: row.version for row in lock.sources}
    archives = {(row.component, row.file): row for row in lock.archives}
    for build in lock.builds:
        version = sources.get(build.component, build.version)
        if version != build.version:
            yield f"builds: {build.component} is {build.version}, its source is {version}"
        for file in build.archives:
            if (build.component, file) not in archives:
                yield f"builds: {build.component} reads {file}, which is no archive of it"
    named = {(build.component, file) for build in lock.builds for file in build.archives}
    built = {build.component for build in lock.builds}
    yield from (f"archives: no build reads {file}" for _, file in sorted(archives.keys() - named))
    yield from (f"sources: no build uses {name}" for name in sorted(sources.keys() - built))
    yield from (f"archives: {row.file}: {why}" for row in lock.archives for why in _archive(row))


def _archive(row: Archive) -> Iterator[str]:
    if "/" in row.file or row.file in {"", ".", ".."}:
        yield "not a plain file name"
    if row.evidence is Evidence.DECLARED and not row.by:
        yield "declared, but it does not say by whom"


def _uses(lock: Lock) -> Iterator[str]:
    built = {build.component for build in lock.builds}
    allowed = built | {RUNTIME}
    for row in lock.python:
        yield from _use(f"python: {row.name} {row.version}", row.for_, allowed | {INSTALLER})
    if any(image.tar for image in lock.images):
        allowed = allowed | {BASE}
    for package in lock.os_packages:
        yield from _use(f"os-packages: {package.name} {package.version}", package.for_, allowed)


def _use(row: str, uses: tuple[str, ...], allowed: set[str]) -> Iterator[str]:
    if not uses:
        yield f"{row} is used by nothing"
    if list(uses) != sorted(set(uses)):
        yield f"{row}: its uses are not sorted and unique"
    for name in uses:
        if name not in allowed:
            yield f"{row} is for {name}, which is neither a build nor {RUNTIME}"


def _origins(lock: Lock) -> Iterator[str]:
    known = {repository.origin for repository in lock.repositories}
    for package in lock.os_packages:
        if package.origin not in known:
            yield f"os-packages: {package.name} comes from {package.origin}, which is no repository"
        stated = _file_name(package, lock.environment.family)
        if package.basename != stated:
            yield f"os-packages: {package.name}: {package.basename} is not {stated}"
        if package.file.startswith("/") or ".." in package.file.split("/"):
            yield f"os-packages: {package.name}: {package.file!r} leaves the archive"


def _askers(lock: Lock) -> Iterator[str]:
    """Yield where `via` names nothing that is there; older locks have none for OS packages."""
    known = {package.name for package in lock.os_packages} | {RECIPE, REQUIRED}
    for package in lock.os_packages:
        if list(package.via) != sorted(set(package.via)):
            yield f"os-packages: {package.name}: via is not sorted and unique"
        for name in package.via:
            if name not in known:
                yield f"os-packages: {package.name} is there for {name}, which is no OS package of the lock"


def _repositories(lock: Lock) -> Iterator[str]:
    """Yield what a repository lacks, or has of the other family."""
    own, others = _SIGNED.get(lock.environment.family, ((), ()))
    for row in lock.repositories:
        for key in ("date", "snapshot", "indexes", *own):
            if not getattr(row, key):
                yield f"repositories: {row.suite}: {key} is missing"
        for key in others:
            if getattr(row, key):
                yield f"repositories: {row.suite}: {key} is not of the family {lock.environment.family}"


def _signers(lock: Lock) -> Iterator[str]:
    for repository in lock.repositories:
        if list(repository.signed_by) != sorted(set(repository.signed_by)):
            yield f"repositories: {repository.suite}: signed-by is not sorted and unique"
        for fingerprint in repository.signed_by:
            if not _FINGERPRINT.fullmatch(fingerprint):
                yield f"repositories: {repository.suite}: {fingerprint!r} is no fingerprint"


def _file_name(package: OsPackage, family: str) -> str:
    """Return how the archive must call a package's file: a swapped file shows here."""
    version = package.version.partition(":")[2] or package.version
    if family == "rpm":
        return f"{package.name}-{version}.{package.arch}.rpm"
    return f"{package.name}_{version}_{package.arch}.deb"
