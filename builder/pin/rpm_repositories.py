"""An RPM repository: fetched and verified for each architecture, and the pins that a recipe gets of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from builder.errors import FetchError, RecipeError
from builder.io import Client
from builder.model import Arch, Sha256, unstructure
from builder.pin.context import Context
from builder.pin.indexes import IndexFolder, PinnedIndexes, fetch_index, fetch_kept_bytes, is_kept
from builder.recipe import RepomdRecipe, RepositoryRecipe
from builder.resolve.os import pinned_moment, utc_rfc3339
from builder.resolve.rpm import check_moment, index_folder, read_repomd, repository_path

__all__ = ["pin_rpm_repository"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _FetchedRepomd:
    """A repository as it was fetched for one architecture: its pin, and the files to keep by name."""

    pin: RepomdRecipe
    files: tuple[tuple[str, bytes], ...]


def pin_rpm_repository(
    recipes: Sequence[RepositoryRecipe],
    arches: Sequence[Arch],
    *,
    context: Context,
    client: Client,
    keys: tuple[bytes, ...],
    now: datetime,
) -> PinnedIndexes:
    """Fetch repomd.xml, its signature, primary and filelists into the store, and verify them at `now`.

    `recipes` are the tables that mean this repository. RecipeError without a
    path; FetchError, or DigestMismatchError for a bad signature, names the
    place.
    """
    recipe = recipes[0]
    fetched = [
        _fetch_repomd(recipe, arch, context=context, client=client, keys=keys, now=now) for arch in arches
    ]
    pins = tuple(one.pin for one in fetched)
    at = _recorded_moment(recipes, pins, now)
    dated = replace(recipe, at=utc_rfc3339(at))
    return PinnedIndexes(
        pins={"repomd": [unstructure(pin) for pin in pins]},
        at=at,
        folders=tuple(
            IndexFolder(name=index_folder(dated, one.pin.arch), files=one.files) for one in fetched
        ),
    )


def _fetch_repomd(
    recipe: RepositoryRecipe,
    arch: Arch,
    *,
    context: Context,
    client: Client,
    keys: tuple[bytes, ...],
    now: datetime,
) -> _FetchedRepomd:
    if not recipe.path:
        raise RecipeError(
            "this key is missing",
            place="path",
            hint="name the folder below the origin that has repodata, such as 9-stream/BaseOS/{arch:rpm}/os",
        )
    base = repository_path(recipe, arch)
    origins = context.origins
    repomd_url = origins.url(recipe.origin, "", f"{base}/repodata/repomd.xml")
    url, data = fetch_kept_bytes(context, client, repomd_url)
    try:
        _, signature = fetch_kept_bytes(context, client, f"{repomd_url}.asc")
    except FetchError as error:
        raise FetchError(
            f"there is no signature: {error}",
            place=url,
            hint="only repositories that sign repomd.xml can be locked",
        ) from None
    repomd = read_repomd(data, signature, keys, place=url)
    check_moment(repomd, now)
    files = [("repomd.xml", data), ("repomd.xml.asc", signature)]
    for entry in repomd.files:
        place = origins.url(recipe.origin, "", f"{base}/{entry.path}")
        index = fetch_index(context, client, [place], entry.sha256)
        if is_kept(index):
            files.append((entry.path.rpartition("/")[2], index))
    pin = RepomdRecipe(arch=arch, sha256=Sha256.of(data), signature=Sha256.of(signature))
    return _FetchedRepomd(pin=pin, files=tuple(files))


def _recorded_moment(
    recipes: Sequence[RepositoryRecipe], pins: tuple[RepomdRecipe, ...], now: datetime
) -> datetime:
    """Return the moment recorded with the very same pins, so that no lock changes; else now."""
    return next((pinned_moment(row) for row in recipes if row.at and row.repomd == pins), now)
