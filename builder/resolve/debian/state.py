"""What is installed, what is chosen so far, and whether that holds together.

The names follow apt's: a package has a current version, a candidate, and a
chosen version (none when it will be absent); its mode says what will be done.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from builder.resolve.debian.candidates import Candidates
from builder.resolve.debian.universe import hard, provided, soft

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from builder.resolve.debian.index import Stanza
    from builder.resolve.debian.relation import Clause, Relation
    from builder.resolve.debian.universe import Universe

__all__ = ["Mode", "State"]


class Mode(enum.Enum):
    """What will be done with a package."""

    KEEP = "keep"
    INSTALL = "install"
    DELETE = "delete"


class State:
    """One resolution's view of the universe; everything that changes while it runs is here.

    `protected` packages are the request's own and whatever follows from it
    without a choice: only `force` changes them. `automatic` ones were pulled
    in and go again when nothing reaches them.
    """

    def __init__(self, universe: Universe, installed: Mapping[str, Stanza]) -> None:
        self.universe = universe
        self.current = installed
        self.protected: set[str] = set()
        self.automatic: set[str] = set()
        self._chosen: dict[str, Stanza | None] = {}
        self._candidates = Candidates(universe, installed)
        self._mode: dict[str, Mode] = {}
        self._clauses: dict[Stanza, tuple[Clause, ...]] = {}
        self._outside = self._providers_outside()
        self._targets: dict[Relation, tuple[Stanza, ...]] = {}

    def _providers_outside(self) -> dict[str, list[tuple[Stanza, str]]]:
        # Installed versions that no index knows satisfy relations, too.
        found: dict[str, list[tuple[Stanza, str]]] = {}
        for stanza in self.current.values():
            if self.universe.find(stanza.name, stanza.version) is not stanza:
                found.setdefault(stanza.name, []).append((stanza, stanza.version))
                for name, version in provided(stanza, self.universe.arch):
                    found.setdefault(name, []).append((stanza, version))
        return found

    # What a package is.

    def candidate(self, name: str) -> Stanza | None:
        """Return the version that an installation of `name` would choose."""
        return self._candidates.get(name)

    def chosen(self, name: str) -> Stanza | None:
        """Return the version that will be there, or None."""
        return self._chosen[name] if name in self._chosen else self.current.get(name)

    def mode(self, name: str) -> Mode:
        """Return what will be done with `name`."""
        return self._mode.get(name, Mode.KEEP)

    def names(self) -> list[str]:
        """Return every package that is installed or was ever chosen, in apt's order."""
        rank = self.universe.rank
        return sorted({*self.current, *self._chosen}, key=lambda name: (rank.get(name, len(rank)), name))

    def is_essential(self, name: str) -> bool:
        """Say whether apt refuses to remove `name`."""
        return name in self.universe.essential or name in self.universe.protected

    def is_requested(self, name: str) -> bool:
        """Say whether `name` is a new package that was asked for rather than pulled in."""
        return name not in self.current and self.chosen(name) is not None and name not in self.automatic

    # Whether relations hold.

    def clauses(self, stanza: Stanza) -> tuple[Clause, ...]:
        """Return the relations of `stanza` that must hold."""
        known = self._clauses.get(stanza)
        if known is None:
            known = self._clauses[stanza] = hard(stanza, self.universe.arch)
        return known

    def demands(self, stanza: Stanza | None) -> Iterator[tuple[Stanza, Clause]]:
        """Yield (stanza, clause) for each of them; nothing for no stanza."""
        if stanza is not None:
            for clause in self.clauses(stanza):
                yield stanza, clause

    def soft(self, stanza: Stanza) -> tuple[Clause, ...]:
        """Return the relations of `stanza` that need not hold."""
        return soft(stanza, self.universe.arch)

    def targets(self, owner: Stanza, clause: Clause, relation: Relation) -> tuple[Stanza, ...]:
        """Return every version that `relation` speaks of; a package never conflicts with itself."""
        found = self._targets.get(relation)
        if found is None:
            found = self.universe.targets(relation)
            if relation.target in self._outside:
                found += tuple(
                    s for s, version in self._outside[relation.target] if relation.accepts(version)
                )
            self._targets[relation] = found
        if clause.negative:
            return tuple(stanza for stanza in found if stanza.name != owner.name)
        return found

    def met(self, owner: Stanza, clause: Clause) -> bool:
        """Say whether the chosen versions satisfy `clause` of `owner`."""
        return clause.negative != any(self.chosen(s.name) is s for s in self._all(owner, clause))

    def met_now(self, owner: Stanza, clause: Clause) -> bool:
        """Say whether the installed versions satisfy it."""
        return clause.negative != any(self.current.get(s.name) is s for s in self._all(owner, clause))

    def met_by_candidates(self, owner: Stanza, clause: Clause) -> bool:
        """Say whether the candidates would satisfy it, as far as apt has noticed (see `candidates`)."""
        return clause.negative != any(
            self._candidates.seen(relation.target, s.name) is s
            for relation in clause.alternatives
            for s in self.targets(owner, clause, relation)
        )

    def _all(self, owner: Stanza, clause: Clause) -> Iterator[Stanza]:
        for relation in clause.alternatives:
            yield from self.targets(owner, clause, relation)

    def broken(self, name: str) -> bool:
        """Say whether `name` will be there with an unmet relation."""
        return self.unmet(name) is not None

    def unmet(self, name: str) -> Clause | None:
        """Return the first unmet relation of the chosen version of `name`."""
        stanza = self.chosen(name)
        if stanza is None:
            return None
        return next((c for c in self.clauses(stanza) if not self.met(stanza, c)), None)

    def all_broken(self) -> list[str]:
        """Return the packages with an unmet relation, in apt's order."""
        return [name for name in self.names() if self.broken(name)]

    # Changes.

    def may_change(self, name: str, mode: Mode, *, force: bool) -> bool:
        """Say whether the package may be put into `mode`."""
        if force or self.mode(name) is mode:
            return True
        if name in self.protected:
            return False
        return mode is not Mode.DELETE or not self.is_essential(name)

    def may_delete(self, name: str, *, force: bool = False) -> bool:
        """Say whether `name` may go: not if it is essential, protected or a new package asked for."""
        return self.may_change(name, Mode.DELETE, force=force) and (force or not self.is_requested(name))

    def set_candidate(self, stanza: Stanza) -> None:
        """Make `stanza` the candidate of its package."""
        self._candidates.put(stanza)

    def discard_candidate(self, name: str) -> None:
        """Leave only what is chosen now as a candidate."""
        self._candidates.give_up(name, self.chosen(name))

    def reject(self, name: str) -> None:
        """Give up the candidate: only what is installed, if anything, remains possible."""
        current = self.current.get(name)
        if current is None:
            self._candidates.give_up(name, None)
        else:
            self.set_candidate(current)
            if self.mode(name) is Mode.INSTALL:
                self._chosen[name] = current
        if self.mode(name) is not Mode.DELETE:
            self._mode[name] = Mode.KEEP

    def choose(self, name: str, *, force: bool) -> None:
        """Choose the candidate."""
        candidate = self.candidate(name)
        if name in self.protected and self.chosen(name) is candidate:
            return
        self._set(name, candidate, Mode.KEEP if candidate is self.current.get(name) else Mode.INSTALL)
        if force:
            self.automatic.discard(name)
        elif name not in self.current:
            self.automatic.add(name)

    def retract(self, name: str) -> None:
        """Undo a choice and forbid it from now on."""
        current = self.current.get(name)
        if (
            self.mode(name) is Mode.KEEP
            and current is not None
            and self.chosen(name) is self.candidate(name) is current
        ):
            return
        self._set(name, current, Mode.KEEP)
        self.discard_candidate(name)

    def keep(self, name: str, *, force: bool = False) -> bool:
        """Leave the package as it is installed, or absent; False if that is not allowed."""
        if not self.may_change(name, Mode.KEEP, force=force):
            return False
        if self.mode(name) is not Mode.KEEP:
            self._set(name, self.current.get(name), Mode.KEEP)
        return True

    def delete(self, name: str, *, force: bool = False) -> bool:
        """Make the package absent; False if that is not allowed."""
        if not self.may_change(name, Mode.DELETE, force=force):
            return False
        if self.mode(name) is Mode.DELETE or self.chosen(name) is None:
            return True
        if not self.may_delete(name, force=force):
            return False
        self._set(name, None, Mode.DELETE if name in self.current else Mode.KEEP)
        return True

    def _set(self, name: str, chosen: Stanza | None, mode: Mode) -> None:
        self._chosen[name] = chosen
        self._mode[name] = mode
        self._candidates.notice(name)
