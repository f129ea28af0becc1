"""Which versions a release has, and which CUDA each framework: from its locks, else from its recipe. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from builder.lockfile import RUNTIME, Lock, cuda_version, is_cuda_runtime
from builder.recipe import Library, Release

__all__ = ["Accelerated", "ReleaseVersions", "accelerators", "cuda_of", "newest_first", "versions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseVersions:
    """The versions of one thing in one release; several where frameworks or platforms differ."""

    release: str
    name: str
    versions: tuple[str, ...]
    locked: bool
    """Whether locks hold them, or the release's recipe alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerated:
    """The CUDA of one framework in one release on one platform."""

    release: str
    framework: str
    platform: str
    toolkit: str
    """Of the platform, such as `13.0`; empty if it has none."""
    libraries: str
    """Of the CUDA libraries among the wheels, such as `12.8`; empty without any."""
    arches: tuple[str, ...]


def newest_first(library: Library, named: Collection[str] = ()) -> tuple[Release, ...]:
    """Return the project's own releases, and those of the catalogue that are `named`, newest first."""
    known = {version: row for version, row in library.releases.items() if version in named}
    ordered = sorted(
        {**library.own_releases, **known}.values(), key=lambda release: (release.date, release.version)
    )
    return tuple(reversed(ordered))


def versions(library: Library, locks: Sequence[Lock]) -> tuple[ReleaseVersions, ...]:
    """Return every component and root of every release, newest release first, names sorted."""
    families = {
        distribution: name
        for name, component in library.components.items()
        for distribution in component.python.family
    }
    found = []
    for release in newest_first(library):
        stated = _stated_versions(release)
        held = _locked_versions((lock for lock in locks if lock.release == release.version), stated, families)
        found += [
            ReleaseVersions(
                release=release.version,
                name=name,
                versions=tuple(sorted(held.get(name) or stated[name])),
                locked=name in held,
            )
            for name in sorted(stated)
        ]
    return tuple(found)


def _stated_versions(release: Release) -> dict[str, set[str]]:
    """Return what the recipe says, by name; the installer is not part of an image."""
    found: dict[str, set[str]] = {}
    tables = [table for name, table in release.python.items() if name != "installer"]
    for table in (release.components, *release.framework_components.values(), *tables):
        for name, version in table:
            found.setdefault(name, set()).add(version)
    return found


def _locked_versions(
    locks: Iterable[Lock], names: Mapping[str, object], families: Mapping[str, str]
) -> dict[str, set[str]]:
    """Return what locks hold of `names`; a distribution speaks for the component whose version it has."""
    found: dict[str, set[str]] = {}
    for lock in locks:
        for name, version in _named_version_rows(lock):
            for meant in {name, families.get(name, name)} & set(names):
                found.setdefault(meant, set()).add(version)
    return found


def _named_version_rows(lock: Lock) -> Iterator[tuple[str, str]]:
    yield from ((build.component, build.version) for build in lock.builds)
    yield from ((source.component, source.version) for source in lock.sources)
    yield from ((row.name, row.version) for row in lock.python if RUNTIME in row.for_)


def cuda_of(lock: Lock) -> str:
    """Return the CUDA version of the libraries in a lock's image, such as `12.8`; empty without."""
    found = [row.version for row in lock.python if RUNTIME in row.for_ and is_cuda_runtime(row.name)]
    return str(cuda_version(found[0]) or "") if found else ""


def accelerators(locks: Iterable[Lock]) -> tuple[Accelerated, ...]:
    """Return the CUDA of each locked image that has any, in order; architectures that agree are one row."""
    found: dict[tuple[str, str, str, str, str], set[str]] = {}
    for lock in locks:
        toolkit, libraries = lock.environment.cuda, cuda_of(lock)
        if toolkit or libraries:
            key = (lock.release, lock.framework, lock.platform, toolkit, libraries)
            found.setdefault(key, set()).add(lock.arch)
    return tuple(
        Accelerated(
            release=key[0],
            framework=key[1],
            platform=key[2],
            toolkit=key[3],
            libraries=key[4],
            arches=tuple(sorted(arches, reverse=True)),
        )
        for key, arches in found.items()
    )
