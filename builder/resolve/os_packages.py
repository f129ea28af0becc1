"""OS packages of a target: apt's or dnf's closure for each environment, as rows.

A closure is a pure function of the pinned indexes, the inventory and the
names asked for; its outcome is kept under the digest of these, so that
nothing is read or computed twice.
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
from builder.lockfile import BASE, RUNTIME, OsPackage, Repository
from builder.model import Arch, Sha256
from builder.recipe import Effective, ImageRecipe, Library, os_requests
from builder.resolve.debian import Archive, Choice, Installed, base_set, open_archive, resolve
from builder.resolve.os_askers import askers

__all__ = ["resolve_base", "resolve_os"]

RULES = 2
"""Raised whenever the closure's rules change, so that kept outcomes are not used again."""


def resolve_os(
    recipe: Effective, *, library: Library, session: Session
) -> tuple[tuple[Repository, ...], tuple[OsPackage, ...]]:
    """Return the repositories and the OS package rows of every environment of `recipe`."""
    if not recipe.platform.repositories:
        return (), ()
    if recipe.platform.family == "rpm":
        # libsolv is loaded only where RPM packages are chosen.
        from builder.resolve.rpm import resolve_rpm  # noqa: PLC0415

        return resolve_rpm(recipe, library=library, session=session)
    arch = Arch(recipe.target.arch)
    archive = open_archive(recipe.platform.repositories, arch, library=library, session=session)
    images = recipe.platform.images.get(arch, ())
    base = () if images else _base(archive, recipe.platform.base)
    answers = {BASE: base}
    for environment, names in sorted(os_requests(recipe).items()):
        inventory = _lines(images, environment) or tuple(f"{c.name}={c.version}" for c in base)
        answers[environment] = _closure(archive, inventory, names, environment)
    return archive.repositories, _rows(answers, recipe.platform.base, archive)


def resolve_base(archive: Archive, extra: tuple[str, ...]) -> tuple[OsPackage, ...]:
    """Return the packages of a base of our own: what the distribution calls required, and `extra`."""
    return _rows({BASE: _base(archive, extra)}, extra, archive)


def _base(archive: Archive, extra: tuple[str, ...]) -> tuple[Choice, ...]:
    return _remembered(archive, (BASE,), extra, lambda: base_set(archive.universe(), extra))


def _closure(
    archive: Archive, inventory: tuple[str, ...], names: tuple[str, ...], environment: str
) -> tuple[Choice, ...]:
    def make() -> tuple[Choice, ...]:
        try:
            return resolve(archive.universe(), _installed(archive, inventory), names)
        except BuilderError as error:
            raise error.within(f"OS packages for {environment}") from None

    return _remembered(archive, inventory, names, make)


def _remembered(
    archive: Archive,
    inventory: tuple[str, ...],
    names: tuple[str, ...],
    make: Callable[[], tuple[Choice, ...]],
) -> tuple[Choice, ...]:
    """Return what the same question was answered before, in this run or an earlier one, else ask."""
    pins = [[row.suite, row.inrelease, *row.indexes] for row in archive.repositories]
    question = json.dumps([RULES, pins, archive.arch, inventory, names])
    key = Sha256.of(question.encode())

    def answer() -> tuple[Choice, ...]:
        place = archive.session.store.root.parent / "closures" / f"{key}.json"
        known = _read(place)
        if known is not None:
            return known
        made = make()
        write_atomic(place, json.dumps([dataclasses.asdict(choice) for choice in made]).encode())
        return made

    return cast("tuple[Choice, ...]", archive.session.once.get((key,), answer))


def _read(place: Path) -> tuple[Choice, ...] | None:
    try:
        return tuple(Choice(**row | {"needs": tuple(row["needs"])}) for row in json.loads(read_bytes(place)))
    except (BuilderError, ValueError, TypeError, KeyError):
        return None  # not there, or not ours: it is computed again


def _lines(images: tuple[ImageRecipe, ...], environment: str) -> tuple[str, ...]:
    role = RUNTIME if environment == RUNTIME else "build"
    return tuple(line for image in images if role in image.roles for line in image.inventory)


def _installed(archive: Archive, inventory: tuple[str, ...]) -> tuple[Installed, ...]:
    universe = archive.universe()
    rows = []
    for line in inventory:
        name, _, version = line.partition("=")
        known = universe.find(name, version) or universe.newest(name)
        rows.append(Installed(name=name, version=version, arch=known.arch if known else universe.arch))
    return tuple(rows)


def _rows(
    answers: Mapping[str, tuple[Choice, ...]], base_extra: tuple[str, ...], archive: Archive
) -> tuple[OsPackage, ...]:
    via = askers(answers, base_extra)
    return tuple(
        OsPackage(
            name=choice.name,
            version=choice.version,
            arch=choice.arch,
            file=choice.filename,
            size=choice.size,
            sha256=Sha256(choice.sha256),
            origin=archive.origin(choice.index),
            for_=(environment,),
            via=via[environment, choice.name],
        )
        for environment, chosen in answers.items()
        for choice in chosen
    )
