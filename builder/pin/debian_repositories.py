"""A suite of a Debian or Ubuntu archive: fetched, verified, and the pins that a recipe gets of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from builder.errors import FetchError, RecipeError
from builder.io import Client
from builder.model import Arch
from builder.pin.context import Context
from builder.pin.indexes import IndexFolder, PinnedIndexes, fetch_index, fetch_kept_bytes, is_kept
from builder.recipe import RepositoryRecipe
from builder.resolve.debian import InRelease, check_suite, check_window, index_folder, read_inrelease
from builder.resolve.os import pinned_moment, snapshot_stamp, utc_rfc3339

__all__ = ["pin_debian_suite"]


def pin_debian_suite(
    recipes: Sequence[RepositoryRecipe],
    arches: Sequence[Arch],
    *,
    context: Context,
    client: Client,
    keys: tuple[bytes, ...],
    now: datetime,
) -> PinnedIndexes:
    """Fetch a suite's InRelease and package indexes into the store, and verify them at `now`.

    `recipes` are the tables that mean this suite. FetchError, or
    DigestMismatchError for a bad signature, names the place.
    """
    recipe = recipes[0]
    base = f"dists/{recipe.suite}"
    stamp = snapshot_stamp(now)
    url, data = fetch_kept_bytes(
        context, client, context.origins.archive_url(recipe.origin, stamp, f"{base}/InRelease")
    )
    release = read_inrelease(data, keys, place=url)
    check_window(release, now)
    check_suite(release, recipe.suite)
    files = [("InRelease", data)]
    for component in recipe.components:
        for arch in arches:
            path = release.packages_path(component, arch)
            sha256, _ = release.index_entry(path)
            below = (f"{base}/{release.by_hash(path)}", f"{base}/{path}")
            urls = [context.origins.archive_url(recipe.origin, stamp, file) for file in below]
            index = fetch_index(context, client, urls, sha256)
            if is_kept(index):
                files.append((f"{component}-{arch.debian}.{path.rpartition('/')[2]}", index))
    at = _recorded_moment(recipes, release, now)
    folder = index_folder(replace(recipe, at=utc_rfc3339(at)))
    return PinnedIndexes(
        pins={"inrelease": release.sha256},
        at=at,
        folders=(IndexFolder(name=folder, files=tuple(files)),),
    )


def _recorded_moment(recipes: Sequence[RepositoryRecipe], release: InRelease, now: datetime) -> datetime:
    """Return the earliest moment recorded with the same InRelease, so that no lock changes; else now."""
    for recipe in sorted(recipes, key=lambda recipe: recipe.at):
        if recipe.inrelease == release.sha256:
            try:
                moment = pinned_moment(recipe)
                check_window(release, moment)
            except (RecipeError, FetchError):
                continue
            return moment
    return now
