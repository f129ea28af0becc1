"""Upgrading one package, and just what that needs, while a broken state is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.resolve.debian.state import Mode

if TYPE_CHECKING:
    from builder.resolve.debian.index import Stanza
    from builder.resolve.debian.mark import Marker
    from builder.resolve.debian.relation import Clause, Relation

__all__ = ["Upgrader"]


class Upgrader:
    """Tries each package at most once; `untried` are those left."""

    def __init__(self, marker: Marker, requested: frozenset[str]) -> None:
        self.marker = marker
        self.state = marker.state
        self.requested = requested
        self.untried = {*self.state.universe.versions, *self.state.current}

    def upgrade(self, name: str) -> bool:
        """Choose the candidate of `name`, upgrading what it needs for that; once per package."""
        state = self.state
        if name not in self.untried or name in self.requested or not self._is_upgradable(name):
            return False
        self.untried.discard(name)
        was_kept = state.mode(name) is Mode.KEEP
        if not self.marker.install(name, follow=False):
            return False
        stanza = state.chosen(name)
        if stanza is None:
            return False
        if all(self._upgrade_for(stanza, clause) for clause in state.clauses(stanza)):
            return True
        if was_kept:
            state.keep(name)
        else:
            state.delete(name)
        return False

    def _is_upgradable(self, name: str) -> bool:
        candidate = self.state.candidate(name)
        return candidate is not None and candidate is not self.state.current.get(name)

    def _upgrade_for(self, stanza: Stanza, clause: Clause) -> bool:
        state, fine = self.state, True
        for relation in clause.alternatives:
            if state.met(stanza, clause):
                return fine
            targets = state.targets(stanza, clause, relation)
            name = self._main_target(stanza, relation)
            satisfiable = clause.negative != any(state.candidate(s.name) is s for s in targets)
            if name in state.protected:
                fine = False
            elif satisfiable:
                fine = self.upgrade(name)
                if fine:
                    return True
            elif clause.negative:
                return fine
            else:
                fine = False
        return fine

    def _main_target(self, stanza: Stanza, relation: Relation) -> str:
        """Return the package that a name means, or its first provider, whatever the versions."""
        universe = self.state.universe
        if relation.target in universe.versions:
            return relation.target
        providers = universe.providers.get(relation.target, ())
        return next((s.name for s, _ in providers if s.name != stanza.name), relation.target)
