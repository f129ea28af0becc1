"""`render`: locks to a Dockerfile, a source policy and a bake file."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from builder.console import Console
from builder.io import write_atomic
from builder.lockfile import Lock
from builder.locks import compare_with_recipes, read_locks, select_image
from builder.options import (
    STDOUT,
    ResultFormat,
    add_format,
    add_inputs,
    add_output,
    add_places,
    add_selection,
    output_of,
    project_of,
    selection_of,
)
from builder.project import Project
from builder.provision import first_addresses
from builder.render import Addresses, Inputs, render
from builder.selection import Selection

__all__ = ["EXAMPLES", "Options", "add_options", "render_image", "run"]

EXAMPLES = """\
  python -m builder render --framework vllm
  python -m builder render --framework dynamo --inputs store --output out/
  python -m builder render --framework dynamo --platform debian-13-assembled --output - | less
  python -m builder render --framework vllm --origin pypi=https://files.example.invalid/packages/
"""


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `render`."""
    add_selection(verb)
    add_places(verb)
    add_format(verb)
    add_inputs(verb, Inputs.REMOTE)
    add_output(verb, "the Dockerfile alone")


def run(options: argparse.Namespace, console: Console) -> int:
    """Render one image for all its locked architectures; 0, or an error."""
    return render_image(
        project_of(options, console),
        Options(
            selection=selection_of(options),
            inputs=Inputs(options.inputs),
            stale=options.stale,
            output=output_of(options),
            json=options.format == ResultFormat.JSON,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    selection: Selection
    inputs: Inputs
    stale: bool = False
    """Whether locks that differ from the recipes are taken nevertheless."""
    output: Path | None = None
    """The folder to write to, or STDOUT; without one, the folder of the image below `rendered/`."""
    json: bool = False


def render_image(project: Project, options: Options) -> int:
    """Render one image for all its locked architectures; 0, or an error."""
    targets = select_image(project, options.selection)
    locks = read_locks(project, targets)
    plain = [lock for lock, _ in locks]
    compared = compare_with_recipes(project, plain, stale=options.stale)
    addresses = Addresses() if options.inputs is Inputs.STORE else first_addresses(project, plain)
    rendered = render(locks, inputs=options.inputs, addresses=addresses, compared=compared)
    if options.output == STDOUT:
        project.console.data(rendered.dockerfile)
        return 0
    first = targets[0]
    folder = options.output or project.rendered_folder(first)
    for name, text in rendered.files.items():
        write_atomic(folder / name, text.encode())
    _report_files(project, [folder / name for name in rendered.files], plain, options)
    return 0


def _report_files(project: Project, files: list[Path], locks: list[Lock], options: Options) -> None:
    if options.json:
        project.console.json(
            {"files": [str(file) for file in files], "locks": [_row_counts(lock) for lock in locks]}
        )
        return
    rows = [tuple(str(value) for value in _row_counts(lock).values()) for lock in locks]
    project.console.table(tuple(_row_counts(locks[0])), rows)
    project.console.data(f"{files[0]}")


def _row_counts(lock: Lock) -> dict[str, str | int]:
    return {
        "lock": str(lock.target),
        "python": len(lock.python),
        "os packages": len(lock.os_packages),
        "archives": len(lock.archives),
        "git sources": len(lock.sources),
        "builds": len(lock.builds),
    }
