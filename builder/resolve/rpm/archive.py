"""The RPM repositories of a platform: pinned repomd.xml files, verified metadata, one universe for all."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

from builder.errors import FetchError, RecipeError
from builder.fetch import Session
from builder.lockfile import Repository
from builder.model import Arch, Sha256, Table
from builder.recipe import Library, RepomdRecipe, RepositoryRecipe, Values, fill
from builder.resolve.rpm.metadata import text_of
from builder.resolve.rpm.repomd import IndexFile, Repomd, check_moment, read_repomd
from builder.resolve.rpm.universe import Source, Universe

__all__ = ["RpmArchive", "folder_name", "moment", "open_rpm_archive", "repository_path"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RpmArchive:
    """The repositories of a platform for one architecture; packages are read when first asked for."""

    arch: Arch
    repositories: tuple[Repository, ...]
    opened: tuple[tuple[RepositoryRecipe, Repomd], ...]
    session: Session

    def universe(self, inventory: tuple[str, ...]) -> Universe:
        """Return a base of `inventory` and all packages of all repositories; every caller shares one."""

        def make() -> Universe:
            sources = [self._source(recipe, repomd) for recipe, repomd in self.opened]
            return Universe.of(self.arch, inventory, sources)

        return cast("Universe", self.session.once.get((self.repositories, self.arch, inventory), make))

    def origin(self, label: str) -> str:
        """Return the origin of the repository called `label`."""
        return self._repository(label).origin

    def file(self, label: str, location: str) -> str:
        """Return the path below its origin of a file that a repository lists (FetchError outside it).

        A location may lead out of its repository to a folder that several
        share, as Amazon's do, and never out of the origin.
        """
        path = posixpath.normpath(posixpath.join(self._repository(label).path, location))
        if path.startswith(("../", "/")) or path in {"..", "."}:
            raise FetchError(f"{location[:80]!a} leaves the origin", place=f"repository {label}")
        return path

    def _repository(self, label: str) -> Repository:
        return next(row for row in self.repositories if row.suite == label)

    def _source(self, recipe: RepositoryRecipe, repomd: Repomd) -> Source:
        def text(entry: IndexFile) -> bytes:
            place = f"repository {recipe.suite}: {entry.path}"
            url = _url(recipe, self.arch, entry.path, self.session)
            kept = _kept(recipe, self.arch, entry.path.rpartition("/")[2], self.session)
            data = self.session.obtain(entry.sha256, (url,), kept=kept, label=place)
            return text_of(data, entry, place=place)

        filelists: Callable[[], bytes] = lambda: text(repomd.filelists)  # noqa: E731 - read only when needed
        return Source(
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
        opened = tuple((row, _repomd(row, arch, library, session)) for row in repositories)
        rows = tuple(_row(recipe, repomd, arch) for recipe, repomd in opened)
        return RpmArchive(arch=arch, repositories=rows, opened=opened, session=session)

    return cast("RpmArchive", session.once.get((repositories, arch), make))


def repository_path(recipe: RepositoryRecipe, arch: Arch) -> str:
    """Return the folder of a repository below its origin (RecipeError for an unknown placeholder)."""
    values = Values(words=Table((f"arch:{name}", token) for name, token in arch.tokens()))
    return fill(recipe.path, values, place=f"repository {recipe.suite}: path").strip("/")


def moment(recipe: RepositoryRecipe) -> datetime:
    """Return the moment at which a repository was pinned (RecipeError where it is none)."""
    try:
        found = datetime.fromisoformat(recipe.at)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise RecipeError(
            f"{recipe.at!r} is not a moment such as 2026-11-22T18:00:00Z",
            place=f"repository {recipe.suite}: at",
        )
    return found


def folder_name(recipe: RepositoryRecipe, arch: Arch, at: datetime) -> str:
    """Return the folder below recipes/indexes that keeps the metadata of one moment."""
    return f"{recipe.origin}-{recipe.suite}-{arch.rpm}-{at.strftime('%Y%m%dT%H%M%SZ')}"


def _repomd(recipe: RepositoryRecipe, arch: Arch, library: Library, session: Session) -> Repomd:
    """Obtain the pinned repomd.xml and its signature, and check both at the pinned moment."""
    pinned = _pin(recipe, arch)
    data = _metadata(recipe, arch, "repomd.xml", pinned.sha256, session)
    signature = _metadata(recipe, arch, "repomd.xml.asc", pinned.signature, session)
    keys = tuple(library.keys[name] for name in recipe.keys)
    repomd = read_repomd(data, signature, keys, place=f"{recipe.origin} {recipe.suite} repomd.xml")
    check_moment(repomd, moment(recipe))
    return repomd


def _pin(recipe: RepositoryRecipe, arch: Arch) -> RepomdRecipe:
    found = [row for row in recipe.repomd if row.arch == arch]
    if not found or not recipe.at:
        raise FetchError(
            f"its repomd.xml for {arch} is not pinned",
            place=f"repository {recipe.suite}",
            hint="run scripts/pin repositories",
        )
    return found[0]


def _metadata(recipe: RepositoryRecipe, arch: Arch, name: str, sha256: str, session: Session) -> bytes:
    return session.obtain(
        sha256,
        (_url(recipe, arch, f"repodata/{name}", session),),
        kept=_kept(recipe, arch, name, session),
        label=f"{recipe.origin} {recipe.suite} {name}",
    )


def _url(recipe: RepositoryRecipe, arch: Arch, path: str, session: Session) -> str:
    return session.origins.url(recipe.origin, "", f"{repository_path(recipe, arch)}/{path}")


def _kept(recipe: RepositoryRecipe, arch: Arch, name: str, session: Session) -> Path:
    return session.recipes / "indexes" / folder_name(recipe, arch, moment(recipe)) / name


def _row(recipe: RepositoryRecipe, repomd: Repomd, arch: Arch) -> Repository:
    pinned = _pin(recipe, arch)
    return Repository(
        origin=recipe.origin,
        suite=recipe.suite,
        path=repository_path(recipe, arch),
        date=repomd.date.strftime("%Y-%m-%dT%H:%M:%SZ"),
        revision=repomd.revision,
        snapshot=moment(recipe).strftime("%Y%m%dT%H%M%SZ"),
        repomd=pinned.sha256,
        signature=pinned.signature,
        indexes=tuple(Sha256(entry.sha256) for entry in repomd.files),
        signed_by=tuple(sorted(signer.upper() for signer in repomd.signers)),
    )
