"""The Debian or Ubuntu archive of a platform: pinned InRelease files, verified indexes, one universe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from builder.errors import FetchError
from builder.fetch import Session
from builder.lockfile import Repository
from builder.model import Arch, Sha256
from builder.recipe import Library, RepositoryRecipe
from builder.resolve.debian.closure import base_set, resolve
from builder.resolve.debian.index import parse_packages
from builder.resolve.debian.inventory import InstalledDeb
from builder.resolve.debian.release import InRelease, check_suite, check_window, read_inrelease
from builder.resolve.debian.universe import PackagesIndex, Universe
from builder.resolve.os import PackageChoice, pinned_moment, snapshot_stamp, utc_rfc3339

__all__ = ["DebianArchive", "index_folder", "open_debian_archive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DebianArchive:
    """The suites of a platform for one architecture; packages are read when they are first asked for.

    Fulfils `resolve.os.OsArchive`.
    """

    arch: Arch
    repositories: tuple[Repository, ...]
    releases: tuple[tuple[RepositoryRecipe, InRelease], ...]
    session: Session

    def universe(self) -> Universe:
        """Return all packages of all suites; every caller shares one."""
        key = (self.repositories, self.arch, "universe")
        return cast("Universe", self.session.once.get(key, self._read_universe))

    def identity(self) -> tuple[object, ...]:
        """Return the digests of the signed indexes, and the architecture."""
        return (self.arch, [[row.suite, row.inrelease, *row.indexes] for row in self.repositories])

    def assembled_base(self, extra: tuple[str, ...]) -> tuple[PackageChoice, ...]:
        """Return the essential and required packages, `extra`, and what these depend on."""
        return base_set(self.universe(), extra)

    def closure(self, inventory: tuple[str, ...], requests: tuple[str, ...]) -> tuple[PackageChoice, ...]:
        """Return what apt would install for `requests` on a base of `inventory`."""
        return resolve(self.universe(), self._inventory_rows(inventory), requests)

    def address(self, choice: PackageChoice) -> tuple[str, str]:
        """Return the origin of a package's file and its path; the index states it from the archive's root."""
        suite = choice.index.partition("/")[0]
        return next(row.origin for row in self.repositories if row.suite == suite), choice.filename

    def _inventory_rows(self, inventory: tuple[str, ...]) -> tuple[InstalledDeb, ...]:
        """Return the lines of an inventory with their architecture, which a published list leaves out."""
        universe = self.universe()
        rows = []
        for line in inventory:
            name, _, version = line.partition("=")
            known = universe.find(name, version) or universe.newest(name)
            rows.append(InstalledDeb(name=name, version=version, arch=known.arch if known else universe.arch))
        return tuple(rows)

    def _read_universe(self) -> Universe:
        indices = []
        for repository, release in self.releases:
            for component in repository.components:
                label = f"{repository.suite}/{component}"
                data = _packages_index(repository, component, self.arch, release, self.session)
                indices.append(PackagesIndex(label=label, stanzas=parse_packages(data, place=label)))
        return Universe.of(self.arch.debian, indices)


def open_debian_archive(
    repositories: tuple[RepositoryRecipe, ...], arch: Arch, *, library: Library, session: Session
) -> DebianArchive:
    """Return the archive of `repositories`, its signatures and validity checked; callers share one."""

    def make() -> DebianArchive:
        releases = tuple((row, _pinned_release(row, library, session)) for row in repositories)
        rows = tuple(_repository_row(repository, release, arch) for repository, release in releases)
        return DebianArchive(arch=arch, repositories=rows, releases=releases, session=session)

    return cast("DebianArchive", session.once.get((repositories, arch), make))


def index_folder(repository: RepositoryRecipe) -> str:
    """Return the folder below recipes/indexes that keeps the pinned index files of a suite."""
    return f"{repository.suite}-{snapshot_stamp(pinned_moment(repository))}"


def _pinned_release(repository: RepositoryRecipe, library: Library, session: Session) -> InRelease:
    """Obtain the pinned InRelease, and check its signature and its validity at the pinned moment."""
    if repository.inrelease is None or not repository.at:
        raise FetchError(
            "its InRelease is not pinned",
            place=f"suite {repository.suite}",
            hint="run `python -m builder pin repositories`",
        )
    place = f"{repository.origin} {repository.suite} InRelease"
    path = f"dists/{repository.suite}/InRelease"
    data = session.obtain(
        repository.inrelease,
        (_archive_url(repository, path, session),),
        kept=_kept_index(repository, "InRelease", session),
        label=place,
    )
    keys = tuple(library.keys[name] for name in repository.keys)
    release = read_inrelease(data, keys, place=place)
    check_suite(release, repository.suite)
    check_window(release, pinned_moment(repository))
    return release


def _packages_index(
    repository: RepositoryRecipe, component: str, arch: Arch, release: InRelease, session: Session
) -> bytes:
    path = release.packages_path(component, arch)
    sha256, _ = release.index_entry(path)
    base = f"dists/{repository.suite}"
    urls = (
        _archive_url(repository, f"{base}/{release.by_hash(path)}", session),
        _archive_url(repository, f"{base}/{path}", session),
    )
    name = f"{component}-{arch.debian}.{path.rpartition('/')[2]}"
    kept = _kept_index(repository, name, session)
    return session.obtain(sha256, urls, kept=kept, label=f"{repository.suite} {path}")


def _archive_url(repository: RepositoryRecipe, path: str, session: Session) -> str:
    return session.origins.archive_url(repository.origin, snapshot_stamp(pinned_moment(repository)), path)


def _kept_index(repository: RepositoryRecipe, name: str, session: Session) -> Path:
    return session.kept_index(index_folder(repository), name)


def _repository_row(repository: RepositoryRecipe, release: InRelease, arch: Arch) -> Repository:
    paths = (release.packages_path(component, arch) for component in repository.components)
    return Repository(
        origin=repository.origin,
        suite=repository.suite,
        components=repository.components,
        date=utc_rfc3339(release.date),
        snapshot=snapshot_stamp(pinned_moment(repository)),
        inrelease=Sha256(str(repository.inrelease)),
        indexes=tuple(Sha256(release.index_entry(path)[0]) for path in paths),
        signed_by=tuple(sorted(fingerprint.upper() for fingerprint in release.signers)),
    )
