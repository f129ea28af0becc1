"""Which version of each package an installation would choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.resolve.debian.relation import compare
from builder.resolve.debian.universe import provided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.resolve.debian.index import Stanza
    from builder.resolve.debian.universe import Universe

__all__ = ["Candidates"]


class Candidates:
    """The candidates of one resolution: the highest version of all indices and the installed one.

    apt caches whether candidates satisfy a relation, and gives a candidate up
    without updating that. Whoever relates to one of its names goes on as if it
    were there, until something is done with a package of the same name. That
    changes which packages apt tries, so it is kept here: `seen` is the view
    through that cache.
    """

    def __init__(self, universe: Universe, current: Mapping[str, Stanza]) -> None:
        self.universe = universe
        self.current = current
        self._changed: dict[str, Stanza | None] = {}
        self._unnoticed: dict[str, dict[str, Stanza]] = {}

    def get(self, name: str) -> Stanza | None:
        """Return the candidate of `name`."""
        if name in self._changed:
            return self._changed[name]
        newest, current = self.universe.newest(name), self.current.get(name)
        if current is not None and (newest is None or compare(newest.version, current.version) <= 0):
            return current
        return newest

    def seen(self, target: str, name: str) -> Stanza | None:
        """Return what a relation to `target` takes for the candidate of `name`."""
        return self._unnoticed.get(target, {}).get(name) or self.get(name)

    def put(self, stanza: Stanza) -> None:
        """Make `stanza` the candidate of its package."""
        self._changed[stanza.name] = stanza
        self.notice(stanza.name)

    def give_up(self, name: str, remaining: Stanza | None) -> None:
        """Replace the candidate of `name` without anybody's noticing."""
        old = self.get(name)
        if old is not None:
            for target in self._names(old):
                self._unnoticed.setdefault(target, {}).setdefault(name, old)
        self._changed[name] = remaining

    def notice(self, name: str) -> None:
        """Bring the relations to all names of `name` up to date, because it changed."""
        if self._unnoticed:
            versions = (self.current.get(name), self.get(name))
            for target in (name, *(t for stanza in versions if stanza for t in self._names(stanza))):
                self._unnoticed.pop(target, None)

    def _names(self, stanza: Stanza) -> tuple[str, ...]:
        return (stanza.name, *(name for name, _ in provided(stanza, self.universe.arch)))
