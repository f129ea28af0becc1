"""OS packages of a target: the closure of each environment, as rows of its lock.

The one place that chooses between the families of platforms; what follows is
the same for all. A closure is a pure function of the pinned indexes, the
inventory and the names asked for, so it is kept under their digest and neither
read nor computed again.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from builder.errors import BuilderError
from builder.fetch import Session
from builder.io import read_bytes, write_atomic
from builder.json_text import parse_json
from builder.lockfile import BASE, OsPackage, Repository
from builder.model import Arch, Sha256
from builder.recipe import EffectiveRecipe, Library, Platform, os_requests
from builder.resolve.debian import open_debian_archive
from builder.resolve.os import OsArchive, PackageChoice, image_inventory

__all__ = ["open_os_archive", "resolve_base", "resolve_os", "who_asks"]

RULES = 3
"""Raised whenever the rules of closures or the fields of `PackageChoice` change: kept outcomes go stale."""

_Choices = tuple[PackageChoice, ...]


def open_os_archive(platform: Platform, arch: Arch, *, library: Library, session: Session) -> OsArchive:
    """Open the pinned archive of `platform`; FetchError, DigestMismatchError for what is wrong with it."""
    repositories = platform.repositories
    if platform.family == "rpm":
        # libsolv is loaded only where it is used.
        from builder.resolve.rpm import open_rpm_archive  # noqa: PLC0415

        return open_rpm_archive(repositories, arch, library=library, session=session)
    return open_debian_archive(repositories, arch, library=library, session=session)


def resolve_os(
    recipe: EffectiveRecipe, *, library: Library, session: Session
) -> tuple[tuple[Repository, ...], tuple[OsPackage, ...]]:
    """Return the repositories and the OS package rows of every environment of `recipe`."""
    platform, arch = recipe.platform, Arch(recipe.target.arch)
    if not platform.repositories:
        return (), ()
    archive = open_os_archive(platform, arch, library=library, session=session)
    images = platform.images.get(arch, ())
    base = () if images else _kept_base(archive, platform.base, session)
    chosen = {BASE: base}
    for environment, names in sorted(os_requests(recipe).items()):
        try:
            inventory = image_inventory(images, environment) or tuple(f"{c.name}={c.version}" for c in base)
            chosen[environment] = _kept_closure(archive, inventory, names, session)
        except BuilderError as error:
            raise error.within(f"OS packages for {environment}") from None
    return archive.repositories, _package_rows(chosen, archive)


def resolve_base(
    platform: Platform, arch: Arch, *, library: Library, session: Session
) -> tuple[tuple[Repository, ...], tuple[OsPackage, ...]]:
    """Return the repositories of `platform`, and the rows of the base that is assembled from them."""
    archive = open_os_archive(platform, arch, library=library, session=session)
    base = _kept_base(archive, platform.base, session)
    return archive.repositories, _package_rows({BASE: base}, archive)


def who_asks(chosen: Mapping[str, _Choices]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return, for each (environment, package) of `chosen`, who asks for it, sorted: `via` of its row.

    These are the packages whose dependency it meets, including those of
    environments on top of an assembled base, and `PackageChoice.because`.
    """
    askers = {
        (environment, choice.name): set(choice.because)
        for environment, choices in chosen.items()
        for choice in choices
    }
    for environment, choices in chosen.items():
        for choice in choices:
            for name in choice.needs:
                needed = (environment, name) if (environment, name) in askers else (BASE, name)
                if needed in askers:
                    askers[needed].add(choice.name)
    return {key: tuple(sorted(names)) for key, names in askers.items()}


def _kept_base(archive: OsArchive, extra: tuple[str, ...], session: Session) -> _Choices:
    return _kept_choices(archive, (BASE,), extra, session, lambda: archive.assembled_base(extra))


def _kept_closure(
    archive: OsArchive, inventory: tuple[str, ...], names: tuple[str, ...], session: Session
) -> _Choices:
    return _kept_choices(archive, inventory, names, session, lambda: archive.closure(inventory, names))


def _kept_choices(
    archive: OsArchive,
    inventory: tuple[str, ...],
    names: tuple[str, ...],
    session: Session,
    choose: Callable[[], _Choices],
) -> _Choices:
    """Return what the same question was answered before, in this run or an earlier one, else ask."""
    question = json.dumps([RULES, archive.identity(), inventory, names])
    key = Sha256.of(question.encode())

    def answer() -> _Choices:
        file = session.store.root.parent / "closures" / f"{key}.json"
        known = _read_choices(file)
        if known is not None:
            return known
        choices = choose()
        write_atomic(file, json.dumps([dataclasses.asdict(choice) for choice in choices]).encode())
        return choices

    return cast("_Choices", session.once.get((key,), answer))


def _read_choices(file: Path) -> _Choices | None:
    try:
        rows = parse_json(read_bytes(file))
        lists = ("needs", "because")
        return tuple(PackageChoice(**row | {key: tuple(row[key]) for key in lists}) for row in rows)
    except (BuilderError, ValueError, TypeError, KeyError):
        return None  # not there, or not ours: it is computed again


def _package_rows(chosen: Mapping[str, _Choices], archive: OsArchive) -> tuple[OsPackage, ...]:
    via = who_asks(chosen)
    rows = []
    for environment, choices in chosen.items():
        for choice in choices:
            origin, path = archive.address(choice)
            row = OsPackage(
                name=choice.name,
                version=choice.version,
                arch=choice.arch,
                file=path,
                size=choice.size,
                sha256=Sha256(choice.sha256),
                origin=origin,
                for_=(environment,),
                via=via[environment, choice.name],
            )
            rows.append(row)
    return tuple(rows)
