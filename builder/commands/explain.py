"""`explain`: the effective recipe of a target, or one recipe, each value with its file and line."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import groupby
from typing import Any

from builder.console import Console
from builder.errors import UsageError
from builder.model import Target, counted
from builder.options import ResultFormat, add_format, add_places, add_selection, project_of, selection_of
from builder.project import Project
from builder.recipe import (
    RECIPE_KINDS,
    ExplainedValue,
    Library,
    check_refused,
    explain_recipe,
    explain_target,
    lockable_targets,
    recipe_kinds,
)
from builder.selection import Selection, check_names

__all__ = ["EXAMPLES", "add_options", "run"]

EXAMPLES = """\
  python -m builder explain vllm                                   the default release's target of a framework
  python -m builder explain vllm --release 1.4.2 --platform debian-13-cuda-13.0 --arch aarch64
  python -m builder explain ucx --framework vllm --release 1.4.2   a component as it is in that target
  python -m builder explain debian-13 --format json                one recipe, with what it extends
"""
_FRAMEWORK, _COMPONENT = "framework", "component"
_INDEX = re.compile(r"\[\d+\]$")
_LONG_LISTS = ("inventory", "python")
"""Lists of what an image holds, by the last word of their key: in text they are one row each."""


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `explain`."""
    verb.add_argument("name", metavar="NAME", help="a framework, component, platform or release")
    verb.add_argument(
        "--kind", choices=tuple(RECIPE_KINDS), default="", help="of NAME, where several recipes have it"
    )
    verb.add_argument("--all", action="store_true", help="show each item of what an image holds")
    add_selection(verb)
    add_places(verb)
    add_format(verb)


def run(options: argparse.Namespace, console: Console) -> int:
    """Show where each value is written; 0, or an error."""
    project = project_of(options, console)
    library = project.library()
    selection = selection_of(options)
    check_names(selection, library.target_names)
    kind = _meant_kind(library, options.name, options.kind)
    target = _meant_target(library, selection, kind, options.name)
    if target is None:
        rows = explain_recipe(library, project.recipe_texts(), kind, options.name)
    else:
        check_refused(library, target)
        rows = explain_target(library, project.recipe_texts(), target)
        if kind == _COMPONENT:
            rows = _of_component(rows, options.name, target)
    if options.format == ResultFormat.JSON:
        console.json(_as_json(project, target, rows))
        return 0
    console.status(f"{target or f'{kind} {options.name}'}: {counted(len(rows), 'value')}")
    if project.catalogue is not None:
        console.status(f"catalogue/ is {project.catalogue}")
    shown = rows if options.all else tuple(_without_long_lists(rows))
    console.table(
        ("part", "key", "value", "written in", "when"),
        [(row.part, row.key, _value_text(row), _places_text(row), row.when) for row in shown],
    )
    return 0


def _meant_kind(library: Library, name: str, said: str) -> str:
    kinds = recipe_kinds(library, name)
    if said and said not in kinds:
        raise UsageError(f"{name!r} is a {' and a '.join(kinds)}", place="--kind", hint=f"--kind {kinds[0]}")
    if not said and len(kinds) > 1:
        raise UsageError(
            f"{name!r} is a {' and a '.join(kinds)}", place="explain", hint=f"name one: --kind {kinds[0]}"
        )
    return said or kinds[0]


def _meant_target(library: Library, selection: Selection, kind: str, name: str) -> Target | None:
    """Return the target in which NAME is shown; None for a recipe alone (UsageError, NoSolutionError)."""
    if kind == _FRAMEWORK:
        if selection.frameworks and selection.frameworks != (name,):
            raise UsageError("NAME is a framework already", place="--framework", hint="leave it out")
        selection = Selection(
            releases=selection.releases,
            platforms=selection.platforms,
            frameworks=(name,),
            arches=selection.arches,
        )
    elif selection.is_empty:
        return None
    elif kind != _COMPONENT:
        raise UsageError(
            f"a {kind} is shown as it is, not for a target",
            place=str(selection),
            hint="leave these options out",
        )
    elif not selection.frameworks:
        raise UsageError(
            "a component is part of a target of a framework",
            place=str(selection),
            hint="add --framework NAME",
        )
    return _one_target(library, selection)


def _one_target(library: Library, selection: Selection) -> Target:
    """Return the selected target; where an option is not given, the first that the release lists."""
    for option, values in (
        ("--release", selection.releases),
        ("--platform", selection.platforms),
        ("--framework", selection.frameworks),
        ("--arch", selection.arches),
    ):
        if len(values) > 1 or "all" in values:
            raise UsageError("one target is explained at a time", place=option, hint="name one")
    found = lockable_targets(library, selection)
    release = library.release(found[0].release)
    order = [platform for row in release.targets for platform in row.platforms]
    listed = [target for target in found if target.platform in order] or list(found)
    return min(
        listed,
        key=lambda target: (
            order.index(target.platform) if target.platform in order else 0,
            target.arch != "x86_64",
        ),
    )


def _of_component(rows: Iterable[ExplainedValue], name: str, target: Target) -> tuple[ExplainedValue, ...]:
    every = tuple(rows)
    found = tuple(row for row in every if row.part == f"component {name}")
    if not found:
        parts = {row.part.partition(" ")[2] for row in every if row.part.startswith("component ")}
        raise UsageError(
            f"{target} contains no component {name!r}",
            place="explain",
            hint=f"its components: {', '.join(sorted(parts)) or 'none'}",
        )
    return found


def _as_json(project: Project, target: Target | None, rows: Iterable[ExplainedValue]) -> dict[str, Any]:
    return {
        "target": str(target) if target else None,
        "catalogue": str(project.catalogue) if project.catalogue else None,
        "values": [asdict(row) for row in rows],
    }


def _without_long_lists(rows: Iterable[ExplainedValue]) -> Iterator[ExplainedValue]:
    """Yield rows with those of one long list as one, which says how many there are and where they begin."""
    for (_, key), group in groupby(rows, key=lambda row: (row.part, _INDEX.sub("", row.key))):
        items = list(group)
        if len(items) > 1 and key.rpartition(".")[2] in _LONG_LISTS and key.startswith("images."):
            yield ExplainedValue(
                part=items[0].part,
                key=key,
                value=counted(len(items), "item"),
                written="",
                places=items[0].places,
            )
        else:
            yield from items


def _value_text(row: ExplainedValue) -> str:
    if isinstance(row.value, bool):
        return str(row.value).lower()
    if isinstance(row.value, tuple):
        return shlex.join(row.value) if row.value else "empty"
    return str(row.value)


def _places_text(row: ExplainedValue) -> str:
    return ", ".join(map(str, row.places))
