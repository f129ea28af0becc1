"""`export`: a lock's Python side as pylock.toml (PEP 751) and requirements.txt with hashes."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from builder.console import Console
from builder.export import to_pylock, to_requirements
from builder.io import write_atomic
from builder.locks import read_locks, select_image
from builder.options import ResultFormat, add_format, add_places, add_selection, project_of, selection_of
from builder.project import Project
from builder.selection import Selection

__all__ = ["EXAMPLES", "Options", "add_options", "export_locks", "run"]

EXAMPLES = """\
  python -m builder export --framework vllm --arch x86_64
  python -m builder export --framework dynamo --output out/
"""


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `export`."""
    add_selection(verb)
    add_places(verb)
    add_format(verb)
    verb.add_argument("--output", type=Path, metavar="DIR", help="folder to write to")


def run(options: argparse.Namespace, console: Console) -> int:
    """Write both forms for each selected lock of one image; 0, or an error."""
    return export_locks(
        project_of(options, console),
        Options(
            selection=selection_of(options),
            output=options.output,
            json=options.format == ResultFormat.JSON,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    selection: Selection
    output: Path | None = None
    json: bool = False


def export_locks(project: Project, options: Options) -> int:
    """Write both forms for each selected lock of one image; 0, or an error."""
    targets = select_image(project, options.selection)
    locks = [lock for lock, _ in read_locks(project, targets)]
    origins = project.origins_of({row.origin for lock in locks for row in lock.python})
    written = []
    for target, lock in zip(targets, locks, strict=True):
        folder = options.output or project.rendered_folder(target)
        name = f"{target.framework}-{target.arch}"
        texts = {
            f"pylock.{name}.toml": to_pylock(lock, lambda row: origins.row_urls(row, ())[0]),
            f"requirements.{name}.txt": to_requirements(lock),
        }
        for file, text in texts.items():
            write_atomic(folder / file, text.encode())
            written.append(str(folder / file))
    project.console.files(written, as_json=options.json)
    return 0
