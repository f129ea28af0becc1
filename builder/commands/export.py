"""`export`: a lock's Python side as pylock.toml (PEP 751) and requirements.txt with hashes."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from builder.console import Console
from builder.export import to_pylock, to_requirements
from builder.io import write_atomic
from builder.lockfile import PythonPackage
from builder.locks import read_locks, select_image
from builder.options import STDOUT, DocumentOptions, add_documents, documents_of, one_for_stdout, project_of
from builder.project import Project

__all__ = ["EXAMPLES", "FORMS", "add_options", "export_locks", "run"]

EXAMPLES = """\
  python -m builder export --framework vllm --arch x86_64
  python -m builder export --framework dynamo --output out/
  python -m builder export --framework dynamo --platform debian-13 --arch x86_64 --only pylock --output -
"""


PYLOCK, REQUIREMENTS = "pylock", "requirements"
SUFFIXES = {PYLOCK: "toml", REQUIREMENTS: "txt"}
FORMS = tuple(SUFFIXES)
"""What an export can be, by the first part of its file's name."""


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `export`."""
    add_documents(verb)
    verb.add_argument("--only", choices=FORMS, help="write one form only (default: both)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Write the forms for each selected lock of one image; 0, or an error."""
    forms = (options.only,) if options.only else FORMS
    return export_locks(project_of(options, console), documents_of(options), forms)


def export_locks(project: Project, options: DocumentOptions, forms: Sequence[str] = FORMS) -> int:
    """Write `forms`, names of FORMS, for each selected lock of one image; 0, or an error."""
    targets = select_image(project, options.selection)
    locks = [lock for lock, _ in read_locks(project, targets)]
    origins = project.origins_of({row.origin for lock in locks for row in lock.python})

    def url_of(row: PythonPackage) -> str:
        return origins.row_urls(row, ())[0]

    if options.output == STDOUT:
        one_for_stdout(len(targets) * len(forms), "documents")
    written = []
    for target, lock in zip(targets, locks, strict=True):
        folder = options.output or project.rendered_folder(target)
        name = f"{target.framework}-{target.arch}"
        for form in forms:
            file = f"{form}.{name}.{SUFFIXES[form]}"
            text = to_pylock(lock, url_of) if form == PYLOCK else to_requirements(lock)
            if options.output == STDOUT:
                project.console.data(text)
                return 0
            write_atomic(folder / file, text.encode())
            written.append(str(folder / file))
    project.console.files(written, as_json=options.json)
    return 0
