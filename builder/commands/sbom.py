"""`sbom`: a software bill of materials for each selected lock, in CycloneDX 1.6 JSON."""

from __future__ import annotations

import argparse

from builder import sbom
from builder.console import Console
from builder.io import write_atomic
from builder.locks import lock_path, read_lock, select_locks
from builder.model import Sha256
from builder.options import STDOUT, DocumentOptions, add_documents, documents_of, one_for_stdout, project_of
from builder.project import Project

__all__ = ["EXAMPLES", "add_options", "run", "write_documents"]

EXAMPLES = """\
  python -m builder sbom --framework vllm --arch x86_64        to the folder of the rendered image
  python -m builder sbom --release all --output out/            out/RELEASE/PLATFORM/FRAMEWORK-ARCH.cdx.json
  python -m builder sbom --framework vllm --platform debian-13-cuda-13.0 --arch x86_64 --output - | jq .
"""


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `sbom`."""
    add_documents(verb)


def run(options: argparse.Namespace, console: Console) -> int:
    """Write one document for each selected lock; 0, or an error."""
    return write_documents(project_of(options, console), documents_of(options))


def write_documents(project: Project, options: DocumentOptions) -> int:
    """Write one file for each selected lock; 0, or an error."""
    written = []
    targets = select_locks(project, options.selection)
    if options.output == STDOUT:
        one_for_stdout(len(targets), "locks")
    for target in targets:
        lock, data = read_lock(project, lock_path(project, target))
        text = sbom.sbom(lock, Sha256.of(data))
        if options.output == STDOUT:
            project.console.data(text)
            return 0
        folder = project.rendered_folder(target)
        name = f"{target.framework}-{target.arch}.cdx.json"
        if options.output is not None:
            folder = options.output / target.release / target.platform
        write_atomic(folder / name, text.encode())
        written.append(str(folder / name))
    project.console.files(written, as_json=options.json)
    return 0
