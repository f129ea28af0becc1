"""The RPM repositories of a platform: pinned repomd.xml files, verified metadata, one libsolv pool."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import cast

from builder.errors import FetchError, RecipeError
from builder.fetch import Session
from builder.lockfile import Repository
from builder.model import Arch, Sha256
from builder.recipe import Library, RepomdRecipe, RepositoryRecipe
from builder.resolve.os import PackageChoice, pinned_moment, snapshot_stamp, utc_rfc3339
from builder.resolve.rpm.closure import resolve
from builder.resolve.rpm.places import index_folder, repository_path
from builder.resolve.rpm.pool import RepositorySource, RpmPool
from builder.resolve.rpm.repomd import RepodataFile, Repomd, check_moment, read_repomd, repodata_text

__all__ = ["RpmArchive", "open_rpm_archive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RpmArchive:
    """The repositories of a platform for one architecture; packages are read when first asked for.

    Fulfils `resolve.os.OsArchive`.
    """

    arch: Arch
    repositories: tuple[Repository, ...]
    opened: tuple[tuple[RepositoryRecipe, Repomd], ...]
    session: Session

    def pool_of(self, inventory: tuple[str, ...]) -> RpmPool:
        """Return a base of `inventory` and all packages of all repositories; every caller shares one pool."""

        def make() -> RpmPool:
            sources = [self._repository_source(recipe, repomd) for recipe, repomd in self.opened]
            return RpmPool.of(self.arch, inventory, sources)

        return cast("RpmPool", self.session.once.get((self.repositories, self.arch, inventory), make))

    def identity(self) -> tuple[object, ...]:
        """Return the solver's version, the architecture, and the digests and ranks of the repositories."""
        pins = [
            [row.suite, row.repomd, recipe.priority, *row.indexes]
            for row, (recipe, _) in zip(self.repositories, self.opened, strict=True)
        ]
        return (version("solv"), self.arch, pins)

    def assembled_base(self, extra: tuple[str, ...]) -> tuple[PackageChoice, ...]:
        """Raise RecipeError: no base is assembled from RPM packages."""
        raise RecipeError(
            f"no base is assembled from RPM packages (here of {', '.join(extra) or 'nothing'})",
            place=f"repository {self.repositories[0].suite}",
            hint="name a published image for this architecture below `images`",
        )

    def closure(self, inventory: tuple[str, ...], requests: tuple[str, ...]) -> tuple[PackageChoice, ...]:
        """Return what dnf would install for `requests` on a base of `inventory`."""
        return resolve(self.pool_of(inventory), requests)

    def address(self, choice: PackageChoice) -> tuple[str, str]:
        """Return the origin of a package's file and its path; the index states it from the repository.

        A location may lead out of its repository to a folder that several
        share, as Amazon's do, and never out of the origin.
        """
        row = next(row for row in self.repositories if row.suite == choice.index)
        path = posixpath.normpath(posixpath.join(row.path, choice.filename))
        if path.startswith(("../", "/")) or path in {"..", "."}:
            raise FetchError(
                f"{choice.filename[:80]!a} leaves the origin", place=f"repository {choice.index}"
            )
        return row.origin, path

    def _repository_source(self, recipe: RepositoryRecipe, repomd: Repomd) -> RepositorySource:
        def text(entry: RepodataFile) -> bytes:
            place = f"repository {recipe.suite}: {entry.path}"
            url = _repodata_url(recipe, self.arch, entry.path, self.session)
            kept = _kept_index(recipe, self.arch, entry.path.rpartition("/")[2], self.session)
            data = self.session.obtain(entry.sha256, (url,), kept=kept, label=place)
            return repodata_text(data, entry, place=place)

        filelists: Callable[[], bytes] = lambda: text(repomd.filelists)  # noqa: E731 - read only when needed
        return RepositorySource(
            label=recipe.suite,
            primary=text(repomd.primary),
            filelists=filelists,
            priority=recipe.priority,
        )


def open_rpm_archive(
    repositories: tuple[RepositoryRecipe, ...], arch: Arch, *, library: Library, session: Session
) -> RpmArchive:
    """Return the archive of `repositories`, its signatures and dates checked; callers share one."""

    def make() -> RpmArchive:
        opened = tuple((row, _pinned_repomd(row, arch, library, session)) for row in repositories)
        rows = tuple(_repository_row(recipe, repomd, arch) for recipe, repomd in opened)
        return RpmArchive(arch=arch, repositories=rows, opened=opened, session=session)

    return cast("RpmArchive", session.once.get((repositories, arch), make))


def _pinned_repomd(recipe: RepositoryRecipe, arch: Arch, library: Library, session: Session) -> Repomd:
    """Obtain the pinned repomd.xml and its signature, and check both at the pinned moment."""
    pinned = _repomd_pin(recipe, arch)
    data = _signed_file(recipe, arch, "repomd.xml", pinned.sha256, session)
    signature = _signed_file(recipe, arch, "repomd.xml.asc", pinned.signature, session)
    keys = tuple(library.keys[name] for name in recipe.keys)
    repomd = read_repomd(data, signature, keys, place=f"{recipe.origin} {recipe.suite} repomd.xml")
    check_moment(repomd, pinned_moment(recipe))
    return repomd


def _repomd_pin(recipe: RepositoryRecipe, arch: Arch) -> RepomdRecipe:
    found = [row for row in recipe.repomd if row.arch == arch]
    if not found or not recipe.at:
        raise FetchError(
            f"its repomd.xml for {arch} is not pinned",
            place=f"repository {recipe.suite}",
            hint="run `python -m builder pin repositories`",
        )
    return found[0]


def _signed_file(recipe: RepositoryRecipe, arch: Arch, name: str, sha256: str, session: Session) -> bytes:
    return session.obtain(
        sha256,
        (_repodata_url(recipe, arch, f"repodata/{name}", session),),
        kept=_kept_index(recipe, arch, name, session),
        label=f"{recipe.origin} {recipe.suite} {name}",
    )


def _repodata_url(recipe: RepositoryRecipe, arch: Arch, path: str, session: Session) -> str:
    return session.origins.url(recipe.origin, "", f"{repository_path(recipe, arch)}/{path}")


def _kept_index(recipe: RepositoryRecipe, arch: Arch, name: str, session: Session) -> Path:
    return session.kept_index(index_folder(recipe, arch), name)


def _repository_row(recipe: RepositoryRecipe, repomd: Repomd, arch: Arch) -> Repository:
    pinned = _repomd_pin(recipe, arch)
    return Repository(
        origin=recipe.origin,
        suite=recipe.suite,
        path=repository_path(recipe, arch),
        date=utc_rfc3339(repomd.date),
        revision=repomd.revision,
        snapshot=snapshot_stamp(pinned_moment(recipe)),
        repomd=pinned.sha256,
        signature=pinned.signature,
        indexes=tuple(Sha256(entry.sha256) for entry in repomd.files),
        signed_by=tuple(sorted(signer.upper() for signer in repomd.signers)),
    )
