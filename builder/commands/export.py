"""`export`: a lock's Python side as pylock.toml (PEP 751) and requirements.txt with hashes."""

from __future__ import annotations

import argparse

from builder.console import Console
from builder.export import to_pylock, to_requirements
from builder.io import write_atomic
from builder.locks import read_locks, select_image
from builder.options import DocumentOptions, add_documents, documents_of, project_of
from builder.project import Project

__all__ = ["EXAMPLES", "add_options", "export_locks", "run"]

EXAMPLES = """\
  python -m builder export --framework vllm --arch x86_64
  python -m builder export --framework dynamo --output out/
"""


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `export`."""
    add_documents(verb)


def run(options: argparse.Namespace, console: Console) -> int:
    """Write both forms for each selected lock of one image; 0, or an error."""
    return export_locks(project_of(options, console), documents_of(options))


def export_locks(project: Project, options: DocumentOptions) -> int:
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
