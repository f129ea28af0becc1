"""Newer versions written into recipes: pins, the date bound that covers them, and why.

Comments and layout stay. What cannot be written here, because it needs a decision or belongs to the
catalogue, is left with its reason.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from builder import pin
from builder.console import Console
from builder.model import key_path_text
from builder.project import Project
from builder.recipe import Library
from builder.recipe_editor import KeyPath, RecipeChange, RecipeEditor
from builder.updates.cooldown import Cooldown
from builder.updates.news import NewsState, PinNews
from builder.updates.pins import ProjectPin, ProjectPinKind

__all__ = ["Upgrade", "UpgradeChoice", "apply_upgrades"]

_EVIDENCE = "evidence"
_BOUND = "exclude-newer"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeChoice:
    """What is to be upgraded."""

    news: tuple[PinNews, ...]
    named: frozenset[str]
    """Names that were asked for one by one: what the catalogue states of them is overridden."""
    cooldown: Cooldown
    now: datetime
    reason: str = ""
    """Why, in words of whoever upgrades; it is kept in the release's evidence."""


@dataclass(slots=True)
class Upgrade:
    """What was written, and what was left."""

    changes: list[RecipeChange] = field(default_factory=list)
    taken: list[PinNews] = field(default_factory=list)
    left: list[tuple[PinNews, str]] = field(default_factory=list)


def apply_upgrades(project: Project, library: Library, choice: UpgradeChoice) -> Upgrade:
    """Edit the recipes of `project`, a copy; RecipeError or FetchError for what cannot be pinned."""
    done = Upgrade()
    editors: dict[str, RecipeEditor] = {}

    def editor_of(path: str) -> RecipeEditor:
        if path not in editors:
            editors[path] = RecipeEditor(project.recipes / path, place=f"recipes/{path}")
        return editors[path]

    for item in choice.news:
        reason = _why_left(item, library, choice)
        if reason:
            done.left.append((item, reason))
            continue
        if item.pin.kind is ProjectPinKind.COMPONENT:
            _add_component_version(item, project, library)
        for path in _paths_of(item.pin, library):
            _edit_pin(item, editor_of(path), choice)
        for path, bound in _dated_releases(item, library):
            _raise_bound(editor_of(path), bound, choice)
        done.taken.append(item)
    for editor in editors.values():
        done.changes += editor.changes
        editor.save()
    for item in done.taken:
        done.changes += _pin_platform(item, project, library, choice.now)
    return done


def _why_left(item: PinNews, library: Library, choice: UpgradeChoice) -> str:
    """Return why a pin stays as it is; empty if it is upgraded."""
    pin_ = item.pin
    if item.state is NewsState.NOT_LOOKED_UP:
        return f"not looked up: {item.reason}"
    if item.state is NewsState.MOVED and pin_.kind is not ProjectPinKind.OS_INDEX:
        return "its tag moved: see what changed, then run `python -m builder pin image`"
    if item.state not in (NewsState.NEWER, NewsState.MOVED):
        return item.state.value
    platform = pin_.kind in (ProjectPinKind.IMAGE, ProjectPinKind.OS_INDEX) or pin_.path.startswith(
        "platforms/"
    )
    if pin_.inherited and (platform or pin_.name not in choice.named):
        hint = "" if platform else ", and it is overridden only when it is named"
        return f"catalogue/{pin_.path} states it{hint}"
    if pin_.kind is ProjectPinKind.COMPONENT:
        return _why_component_left(item, library)
    return ""


def _why_component_left(item: PinNews, library: Library) -> str:
    path = f"components/{item.pin.name}.toml"
    component = library.component(item.pin.name, place=path)
    if item.newest in component.versions:
        return ""
    if path in library.inherited:
        return f"catalogue/{path} does not know {item.newest}"
    if not item.tag:
        return f"recipes/{path} does not know {item.newest}: say there where it comes from"
    return ""


def _paths_of(pin_: ProjectPin, library: Library) -> tuple[str, ...]:
    """Return the files to edit: the one that states it, or those of the project's releases that use it."""
    if not pin_.inherited:
        return (pin_.path,)
    return tuple(path for name in pin_.releases if (path := f"releases/{name}.toml") not in library.inherited)


def _edit_pin(item: PinNews, editor: RecipeEditor, choice: UpgradeChoice) -> None:
    """Write the newer version into one file; an archive's index is pinned later, with its platform."""
    pin_ = item.pin
    if pin_.kind is ProjectPinKind.OS_INDEX:
        return
    if pin_.kind is ProjectPinKind.IMAGE:
        editor.put((*pin_.keys, "tag"), item.newest)
        return
    _put_version(editor, pin_.keys, item.newest)
    if pin_.kind is not ProjectPinKind.RELEASE and editor.place.startswith("recipes/releases/"):
        _keep_reason(editor, item, choice)


def _dated_releases(item: PinNews, library: Library) -> Iterator[tuple[str, str]]:
    """Yield the project's releases whose date bound must cover the newer file, each with its bound."""
    if item.newest_on is None or item.pin.kind not in (ProjectPinKind.PYTHON, ProjectPinKind.COMPONENT):
        return
    for name in item.pin.releases:
        path = f"releases/{name}.toml"
        if path not in library.inherited:
            yield path, library.releases[name].exclude_newer


def _put_version(editor: RecipeEditor, keys: KeyPath, version: str) -> None:
    """Set a version; a table that is not there yet comes before the first targets."""
    if len(keys) == 1 or editor.get(keys[:-1]) is not None:
        editor.put(keys, version)
    else:
        header = key_path_text(keys[:-1])
        editor.insert_block(f"[{header}]", {str(keys[-1]): version}, before="[[targets]]")


def _add_component_version(item: PinNews, project: Project, library: Library) -> None:
    """Add the version of a newer tag, with all its pins, to the project's own component."""
    component = library.component(item.pin.name, place=item.pin.path)
    source = component.versions[item.pin.version].git
    if item.newest in component.versions or source is None:
        return
    path = f"components/{item.pin.name}.toml"
    editor = RecipeEditor(project.recipes / path, place=f"recipes/{path}")
    pin.fill_version(editor, item.newest, source.url, item.tag, pin.Context(project=project))
    editor.save()


def _keep_reason(editor: RecipeEditor, item: PinNews, choice: UpgradeChoice) -> None:
    """Write why the version is this one, and what was said of the one before."""
    key = key_path_text(item.pin.keys)
    before = editor.get((_EVIDENCE, key), "")
    if not before and not choice.reason:
        return
    said = (
        choice.reason
        or f"the newest on {choice.now:%Y-%m-%d} after a cooldown of {choice.cooldown.days} days"
    )
    text = f"{said}; before: {item.pin.version}" + (f" ({before})" if before else "")
    if editor.get((_EVIDENCE,)) is None:
        editor.insert_block(f"[{_EVIDENCE}]", {key: text}, before="\0")
    else:
        editor.put((_EVIDENCE, key), text)


def _raise_bound(editor: RecipeEditor, bound: str, choice: UpgradeChoice) -> None:
    """Let files until the cooldown count; a bound is never moved back."""
    now = choice.cooldown.until("", choice.now).strftime("%Y-%m-%dT%H:%M:%SZ")
    if now > str(editor.get((_BOUND,), bound)):
        editor.put_top(_BOUND, now)


def _pin_platform(item: PinNews, project: Project, library: Library, now: datetime) -> Iterable[RecipeChange]:
    """Follow an image's new tag, or pin an archive's index as it is now, in the platform's file."""
    if item.pin.kind not in (ProjectPinKind.IMAGE, ProjectPinKind.OS_INDEX):
        return ()
    name = item.pin.path.removeprefix("platforms/").removesuffix(".toml")
    quiet = replace(project, console=Console(io.StringIO(), sys.stderr, quiet=True))
    context = pin.Context(project=quiet)
    before = _plain_texts(project, item.pin.path)
    if item.pin.kind is ProjectPinKind.IMAGE:
        pin.pin_image(context, name)
    else:
        pin.pin_repositories(context, name, now=now)
        for platform in library.platforms.values():
            # An assembled base follows from the packages of the indexes.
            chain = [link.name for link in library.platform_chain(platform)]
            own = (project.recipes / f"platforms/{platform.name}.toml").is_file()
            if own and platform.assembled and name in chain:
                pin.pin_assembled(context, platform.name)
    after = _plain_texts(project, item.pin.path)
    return [
        RecipeChange(place=f"recipes/{item.pin.path}: {place}", before=before.get(place, ""), after=text)
        for place, text in after.items()
        if before.get(place, "") != text
    ]


def _plain_texts(project: Project, path: str) -> Mapping[str, str]:
    """Return each text of a platform's images and repositories by its key path."""
    editor = RecipeEditor(project.recipes / path, place=path)
    found: dict[str, str] = {}
    for arch, rows in editor.get(("images",), {}).items():
        for index, row in enumerate(rows):
            found |= {
                key_path_text(("images", arch, index, key)): value
                for key, value in row.items()
                if isinstance(value, str)
            }
    for index, row in enumerate(editor.get(("repositories",), [])):
        found |= {
            key_path_text(("repositories", index, key)): value
            for key, value in row.items()
            if isinstance(value, str)
        }
    return found
