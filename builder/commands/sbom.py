"""`sbom`: a software bill of materials for each selected lock, in CycloneDX 1.6 JSON."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from builder import sbom
from builder.console import Console
from builder.io import write_atomic
from builder.locks import lock_path, read_lock, select_locks
from builder.model import Sha256
from builder.options import ResultFormat, add_format, add_places, add_selection, project_of, selection_of
from builder.project import Project
from builder.selection import Selection

__all__ = ["EXAMPLES", "Options", "add_options", "run", "write_documents"]

EXAMPLES = """\
  python -m builder sbom --framework vllm --arch x86_64        to the folder of the rendered image
  python -m builder sbom --release all --output out/            out/RELEASE/PLATFORM/FRAMEWORK-ARCH.cdx.json
"""


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `sbom`."""
    add_selection(verb)
    add_places(verb)
    add_format(verb)
    verb.add_argument("--output", type=Path, metavar="DIR", help="folder to write to")


def run(options: argparse.Namespace, console: Console) -> int:
    """Write one document for each selected lock; 0, or an error."""
    return write_documents(
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
    """The folder to write to; without one, that of the rendered image."""
    json: bool = False


def write_documents(project: Project, options: Options) -> int:
    """Write one file for each selected lock; 0, or an error."""
    written = []
    for target in select_locks(project, options.selection):
        lock, data = read_lock(project, lock_path(project, target))
        folder = project.rendered_folder(target)
        name = f"{target.framework}-{target.arch}.cdx.json"
        if options.output is not None:
            folder = options.output / target.release / target.platform
        write_atomic(folder / name, sbom.sbom(lock, Sha256.of(data)).encode())
        written.append(str(folder / name))
    project.console.files(written, as_json=options.json)
    return 0
