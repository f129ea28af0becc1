"""What every pinning verb needs: the recipes, the store, the places, and how to say what was seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builder.console import Console
from builder.errors import RecipeError, UsageError
from builder.origins import Origins
from builder.project import Project
from builder.recipe_editor import RecipeChange, RecipeEditor
from builder.store import Store

__all__ = ["Context", "extends_chain", "finish", "inherited_value"]

_LONG = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One run of a pinning verb."""

    project: Project
    dry_run: bool = False
    """Whether recipes and kept index files stay as they are; the store is filled nevertheless."""

    @property
    def recipes(self) -> Path:
        """The folder of recipes."""
        return self.project.recipes

    @property
    def store(self) -> Store:
        """The project's store."""
        return self.project.store

    @property
    def origins(self) -> Origins:
        """The project's origins, mirrors and network settings."""
        return self.project.origins

    @property
    def console(self) -> Console:
        """The streams to talk through."""
        return self.project.console

    def editors(self, folder: str, name: str = "") -> tuple[RecipeEditor, ...]:
        """Open the recipe `name` of a folder, or all of them (UsageError if it is missing)."""
        paths = sorted((self.recipes / folder).glob("*.toml"))
        chosen = [path for path in paths if name in ("", path.stem)]
        if not chosen:
            if name and (self.project.recipe_path(f"{folder}/{name}.toml")).is_file():
                raise UsageError(
                    f"{name!r} is a recipe of the catalogue: its pins come with the package",
                    place=f"catalogue/{folder}/{name}.toml",
                    hint=f"to pin it yourself, copy it to recipes/{folder} and write `replaces = true`",
                )
            known = ", ".join(path.stem for path in paths) or "none"
            raise UsageError(
                f"there is no recipe {name or '*'!r}", place=f"recipes/{folder}", hint=f"known: {known}"
            )
        return tuple(RecipeEditor(path, place=f"recipes/{folder}/{path.name}") for path in chosen)

    def readable_editors(self, folder: str) -> dict[str, RecipeEditor]:
        """Return every recipe of a folder by name, the catalogue's too: those are read, and never saved."""
        catalogue = self.project.catalogue
        found = {
            path.stem: RecipeEditor(path, place=f"catalogue/{folder}/{path.name}")
            for path in sorted((catalogue / folder).glob("*.toml") if catalogue else ())
        }
        own = sorted((self.recipes / folder).glob("*.toml"))
        return found | {path.stem: RecipeEditor(path, place=f"recipes/{folder}/{path.name}") for path in own}


def extends_chain(editors: Mapping[str, RecipeEditor], name: str) -> list[str]:
    """Return the platform `name` and those that it extends, nearest first (RecipeError)."""
    chain = [name]
    while parent := str(editors[chain[-1]].get(("extends",), "")):
        if parent not in editors or parent in chain:
            raise RecipeError(f"{parent!r} cannot be extended", place=f"{editors[chain[-1]].place}: extends")
        chain.append(parent)
    return chain


def inherited_value(editors: Mapping[str, RecipeEditor], name: str, key: str, default: Any) -> Any:
    """Return a top-level value of the platform `name`, of its own file or of one that it extends."""
    for link in extends_chain(editors, name):
        if (value := editors[link].get((key,))) is not None:
            return value
    return default


def finish(context: Context, editors: Sequence[RecipeEditor]) -> None:
    """Show what was seen before and now, and write the files that changed; all edits are checked first."""
    changed = [(editor, editor.text) for editor in editors if editor.changes]
    show(context, [change for editor, _ in changed for change in editor.changes])
    if context.dry_run:
        context.console.status("dry run: no recipe was written")
        return
    for editor, _ in changed:
        editor.save()
        context.console.status(f"wrote {editor.place}")


def show(context: Context, changes: Iterable[RecipeChange]) -> None:
    """Print changes as a table, long digests shortened."""
    rows = [(change.place, _short_digest(change.before), _short_digest(change.after)) for change in changes]
    if rows:
        context.console.table(("recipe", "before", "now"), rows)
    else:
        context.console.status("every pin is as recorded")


def _short_digest(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"
