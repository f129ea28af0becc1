"""`export`: a lock's Python side as pylock.toml (PEP 751) and requirements.txt with hashes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from builder.commands.locks import select_image
from builder.commands.places import bind_places
from builder.export import to_pylock, to_requirements
from builder.io import write_atomic
from builder.project import Project, read_lock
from builder.selection import Selection

__all__ = ["Options", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    selection: Selection
    output: Path | None = None
    json: bool = False


def run(project: Project, options: Options) -> int:
    """Write both forms for each selected lock of one image; 0, or an error."""
    targets = select_image(project, options.selection)
    locks = [read_lock(project, project.locks / target.path)[0] for target in targets]
    places = bind_places(project, locks)
    written = []
    for target, lock in zip(targets, locks, strict=True):
        folder = (
            options.output or project.root / "rendered" / target.release / target.platform / target.framework
        )
        name = f"{target.framework}-{target.arch}"
        texts = {
            f"pylock.{name}.toml": to_pylock(lock, places.python_url),
            f"requirements.{name}.txt": to_requirements(lock),
        }
        for file, text in texts.items():
            write_atomic(folder / file, text.encode())
            written.append(str(folder / file))
    if options.json:
        project.console.json({"files": written})
    else:
        project.console.data("\n".join(written))
    return 0
