"""`pin repositories`: a platform's package indexes as they are signed now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from builder.errors import FetchError, RecipeError, UsageError
from builder.io import Client, read_bytes
from builder.model import Arch, unstructure
from builder.pin.context import Context, finish
from builder.pin.indexes import Fetched, fetch_suite, keep, stamp, sweep
from builder.pin.rpm_repositories import fetch_repository, recorded_moment
from builder.recipe import Keys, RecipeEditor, RepositoryRecipe, key_path, parse_recipe
from builder.resolve.debian import check_window
from builder.resolve.rpm import folder_name

__all__ = ["pin_repositories"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """One `[[repositories]]` table and the file that it stands in."""

    editor: RecipeEditor
    keys: Keys
    recipe: RepositoryRecipe


@dataclass(slots=True)
class _Suite:
    """Tables of any files that mean the same suite, and the architectures that are built from it."""

    tables: list[_Table] = field(default_factory=list)
    arches: set[Arch] = field(default_factory=set)


_Kept = tuple[str, tuple[tuple[str, bytes], ...]]
"""A folder below recipes/indexes, and its files by name."""


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
    suites = _suites(editors, [platform] if platform else sorted(editors))
    if not suites:
        raise UsageError("no repositories", place=f"recipes/platforms/{platform or '*'}.toml")
    kept: list[_Kept] = []
    with context.project.client() as client:
        for suite in suites.values():
            recipe = suite.tables[0].recipe
            context.console.status(f"fetching {recipe.origin} {recipe.suite}")
            pin = _pin_debian if recipe.components else _pin_rpm
            kept += pin(suite, context=context, client=client, now=now)
    folders = {folder for editor in editors.values() for folder in _folders(editor)}
    if not context.dry_run:
        for folder, files in kept:
            keep(context, folder, files)
    finish(context, tuple(editors.values()))
    if not context.dry_run:
        for folder in sweep(context, folders):
            context.console.status(f"removed recipes/indexes/{folder}: no platform refers to it")
    return 0


def _pin_debian(suite: _Suite, *, context: Context, client: Client, now: datetime) -> list[_Kept]:
    recipe = suite.tables[0].recipe
    keys = _keys(context, suite)
    arches = sorted(suite.arches)
    fetched = fetch_suite(recipe, arches, context=context, client=client, keys=keys, now=now)
    at = _moment(suite, fetched, now)
    _record(suite, {"inrelease": fetched.release.sha256}, at)
    return [(f"{recipe.suite}-{stamp(at)}", fetched.files)]


def _pin_rpm(suite: _Suite, *, context: Context, client: Client, now: datetime) -> list[_Kept]:
    recipe = suite.tables[0].recipe
    keys = _keys(context, suite)
    fetched = [
        fetch_repository(recipe, arch, context=context, client=client, keys=keys, now=now)
        for arch in sorted(suite.arches)
    ]
    at = recorded_moment((table.recipe for table in suite.tables), fetched, now)
    _record(suite, {"repomd": [unstructure(one.pin) for one in fetched]}, at)
    return [(folder_name(recipe, one.pin.arch, at), one.files) for one in fetched]


def _suites(editors: Mapping[str, RecipeEditor], names: Sequence[str]) -> dict[tuple[object, ...], _Suite]:
    """Group the repository tables behind the named platforms; a file that they extend counts."""
    suites: dict[tuple[object, ...], _Suite] = {}
    owners = {owner for name in names if (owner := _owner(editors, name))}
    for owner in sorted(owners):
        editor = editors[owner]
        for index, row in enumerate(editor.get(("repositories",), [])):
            keys: Keys = ("repositories", index)
            place = f"{editor.place}: {key_path(keys)}"
            recipe = parse_recipe(row, RepositoryRecipe, place=place)
            suite = suites.setdefault(_identity(recipe), _Suite())
            suite.tables.append(_Table(editor=editor, keys=keys, recipe=recipe))
            # Every platform on these repositories is served, whichever was named.
            for name in editors:
                if _owner(editors, name) == owner:
                    suite.arches |= _arches(editors, name)
    return suites


def _identity(recipe: RepositoryRecipe) -> tuple[object, ...]:
    """Return what two tables must share to mean the same suite."""
    return (recipe.origin, recipe.suite, recipe.components, recipe.path, recipe.keys)


def _owner(editors: Mapping[str, RecipeEditor], name: str) -> str:
    """Return the platform, at or behind `name`, whose file has the repositories; empty when none has."""
    return next(
        (link for link in _chain(editors, name) if editors[link].get(("repositories",)) is not None), ""
    )


def _arches(editors: Mapping[str, RecipeEditor], name: str) -> set[Arch]:
    """Return the architectures that a platform has a base for; all of them when it states none."""
    found: set[str] = set()
    for key in ("images", "assembled"):
        tables: Iterable[Any] = (editors[link].get((key,)) for link in _chain(editors, name))
        found |= set(next((table for table in tables if table is not None), {}))
    return {arch for arch in Arch if arch.value in found} or set(Arch)


def _chain(editors: Mapping[str, RecipeEditor], name: str) -> list[str]:
    chain = [name]
    while parent := str(editors[chain[-1]].get(("extends",), "")):
        if parent not in editors or parent in chain:
            raise RecipeError(f"{parent!r} cannot be extended", place=f"{editors[chain[-1]].place}: extends")
        chain.append(parent)
    return chain


def _keys(context: Context, suite: _Suite) -> tuple[bytes, ...]:
    folder = context.recipes / "keys"
    return tuple(read_bytes(folder / Path(name), error=RecipeError) for name in suite.tables[0].recipe.keys)


def _moment(suite: _Suite, fetched: Fetched, now: datetime) -> datetime:
    """Return the earliest recorded moment of the same InRelease, else now."""
    for text in sorted({table.recipe.at for table in suite.tables if table.recipe.at}):
        if any(
            (row.recipe.at, row.recipe.inrelease) == (text, fetched.release.sha256) for row in suite.tables
        ):
            try:
                at = datetime.fromisoformat(text)
                check_window(fetched.release, at)
            except (ValueError, TypeError, FetchError):
                continue
            return at
    return now


def _record(suite: _Suite, pins: Mapping[str, Any], at: datetime) -> None:
    for table in suite.tables:
        for key, value in pins.items():
            table.editor.put((*table.keys, key), value)
        table.editor.put((*table.keys, "at"), at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def _folders(editor: RecipeEditor) -> Iterable[str]:
    """Yield the index folders that a platform file refers to, after its edits."""
    for row in editor.get(("repositories",), []):
        if row.get("at"):
            try:
                at = datetime.fromisoformat(row["at"])
            except ValueError:
                raise RecipeError(
                    f"{row['at']!r} is not a moment", place=f"{editor.place}: repositories"
                ) from None
            yield f"{row['suite']}-{stamp(at)}"
            for pin in row.get("repomd", []):
                recipe = parse_recipe(row, RepositoryRecipe, place=f"{editor.place}: repositories")
                yield folder_name(recipe, Arch(pin["arch"]), at)
