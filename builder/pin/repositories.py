"""`pin repositories`: a platform's package indexes as they are signed now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from builder.errors import RecipeError, UsageError
from builder.io import read_bytes
from builder.model import Arch
from builder.pin.context import Context, extends_chain, finish
from builder.pin.debian_repositories import pin_debian_suite
from builder.pin.indexes import IndexFolder, PinnedIndexes, remove_stale_folders, write_index_folder
from builder.pin.rpm_repositories import pin_rpm_repository
from builder.recipe import RepositoryRecipe, parse_recipe
from builder.recipe_editor import KeyPath, RecipeEditor, key_path_text
from builder.resolve import debian, rpm
from builder.resolve.os import utc_rfc3339

__all__ = ["pin_repositories"]


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
    suites = _named_suites(editors, [platform] if platform else sorted(editors))
    if not suites:
        raise UsageError("no repositories", place=f"recipes/platforms/{platform or '*'}.toml")
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
    editors: Mapping[str, RecipeEditor], names: Sequence[str]
) -> dict[tuple[object, ...], _PinnedSuite]:
    """Group the repository tables behind the named platforms; a file that they extend counts."""
    suites: dict[tuple[object, ...], _PinnedSuite] = {}
    owners = {owner for name in names if (owner := _repositories_owner(editors, name))}
    for owner in sorted(owners):
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
    folder = context.recipes / "keys"
    return tuple(read_bytes(folder / Path(name), error=RecipeError) for name in recipe.keys)


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
