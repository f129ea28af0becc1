"""`pin repositories`: a platform's package indexes as they are signed now.

A suite of a Debian or Ubuntu archive and an RPM repository are each fetched and
verified, and give the pins that a recipe gets of them. Index files are fetched by
digest, and kept beside the recipes if they are small.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from builder.errors import FetchError, RecipeError, UsageError
from builder.io import Client, first_answer, read_bytes, remove, write_atomic
from builder.model import Arch, Sha256, key_path_text, unstructure
from builder.pin.context import Context, extends_chain, finish
from builder.recipe import RepomdRecipe, RepositoryRecipe, parse_recipe
from builder.recipe_editor import KeyPath, RecipeEditor
from builder.resolve import debian, rpm
from builder.resolve.debian import InRelease, check_suite, check_window, read_inrelease
from builder.resolve.debian import index_folder as debian_index_folder
from builder.resolve.os import pinned_moment, snapshot_stamp, utc_rfc3339
from builder.resolve.rpm import check_moment, read_repomd, repository_path
from builder.resolve.rpm import index_folder as rpm_index_folder

__all__ = [
    "KEPT_LIMIT",
    "IndexFolder",
    "PinnedIndexes",
    "fetch_index",
    "fetch_kept_bytes",
    "is_kept",
    "pin_debian_suite",
    "pin_repositories",
    "pin_rpm_repository",
    "remove_stale_folders",
    "write_index_folder",
]


KEPT_LIMIT = 2_000_000
"""Bytes; a larger index is in the store only."""

_FOLDER_NAME = re.compile(r".+-[0-9]{8}T[0-9]{6}Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFolder:
    """A folder below recipes/indexes, and its files by name."""

    name: str
    files: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedIndexes:
    """The signed indexes of one suite or repository, as they were fetched and verified."""

    pins: Mapping[str, Any]
    """What its `[[repositories]]` table records, by key."""
    at: datetime
    """The moment at which they were verified, in UTC."""
    folders: tuple[IndexFolder, ...]


def is_kept(index: bytes) -> bool:
    """Whether an index is small enough to be kept beside the recipes."""
    return len(index) < KEPT_LIMIT


def write_index_folder(context: Context, folder: IndexFolder) -> None:
    """Write the files of one suite or repository below recipes/indexes."""
    for name, data in folder.files:
        write_atomic(context.recipes / "indexes" / folder.name / name, data)


def remove_stale_folders(context: Context, wanted: Collection[str]) -> tuple[str, ...]:
    """Remove the index folders that are not `wanted`, and return their names.

    Only folders whose name ends in a time stamp are touched.
    """
    removed = []
    for folder in sorted((context.recipes / "indexes").glob("*-*Z")):
        if folder.is_dir() and _FOLDER_NAME.fullmatch(folder.name) and folder.name not in wanted:
            _remove_folder(folder)
            removed.append(folder.name)
    return tuple(removed)


def fetch_index(context: Context, client: Client, urls: Sequence[str], sha256: str) -> bytes:
    """Return the index with this digest, from the store or the first URL that has it (FetchError)."""
    if context.store.has(sha256):
        return context.store.read(sha256)
    return first_answer(
        urls,
        lambda url: fetch_kept_bytes(context, client, url, sha256)[1],
        place=f"package index sha256 {sha256}",
        hint="the archive may have changed in between: try again",
    )


def fetch_kept_bytes(context: Context, client: Client, url: str, sha256: str = "") -> tuple[str, bytes]:
    """Return the first place of `url` that has the wanted bytes, and these; they enter the store.

    Any bytes are wanted without `sha256`. The error says what each place answered.
    """

    def ask(place: str) -> tuple[str, bytes]:
        data = client.download_bytes(place, sha256) if sha256 else client.get_bytes(place)
        context.store.add_bytes(data)
        return place, data

    hint = "name a mirror of the archive: --mirror, or a `mirrors` table in origins.toml"
    return first_answer(context.origins.candidates(url), ask, place=url, hint=hint)


def _remove_folder(folder: Path) -> None:
    for file in sorted(folder.iterdir()):
        remove(file)
    try:
        folder.rmdir()
    except OSError as cause:
        raise UsageError(f"cannot be deleted: {cause.strerror}", place=str(folder)) from cause


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
    at = _recorded_debian_moment(recipes, release, now)
    folder = debian_index_folder(replace(recipe, at=utc_rfc3339(at)))
    return PinnedIndexes(
        pins={"inrelease": release.sha256},
        at=at,
        folders=(IndexFolder(name=folder, files=tuple(files)),),
    )


def _recorded_debian_moment(
    recipes: Sequence[RepositoryRecipe], release: InRelease, now: datetime
) -> datetime:
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
    at = _recorded_rpm_moment(recipes, pins, now)
    dated = replace(recipe, at=utc_rfc3339(at))
    return PinnedIndexes(
        pins={"repomd": [unstructure(pin) for pin in pins]},
        at=at,
        folders=tuple(
            IndexFolder(name=rpm_index_folder(dated, one.pin.arch), files=one.files) for one in fetched
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


def _recorded_rpm_moment(
    recipes: Sequence[RepositoryRecipe], pins: tuple[RepomdRecipe, ...], now: datetime
) -> datetime:
    """Return the moment recorded with the very same pins, so that no lock changes; else now."""
    return next((pinned_moment(row) for row in recipes if row.at and row.repomd == pins), now)


@dataclass(frozen=True, slots=True, kw_only=True)
class _RepositoryTable:
    """One `[[repositories]]` table and the file that it stands in."""

    editor: RecipeEditor
    keys: KeyPath
    recipe: RepositoryRecipe


@dataclass(slots=True)
class _PinnedSuite:
    """Tables of any files that mean the same suite, and the architectures that are built from it."""

    tables: list[_RepositoryTable] = field(default_factory=list)
    arches: set[Arch] = field(default_factory=set)


def pin_repositories(context: Context, platform: str = "", *, now: datetime) -> int:
    """Fetch, verify and pin every repository of one platform, or of all.

    Signature and validity window are checked at `now` (UTC), which becomes
    the recorded moment, unless the recorded InRelease is still the current
    one: its moment stays, so that no lock changes for nothing. Small index
    files are kept below recipes/indexes, and folders there that no platform
    refers to are removed. FetchError for what cannot be had or has expired,
    DigestMismatchError for what is not properly signed.
    """
    now = now.replace(microsecond=0)
    editors = {editor.path.stem: editor for editor in context.editors("platforms")}
    if platform and platform not in editors:
        raise UsageError(
            f"there is no platform {platform!r}",
            place="recipes/platforms",
            hint=f"known: {', '.join(editors)}",
        )
    every = context.readable_editors("platforms") | editors
    suites = _named_suites(every, [platform] if platform else sorted(editors), own=editors)
    if not suites:
        raise UsageError(
            "no repositories of its own",
            place=f"recipes/platforms/{platform or '*'}.toml",
            hint="those of a platform of the catalogue, which it may extend, are pinned there",
        )
    folders: list[IndexFolder] = []
    with context.project.client() as client:
        for suite in suites.values():
            recipe = suite.tables[0].recipe
            context.console.status(f"fetching {recipe.origin} {recipe.suite}")
            table = suite.tables[0]
            try:
                pinned = (pin_debian_suite if recipe.components else pin_rpm_repository)(
                    [table.recipe for table in suite.tables],
                    sorted(suite.arches),
                    context=context,
                    client=client,
                    keys=_signing_keys(context, recipe),
                    now=now,
                )
            except RecipeError as error:
                # The cause is a value of the table; only this function knows the file that has it.
                raise error.within(f"{table.editor.place}: {key_path_text(table.keys)}") from None
            _record_pins(suite, pinned)
            folders += pinned.folders
    wanted = {folder for editor in editors.values() for folder in _index_folders(editor)}
    if not context.dry_run:
        for folder in folders:
            write_index_folder(context, folder)
    finish(context, tuple(editors.values()))
    if not context.dry_run:
        for name in remove_stale_folders(context, wanted):
            context.console.status(f"removed recipes/indexes/{name}: no platform refers to it")
    return 0


def _named_suites(
    editors: Mapping[str, RecipeEditor], names: Sequence[str], *, own: Collection[str]
) -> dict[tuple[object, ...], _PinnedSuite]:
    """Group the repository tables behind the named platforms; a file that they extend counts.

    Tables of a file that is not among `own` are the catalogue's, whose pins come with the package.
    """
    suites: dict[tuple[object, ...], _PinnedSuite] = {}
    owners = {owner for name in names if (owner := _repositories_owner(editors, name))}
    for owner in sorted(owners.intersection(own)):
        editor = editors[owner]
        for index, row in enumerate(editor.get(("repositories",), [])):
            keys: KeyPath = ("repositories", index)
            place = f"{editor.place}: {key_path_text(keys)}"
            recipe = parse_recipe(row, RepositoryRecipe, place=place)
            suite = suites.setdefault(_suite_identity(recipe), _PinnedSuite())
            suite.tables.append(_RepositoryTable(editor=editor, keys=keys, recipe=recipe))
            # Every platform on these repositories is served, whichever was named.
            for name in editors:
                if _repositories_owner(editors, name) == owner:
                    suite.arches |= _platform_arches(editors, name)
    return suites


def _suite_identity(recipe: RepositoryRecipe) -> tuple[object, ...]:
    """Return what two tables must share to mean the same suite."""
    return (recipe.origin, recipe.suite, recipe.components, recipe.path, recipe.keys)


def _repositories_owner(editors: Mapping[str, RecipeEditor], name: str) -> str:
    """Return the platform, at or behind `name`, whose file has the repositories; empty when none has."""
    return next(
        (link for link in extends_chain(editors, name) if editors[link].get(("repositories",)) is not None),
        "",
    )


def _platform_arches(editors: Mapping[str, RecipeEditor], name: str) -> set[Arch]:
    """Return the architectures that a platform has a base for; all of them when it states none."""
    found: set[str] = set()
    for key in ("images", "assembled"):
        tables: Iterable[Any] = (editors[link].get((key,)) for link in extends_chain(editors, name))
        found |= set(next((table for table in tables if table is not None), {}))
    return {arch for arch in Arch if arch.value in found} or set(Arch)


def _signing_keys(context: Context, recipe: RepositoryRecipe) -> tuple[bytes, ...]:
    paths = (context.project.recipe_path(f"keys/{name}") for name in recipe.keys)
    return tuple(read_bytes(path, error=RecipeError) for path in paths)


def _record_pins(suite: _PinnedSuite, pinned: PinnedIndexes) -> None:
    for table in suite.tables:
        for key, value in pinned.pins.items():
            table.editor.put((*table.keys, key), value)
        table.editor.put((*table.keys, "at"), utc_rfc3339(pinned.at))


def _index_folders(editor: RecipeEditor) -> Iterator[str]:
    """Yield the index folders that a platform file refers to, after its edits."""
    for row in editor.get(("repositories",), []):
        place = f"{editor.place}: repositories"
        recipe = parse_recipe(row, RepositoryRecipe, place=place)
        if not recipe.at:
            continue
        try:
            if recipe.components:
                yield debian.index_folder(recipe)
            for pin in recipe.repomd:
                yield rpm.index_folder(recipe, pin.arch)
        except RecipeError as error:
            raise error.within(place) from None
