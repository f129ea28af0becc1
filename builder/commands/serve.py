"""`fetch --serve`: the store as a read-only mirror for pip, uv, apt and BuildKit."""

from __future__ import annotations

from dataclasses import dataclass

from builder.commands.locks import select_locks
from builder.errors import FetchError
from builder.mirror import Catalogue, catalogue, guide, parse_address, serve
from builder.project import Project, read_lock
from builder.selection import Selection

__all__ = ["Options", "run"]

_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    selection: Selection
    address: str
    json: bool = False


def run(project: Project, options: Options) -> int:
    """Serve what the selected locks name until interrupted; 0, or an error. Nothing is fetched."""
    address = parse_address(options.address)
    targets = select_locks(project, options.selection)
    locks = [read_lock(project, project.locks / target.path)[0] for target in targets]
    offered = catalogue(locks, project.store)
    _tell_absent(project, offered)

    def ready(base: str) -> None:
        if options.json:
            project.console.json({"url": base, "locks": [str(target) for target in targets]})
        else:
            project.console.data(guide(base, offered))

    serve(address, project.store, offered, ready=ready, heard=project.console.status)
    project.console.status("stopped")
    return 0


def _tell_absent(project: Project, offered: Catalogue) -> None:
    """Say what cannot be served; an empty mirror is an error."""
    if not offered.paths and not offered.images:
        hint = "run `python -m builder fetch`, or import a bundle"
        place = str(project.store.root)
        raise FetchError("the store has nothing that these locks name", place=place, hint=hint)
    if offered.absent:
        names = sorted(set(offered.absent.values()))
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        project.console.warning(
            f"not in the store, so not served: {', '.join(names[:_SHOWN])}{more} "
            "(package lists and base packages: `bundle --apt` brings them)"
        )
