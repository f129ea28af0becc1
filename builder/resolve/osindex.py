"""OS packages of a target: pinned InRelease, verified index, apt's closure, rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

from builder.errors import BuilderError, FetchError, RecipeError
from builder.model.digest import Sha256
from builder.model.integrity import BASE
from builder.model.lock import RUNTIME, OsPackage, Repository
from builder.model.recipe import ImageRecipe, RepositoryRecipe
from builder.model.target import Arch
from builder.resolve.debian.closure import Choice, base_set, resolve
from builder.resolve.debian.index import parse_packages
from builder.resolve.debian.inventory import Installed
from builder.resolve.debian.release import Release, check_window, verify
from builder.resolve.debian.universe import Index, Universe
from builder.resolve.effective import Effective
from builder.resolve.environments import os_requests
from builder.resolve.library import Library
from builder.resolve.session import Session

__all__ = ["Archive", "open_archive", "resolve_os"]

_SUFFIXES = (".xz", ".gz", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The package indexes of a platform for one architecture, verified and ready to be asked."""

    universe: Universe
    repositories: tuple[Repository, ...]
    origins: tuple[tuple[str, str], ...]
    """Index label to origin."""


def open_archive(
    repositories: tuple[RepositoryRecipe, ...], arch: Arch, *, library: Library, session: Session
) -> Archive:
    """Return the archive of `repositories`; every caller with the same pins shares one."""

    def make() -> Archive:
        return _read_archive(repositories, arch, library, session)

    return cast("Archive", session.once.get((repositories, arch), make))


def _read_archive(
    repositories: tuple[RepositoryRecipe, ...], arch: Arch, library: Library, session: Session
) -> Archive:
    indices: list[Index] = []
    rows: list[Repository] = []
    origins: list[tuple[str, str]] = []
    for repository in repositories:
        release = _release(repository, library, session)
        digests = []
        for component in repository.components:
            label = f"{repository.suite}/{component}"
            digest, data = _packages(repository, component, arch, release, session)
            digests.append(digest)
            indices.append(Index(label=label, stanzas=parse_packages(data, place=label)))
            origins.append((label, repository.origin))
        rows.append(_row(repository, release, tuple(digests)))
    universe = Universe.of(arch.debian, indices)
    return Archive(universe=universe, repositories=tuple(rows), origins=tuple(origins))


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
    release = verify(data, keys, place=place)
    check_window(release, _moment(repository), place=place)
    return release


def _moment(repository: RepositoryRecipe) -> datetime:
    try:
        moment = datetime.fromisoformat(repository.at)
    except ValueError:
        moment = None  # type: ignore[assignment]
    if moment is None or moment.tzinfo is None:
        raise RecipeError(
            f"{repository.at!r} is not a moment such as 2026-11-22T18:00:00Z",
            place=f"suite {repository.suite}: at",
        )
    return moment


def _snapshot(repository: RepositoryRecipe) -> str:
    return _moment(repository).strftime("%Y%m%dT%H%M%SZ")


def _packages(
    repository: RepositoryRecipe, component: str, arch: Arch, release: Release, session: Session
) -> tuple[Sha256, bytes]:
    folder = f"{component}/binary-{arch.debian}"
    for suffix in _SUFFIXES:
        entry = release.index_entry(f"{folder}/Packages{suffix}")
        if entry is not None:
            break
    else:
        raise FetchError(
            f"its InRelease lists no {folder}/Packages", place=f"{repository.origin} {repository.suite}"
        )
    base = f"dists/{repository.suite}/{folder}"
    urls = (
        _url(repository, f"{base}/by-hash/SHA256/{entry.sha256}", session),
        _url(repository, f"{base}/Packages{suffix}", session),
    )
    kept = _kept(repository, f"{component}-{arch.debian}.Packages{suffix}", session)
    data = session.obtain(
        entry.sha256, urls, kept=kept, label=f"{repository.suite} {folder}/Packages{suffix}"
    )
    return Sha256(entry.sha256), data


def _url(repository: RepositoryRecipe, path: str, session: Session) -> str:
    return session.origins.url(repository.origin, _snapshot(repository), path)


def _kept(repository: RepositoryRecipe, name: str, session: Session) -> Path:
    return session.recipes / "indexes" / f"{repository.suite}-{_snapshot(repository)}" / name


def _row(repository: RepositoryRecipe, release: Release, indexes: tuple[Sha256, ...]) -> Repository:
    return Repository(
        origin=repository.origin,
        suite=repository.suite,
        components=repository.components,
        date=release.date.strftime("%Y-%m-%dT%H:%M:%SZ"),
        snapshot=_snapshot(repository),
        inrelease=Sha256(str(repository.inrelease)),
        indexes=indexes,
    )


def resolve_os(
    recipe: Effective, *, library: Library, session: Session
) -> tuple[tuple[Repository, ...], tuple[OsPackage, ...]]:
    """Return the repositories and the OS package rows of every environment of `recipe`."""
    if not recipe.platform.repositories:
        return (), ()
    arch = Arch(recipe.target.arch)
    archive = open_archive(recipe.platform.repositories, arch, library=library, session=session)
    rows: list[OsPackage] = []
    base: tuple[Installed, ...] = ()
    if arch in recipe.platform.assembled or not recipe.platform.images.get(arch):
        chosen = cast(
            "tuple[Choice, ...]",
            session.once.get((archive.repositories, arch, BASE), lambda: base_set(archive.universe)),
        )
        rows += _rows(chosen, BASE, archive)
        base = tuple(Installed(name=c.name, version=c.version, arch=c.arch) for c in chosen)
    for environment, names in sorted(os_requests(recipe).items()):
        role = RUNTIME if environment == RUNTIME else "build"
        installed = base or _inventory(recipe.platform.images[arch], role, archive.universe)
        rows += _rows(_closure(archive, installed, names, environment, session), environment, archive)
    return archive.repositories, tuple(rows)


def _closure(
    archive: Archive,
    installed: tuple[Installed, ...],
    names: tuple[str, ...],
    environment: str,
    session: Session,
) -> tuple[Choice, ...]:
    """Resolve once for all targets that ask for the same on the same ground."""

    def make() -> tuple[Choice, ...]:
        try:
            return resolve(archive.universe, installed, names)
        except BuilderError as error:
            raise error.within(f"OS packages for {environment}") from None

    key = (archive.repositories, archive.universe.arch, installed, names)
    return cast("tuple[Choice, ...]", session.once.get(key, make))


def _inventory(images: Iterable[ImageRecipe], role: str, universe: Universe) -> tuple[Installed, ...]:
    rows = []
    for image in images:
        if role not in image.roles:
            continue
        if not image.inventory:
            raise FetchError(
                f"the inventory of {image.name}:{image.tag} is not known",
                hint="pin it with scripts/pin image, where the registry can be reached",
            )
        for line in image.inventory:
            name, _, version = line.partition("=")
            known = universe.find(name, version) or universe.newest(name)
            rows.append(Installed(name=name, version=version, arch=known.arch if known else universe.arch))
    return tuple(rows)


def _rows(chosen: tuple[Choice, ...], environment: str, archive: Archive) -> list[OsPackage]:
    origins = dict(archive.origins)
    return [
        OsPackage(
            name=choice.name,
            version=choice.version,
            arch=choice.arch,
            file=choice.filename,
            size=choice.size,
            sha256=Sha256(choice.sha256),
            origin=origins[choice.index],
            for_=(environment,),
        )
        for choice in chosen
    ]
