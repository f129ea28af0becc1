"""Signed package indexes: fetched, verified, and kept beside the recipes where they are small."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from builder.errors import DigestMismatchError, FetchError, UsageError
from builder.io import Client, first_answer, remove, write_atomic
from builder.model import Arch
from builder.pin.context import Context
from builder.recipe import RepositoryRecipe
from builder.resolve.debian import Release, check_window, read_inrelease

__all__ = [
    "KEPT_LIMIT",
    "Fetched",
    "fetch_suite",
    "first_place",
    "keep",
    "stamp",
    "sweep",
    "verified_index",
]

KEPT_LIMIT = 2_000_000
"""Bytes; a larger index is in the store only."""

_SUFFIXES = (".xz", ".gz", "")
_FOLDER = re.compile(r".+-[0-9]{8}T[0-9]{6}Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A suite as it was fetched: its signed InRelease, and the files to keep by name."""

    release: Release
    files: tuple[tuple[str, bytes], ...]


def stamp(moment: datetime) -> str:
    """Return a moment as the snapshot service writes it, such as 20261122T180000Z."""
    return moment.strftime("%Y%m%dT%H%M%SZ")


def fetch_suite(
    recipe: RepositoryRecipe,
    arches: Sequence[Arch],
    *,
    context: Context,
    client: Client,
    keys: tuple[bytes, ...],
    now: datetime,
) -> Fetched:
    """Fetch a suite's InRelease and package indexes into the store, verified at `now`.

    FetchError, or DigestMismatchError for a bad signature, names the place.
    """
    base = f"dists/{recipe.suite}"
    url, data = first_place(
        context, client, context.origins.archive_url(recipe.origin, stamp(now), f"{base}/InRelease")
    )
    release = read_inrelease(data, keys, place=url)
    check_window(release, now)
    _check_suite(release, recipe)
    files = [("InRelease", data)]
    for component in recipe.components:
        for arch in arches:
            path = _listed(release, f"{component}/binary-{arch.debian}/Packages")
            sha256, _ = release.index_entry(path)
            below = (f"{base}/{release.by_hash(path)}", f"{base}/{path}")
            urls = [context.origins.archive_url(recipe.origin, stamp(now), file) for file in below]
            index = verified_index(context, client, urls, sha256)
            if len(index) < KEPT_LIMIT:
                files.append((f"{component}-{arch.debian}.{path.rpartition('/')[2]}", index))
    return Fetched(release=release, files=tuple(files))


def keep(context: Context, folder: str, files: Iterable[tuple[str, bytes]]) -> None:
    """Write the files of one suite or repository below recipes/indexes."""
    for name, data in files:
        write_atomic(context.recipes / "indexes" / folder / name, data)


def sweep(context: Context, wanted: Collection[str]) -> tuple[str, ...]:
    """Remove the index folders that are not `wanted`; return their names.

    Only what looks like such a folder is touched.
    """
    gone = []
    for folder in sorted((context.recipes / "indexes").glob("*-*Z")):
        if folder.is_dir() and _FOLDER.fullmatch(folder.name) and folder.name not in wanted:
            _remove_folder(folder)
            gone.append(folder.name)
    return tuple(gone)


def _remove_folder(folder: Path) -> None:
    for file in sorted(folder.iterdir()):
        remove(file)
    try:
        folder.rmdir()
    except OSError as cause:
        raise UsageError(f"cannot be deleted: {cause.strerror}", place=str(folder)) from cause


def _check_suite(release: Release, recipe: RepositoryRecipe) -> None:
    """Refuse another suite's file, which is as well signed as the right one's."""
    if recipe.suite not in (release.suite, release.codename):
        raise FetchError(
            f"is of suite {release.suite} ({release.codename}), not of {recipe.suite}",
            place=release.place,
            hint="use another mirror",
        )


def _listed(release: Release, path: str) -> str:
    """Return the path of a package index in the first form that the release lists, as locking chooses it."""
    forms = [f"{path}{suffix}" for suffix in _SUFFIXES]
    return next((form for form in forms if form in release.entries), forms[0])


def verified_index(context: Context, client: Client, urls: Sequence[str], sha256: str) -> bytes:
    """Return the index with this digest, from the store or the first place that has it."""
    if context.store.has(sha256):
        return context.store.read(sha256)
    return first_answer(
        urls,
        lambda url: first_place(context, client, url, sha256)[1],
        place=f"package index sha256 {sha256}",
        hint="the archive may have changed in between: try again",
    )


def first_place(context: Context, client: Client, url: str, sha256: str = "") -> tuple[str, bytes]:
    """Return the first place of `url` with the wanted bytes (any, without `sha256`), and what it gave."""

    def ask(place: str) -> tuple[str, bytes]:
        data = client.get_bytes(place)
        observed = context.store.add_bytes(data)
        if sha256 not in ("", observed):
            raise DigestMismatchError(f"expected sha256 {sha256}, got {observed}", place=place)
        return place, data

    hint = "name a mirror of the archive: --mirror, or a `mirrors` table in origins.toml"
    return first_answer(context.origins.candidates(url), ask, place=url, hint=hint)
