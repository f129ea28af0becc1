"""Signed RPM metadata: fetched and verified for one architecture, and the pins that a recipe gets of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from builder.errors import FetchError, RecipeError
from builder.io import Client
from builder.model import Arch, Sha256
from builder.pin.context import Context
from builder.pin.indexes import KEPT_LIMIT, first_place, verified_index
from builder.recipe import RepomdRecipe, RepositoryRecipe
from builder.resolve.rpm import Repomd, check_moment, moment, read_repomd, repository_path

__all__ = ["FetchedRepository", "fetch_repository", "recorded_moment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedRepository:
    """A repository as it was fetched for one architecture: its pin, and the files to keep by name."""

    pin: RepomdRecipe
    repomd: Repomd
    files: tuple[tuple[str, bytes], ...]


def fetch_repository(
    recipe: RepositoryRecipe,
    arch: Arch,
    *,
    context: Context,
    client: Client,
    keys: tuple[bytes, ...],
    now: datetime,
) -> FetchedRepository:
    """Fetch repomd.xml, its signature, primary and filelists into the store, verified at `now`.

    RecipeError without a path; FetchError, or DigestMismatchError for a bad
    signature, names the place.
    """
    if not recipe.path:
        raise RecipeError(
            "this key is missing",
            place=f"repository {recipe.suite}: path",
            hint="name the folder below the origin that has repodata, such as 9-stream/BaseOS/{arch:rpm}/os",
        )
    base = repository_path(recipe, arch)
    origins = context.origins
    url, data = first_place(context, client, origins.url(recipe.origin, "", f"{base}/repodata/repomd.xml"))
    signed = origins.url(recipe.origin, "", f"{base}/repodata/repomd.xml.asc")
    try:
        _, signature = first_place(context, client, signed)
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
        index = verified_index(context, client, [place], entry.sha256)
        if len(index) < KEPT_LIMIT:
            files.append((entry.path.rpartition("/")[2], index))
    pin = RepomdRecipe(arch=arch, sha256=Sha256.of(data), signature=Sha256.of(signature))
    return FetchedRepository(pin=pin, repomd=repomd, files=tuple(files))


def recorded_moment(
    recipes: Iterable[RepositoryRecipe], fetched: Sequence[FetchedRepository], now: datetime
) -> datetime:
    """Return the moment recorded with the very same pins, so that no lock changes for nothing; else now."""
    pins = tuple(one.pin for one in fetched)
    for recipe in recipes:
        if recipe.at and recipe.repomd == pins:
            return moment(recipe)
    return now
