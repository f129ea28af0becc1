"""Configuration to the places that rendering binds: origins, mirrors, the Python index's file base."""

from __future__ import annotations

from collections.abc import Iterable

from builder.errors import UsageError
from builder.fetch import discover_file_base, remember_file_base
from builder.lockfile import Lock
from builder.project import Project
from builder.recipe import PYPI
from builder.render import Place, Places

__all__ = ["bind_places"]


def bind_places(project: Project, locks: Iterable[Lock]) -> Places:
    """Return a place for every origin that `locks` name.

    The default Python index is asked once for its file base, which is then
    kept in the user's origins file. UsageError for an origin without a place.
    """
    origins = {origin.name: origin for origin in project.origins.origins}
    wanted: set[str] = set()
    for lock in locks:
        wanted.update(row.origin for row in lock.python)
        wanted.update(row.origin for row in lock.archives)
    places = {name: Place(url=origin.url, layout=origin.layout) for name, origin in sorted(origins.items())}
    if PYPI in wanted and PYPI not in places:
        places[PYPI] = Place(url=_file_base(project), layout="warehouse")
    # Rendering takes one place a row: the first mirror. A mirror of `…/*/` stands in for every time stamp.
    mirrors = tuple(
        (mirror.prefix.removesuffix("*/"), mirror.places[0])
        for mirror in project.origins.mirrors
        if mirror.places
    )
    return Places(places=places, mirrors=mirrors)


def _file_base(project: Project) -> str:
    project.console.status("asking the Python index where its files are (once)")
    with project.client() as client:
        base = discover_file_base(client)
    try:
        remember_file_base(base)
    except (OSError, UsageError) as error:
        project.console.warning(f"the answer could not be kept: {error}")
    return base
