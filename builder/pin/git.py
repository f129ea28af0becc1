"""`pin git`: what a tag means now, and everything that follows from its commit."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from builder.errors import DigestMismatchError, FetchError, RecipeError, UsageError
from builder.git import CanonicalSpec, GitPlaces, SubmoduleTree, find_submodules, open_checkout, store_tar
from builder.lockfile import Submodule
from builder.model import key_path_text
from builder.pin.context import Context, finish
from builder.recipe import Component, GitRecipe
from builder.recipe_editor import KeyPath, RecipeEditor

__all__ = ["MovedTag", "fill_version", "pin_git", "tag_commit"]

_TAGS, _BRANCHES = "refs/tags/", "refs/heads/"


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedTag:
    """A tag that does not mean the recorded commit any more (trap T6)."""

    place: str
    url: str
    tag: str
    recorded: str
    now: str

    def __str__(self) -> str:
        return (
            f"{self.place}: tag {self.tag} of {self.url} moved: "
            f"recorded is {self.recorded}, now it is {self.now}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _CommitPins:
    """What follows from a commit."""

    tree: str
    submodules: tuple[Submodule, ...]
    sha256: str


def pin_git(
    context: Context, component: str = "", version: str = "", *, add: str = "", accept_moved: bool = False
) -> int:
    """Fill the git pins of one version, one component, or all; return 1 when a tag moved.

    A moved tag is reported with both commits and nothing is written, unless
    `accept_moved`. `add` is a tag that becomes a new version. RecipeError for
    a branch in place of a tag, FetchError for what cannot be had.
    """
    places = context.project.git_places()
    editors = context.editors("components", component)
    if add:
        version = _add_version(editors, component, version, add, places)
    tables = [(editor, keys) for editor in editors for keys in _git_tables(editor, version)]
    if not tables:
        raise UsageError(
            f"no git source of version {version!r}" if version else "no git source",
            place=f"recipes/components/{component or '*'}.toml",
            hint="name a version that the recipe has, or add one: --add TAG",
        )
    moved = [row for editor, keys in tables if (row := _follow_tag(editor, keys, places))]
    for row in moved:
        context.console.warning(str(row))
    if moved and not accept_moved:
        context.console.status(
            "nothing was written; compare both commits, then take the new ones: --accept-moved"
        )
        return 1
    for editor, keys in tables:
        context.console.status(f"reading {editor.path.stem} {keys[1]}")
        _pin_table(editor, keys, places, context)
    for editor in editors:
        editor.parsed(Component)
    finish(context, editors)
    return 0


def tag_commit(url: str, tag: str, places: GitPlaces, *, place: str) -> str:
    """Return the commit that `tag` of `url` means now.

    RecipeError at `place` when it is a branch and no tag; FetchError when it is neither.
    """
    name, branch = f"{_TAGS}{tag}", f"{_BRANCHES}{tag}"
    refs = places.refs(url, (name, f"{name}^{{}}", branch))
    if name in refs:
        return refs.get(f"{name}^{{}}", refs[name])
    tags = [ref.removeprefix(_TAGS) for ref in places.refs(url, (f"{_TAGS}*",)) if not ref.endswith("^{}")]
    near = difflib.get_close_matches(tag, tags, n=3, cutoff=0.7)
    nearest = f" (nearest: {', '.join(near)})" if near else "" if tags else " (it has none)"
    if branch in refs:
        raise RecipeError(
            f"{tag!r} is a branch of {url}, not a tag: a branch moves, and may be deleted",
            place=place,
            hint=f"name a tag{nearest}, or give the commit alone with a `reason`",
        )
    raise FetchError(
        f"{url} has no tag {tag!r}", place=place, hint=f"name a tag{nearest}, or a mirror that has it"
    )


def _git_tables(editor: RecipeEditor, version: str) -> Iterator[KeyPath]:
    for name, table in editor.get(("versions",), {}).items():
        if version in ("", name) and isinstance(table, Mapping) and "git" in table:
            yield ("versions", name, "git")


def _add_version(
    editors: tuple[RecipeEditor, ...], component: str, version: str, tag: str, places: GitPlaces
) -> str:
    """Add a version's table, with the address of the recipe's first git source; return the version."""
    if not component:
        raise UsageError(
            "a new version needs its component",
            place="--add",
            hint="python -m builder pin git ucx --add v1.22.0",
        )
    (editor,) = editors
    version = version or tag.removeprefix("v")
    if editor.get(("versions", version)) is not None:
        raise UsageError(f"version {version!r} exists", place=editor.place, hint="pin it without --add")
    first = next(_git_tables(editor, ""), None)
    if first is None:
        raise UsageError(
            "no git source to take the address from",
            place=editor.place,
            hint="write the first version by hand",
        )
    _insert_version(editor, version, str(editor.get((*first, "url"))), tag, places)
    return version


def _insert_version(editor: RecipeEditor, version: str, url: str, tag: str, places: GitPlaces) -> KeyPath:
    keys = ("versions", version, "git")
    commit = tag_commit(url, tag, places, place=f"{editor.place}: {key_path_text((*keys, 'tag'))}")
    editor.insert_version(key_path_text(keys), {"url": url, "tag": tag, "commit": commit})
    return keys


def fill_version(editor: RecipeEditor, version: str, url: str, tag: str, context: Context) -> None:
    """Add a version, with all its pins, to a component's recipe that is being written.

    RecipeError where `tag` names a branch, FetchError for what cannot be had.
    """
    places = context.project.git_places()
    _pin_table(editor, _insert_version(editor, version, url, tag, places), places, context)


def _follow_tag(editor: RecipeEditor, keys: KeyPath, places: GitPlaces) -> MovedTag | None:
    """Set the commit of a table from its tag; return what happened when it was another one."""
    url, tag, recorded = (_text_at(editor, (*keys, word)) for word in ("url", "tag", "commit"))
    if not tag:
        return None
    now = tag_commit(url, tag, places, place=f"{editor.place}: {key_path_text((*keys, 'tag'))}")
    editor.put((*keys, "commit"), now)
    if recorded in ("", now):
        return None
    return MovedTag(
        place=f"{editor.place}: {key_path_text(keys)}", url=url, tag=tag, recorded=recorded, now=now
    )


def _text_at(editor: RecipeEditor, keys: KeyPath) -> str:
    value: Any = editor.get(keys, "")
    if not isinstance(value, str):
        raise RecipeError("expected text", place=f"{editor.place}: {key_path_text(keys)}")
    return value


def _pin_table(editor: RecipeEditor, keys: KeyPath, places: GitPlaces, context: Context) -> None:
    """Fill tree, submodules, tar digest and evidence of one git table."""
    place = f"{editor.place}: {key_path_text(keys)}"
    recipe = editor.parsed(Component).versions[str(keys[1])].git
    if recipe is None:
        raise RecipeError("expected a table with url, tag and commit", place=place)
    top = open_checkout(places, recipe.url, recipe.commit, recipe.tag)
    found = find_submodules(top, recipe.omitted, places, place=place)
    spec = CanonicalSpec(
        name=editor.path.stem,
        version=str(keys[1]),
        source=top.source,
        submodules=tuple(SubmoduleTree(path=row.path, source=checkout.source) for row, checkout in found),
        omitted=recipe.omitted,
    )
    seen = _CommitPins(
        tree=top.source.tree,
        submodules=tuple(row for row, _ in found),
        sha256=store_tar(spec, context.store, places.environment),
    )
    commit_place = f"{editor.place}: {key_path_text((*keys, 'commit'))}"
    if not any(change.place == commit_place for change in editor.changes):
        _check_same(recipe, seen, place)
    _record_pins(editor, keys, seen)


def _check_same(recipe: GitRecipe, seen: _CommitPins, place: str) -> None:
    """Refuse other bytes for what the recipe records as the same commit, tree and submodules."""
    if recipe.tree not in (None, seen.tree):
        raise DigestMismatchError(
            f"commit {recipe.commit} has tree {seen.tree}, recorded is {recipe.tree}", place=place
        )
    if recipe.submodules == seen.submodules and recipe.sha256 not in (None, seen.sha256):
        raise DigestMismatchError(
            f"commit, tree and submodules are as recorded, the canonical tar is not: sha256 {seen.sha256}, "
            f"recorded is {recipe.sha256}",
            place=place,
            hint="when `omitted` changed, delete the line sha256 and pin again",
        )


def _record_pins(editor: RecipeEditor, keys: KeyPath, seen: _CommitPins) -> None:
    editor.put((*keys, "tree"), seen.tree)
    editor.put((*keys, "sha256"), seen.sha256)
    editor.put((*keys, "evidence"), "observed")
    if seen.submodules:
        editor.put((*keys, "submodules"), [_submodule_table(row) for row in seen.submodules])
    else:
        editor.drop((*keys, "submodules"))


def _submodule_table(row: Submodule) -> dict[str, str]:
    return {"path": row.path, "git": row.git, "commit": str(row.commit), "tree": str(row.tree)}
