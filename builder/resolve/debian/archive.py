"""The OS package archive of a platform: pinned InRelease files, verified indexes, one universe for all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

from builder.errors import FetchError, RecipeError
from builder.fetch import Session
from builder.lockfile import Repository
from builder.model import Arch, Sha256
from builder.recipe import Library, RepositoryRecipe
from builder.resolve.debian.index import parse_packages
from builder.resolve.debian.release import Release, check_suite, check_window, read_inrelease
from builder.resolve.debian.universe import Index, Universe

__all__ = ["Archive", "open_archive"]

_SUFFIXES = (".xz", ".gz", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The suites of a platform for one architecture; packages are read when they are first asked for."""

    arch: Arch
    repositories: tuple[Repository, ...]
    releases: tuple[tuple[RepositoryRecipe, Release], ...]
    session: Session

    def universe(self) -> Universe:
        """Return all packages of all suites; every caller shares one."""
        key = (self.repositories, self.arch, "universe")
        return cast("Universe", self.session.once.get(key, self._read))

    def origin(self, label: str) -> str:
        """Return the origin of the index that the universe knows as `label`."""
        suite = label.partition("/")[0]
        return next(row.origin for row in self.repositories if row.suite == suite)

    def _read(self) -> Universe:
        indices = []
        for repository, release in self.releases:
            for component in repository.components:
                label = f"{repository.suite}/{component}"
                data = _packages(repository, component, self.arch, release, self.session)
                indices.append(Index(label=label, stanzas=parse_packages(data, place=label)))
        return Universe.of(self.arch.debian, indices)


def open_archive(
    repositories: tuple[RepositoryRecipe, ...], arch: Arch, *, library: Library, session: Session
) -> Archive:
    """Return the archive of `repositories`, its signatures and validity checked; callers share one."""

    def make() -> Archive:
        releases = tuple((row, _release(row, library, session)) for row in repositories)
        rows = tuple(_row(repository, release, arch) for repository, release in releases)
        return Archive(arch=arch, repositories=rows, releases=releases, session=session)

    return cast("Archive", session.once.get((repositories, arch), make))


def _release(repository: RepositoryRecipe, library: Library, session: Session) -> Release:
    """Obtain the pinned InRelease, and check its signature and its validity at the pinned moment."""
    if repository.inrelease is None or not repository.at:
        raise FetchError(
            "its InRelease is not pinned",
            place=f"suite {repository.suite}",
            hint="run scripts/pin repositories",
        )
    place = f"{repository.origin} {repository.suite} InRelease"
    path = f"dists/{repository.suite}/InRelease"
    data = session.obtain(
        repository.inrelease,
        (_url(repository, path, session),),
        kept=_kept(repository, "InRelease", session),
        label=place,
    )
    keys = tuple(library.keys[name] for name in repository.keys)
    release = read_inrelease(data, keys, place=place)
    check_suite(release, repository.suite)
    check_window(release, _moment(repository))
    return release


def _moment(repository: RepositoryRecipe) -> datetime:
    try:
        moment = datetime.fromisoformat(repository.at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise RecipeError(
            f"{repository.at!r} is not a moment such as 2026-11-22T18:00:00Z",
            place=f"suite {repository.suite}: at",
        )
    return moment


def _snapshot(repository: RepositoryRecipe) -> str:
    return _moment(repository).strftime("%Y%m%dT%H%M%SZ")


def _listed(component: str, arch: Arch, release: Release) -> str:
    """Return the path of a package index below its suite, in the smallest form that is listed."""
    path = f"{component}/binary-{arch.debian}/Packages"
    return next((path + suffix for suffix in _SUFFIXES if path + suffix in release.entries), path)


def _packages(
    repository: RepositoryRecipe, component: str, arch: Arch, release: Release, session: Session
) -> bytes:
    path = _listed(component, arch, release)
    sha256, _ = release.index_entry(path)
    base = f"dists/{repository.suite}"
    urls = (
        _url(repository, f"{base}/{release.by_hash(path)}", session),
        _url(repository, f"{base}/{path}", session),
    )
    name = f"{component}-{arch.debian}.{path.rpartition('/')[2]}"
    kept = _kept(repository, name, session)
    return session.obtain(sha256, urls, kept=kept, label=f"{repository.suite} {path}")


def _url(repository: RepositoryRecipe, path: str, session: Session) -> str:
    return session.origins.archive_url(repository.origin, _snapshot(repository), path)


def _kept(repository: RepositoryRecipe, name: str, session: Session) -> Path:
    return session.recipes / "indexes" / f"{repository.suite}-{_snapshot(repository)}" / name


def _row(repository: RepositoryRecipe, release: Release, arch: Arch) -> Repository:
    indexes = (release.index_entry(_listed(component, arch, release)) for component in repository.components)
    return Repository(
        origin=repository.origin,
        suite=repository.suite,
        components=repository.components,
        date=release.date.strftime("%Y-%m-%dT%H:%M:%SZ"),
        snapshot=_snapshot(repository),
        inrelease=Sha256(str(repository.inrelease)),
        indexes=tuple(Sha256(sha256) for sha256, _ in indexes),
        signed_by=tuple(sorted(fingerprint.upper() for fingerprint in release.signers)),
    )
