"""`sbom`: a software bill of materials for each selected lock, in CycloneDX 1.6 JSON."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from builder.commands.locks import select_locks
from builder.errors import UsageError
from builder.io import write_atomic
from builder.model import Sha256
from builder.project import Project, read_lock
from builder.selection import Selection

__all__ = ["Options", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    selection: Selection
    output: Path | None = None
    """The folder to write to; without one, that of the rendered image."""
    json: bool = False


def run(project: Project, options: Options) -> int:
    """Write one file for each selected lock; 0, or an error."""
    if find_spec("cyclonedx") is None:
        raise UsageError(
            "the libraries for bills of materials are not installed",
            hint="install them: pip install 'lockwright[audit]'",
        )
    from builder.sbom import sbom  # noqa: PLC0415 - it needs what was just asked for

    written = []
    for target in select_locks(project, options.selection):
        lock, data = read_lock(project, project.locks / target.path)
        folder = project.root / "rendered" / target.release / target.platform / target.framework
        name = f"{target.framework}-{target.arch}.cdx.json"
        if options.output is not None:
            folder = options.output / target.release / target.platform
        write_atomic(folder / name, sbom(lock, Sha256.of(data)).encode())
        written.append(str(folder / name))
    if options.json:
        project.console.json({"files": written})
    else:
        project.console.data("\n".join(written))
    return 0
