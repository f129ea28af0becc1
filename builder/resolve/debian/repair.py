"""Mending what the greedy pass left broken, as apt's problem resolver does.

Every package gets a score for how much depends on it. From the highest score
to the lowest, each broken package is mended by changing whichever side of the
broken relation scores less: it is kept as it is, upgraded, or removed.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from builder.resolve.debian.score import scores
from builder.resolve.debian.state import Mode
from builder.resolve.debian.upgrade import Upgrader

if TYPE_CHECKING:
    from builder.resolve.debian.index import Stanza
    from builder.resolve.debian.mark import Marker
    from builder.resolve.debian.relation import Clause, Relation

__all__ = ["repair"]

_ROUNDS = 20


def repair(marker: Marker, requested: frozenset[str]) -> bool:
    """Mend the state as far as possible; say whether nothing is broken any more."""
    if not marker.state.all_broken():
        return True
    return _Repair(marker, requested).run()


class _Unwind(enum.Enum):
    """What becomes of a package none of whose alternatives could be had."""

    REMOVE = "remove"
    KEEP = "keep"


@dataclass(slots=True, kw_only=True)
class _Case:
    """One broken package under investigation."""

    name: str
    stanza: Stanza
    round: int
    unwind: _Unwind = _Unwind.REMOVE
    victims: list[tuple[str, Clause]] = field(default_factory=list)


class _Repair:
    def __init__(self, marker: Marker, requested: frozenset[str]) -> None:
        self.marker = marker
        self.state = marker.state
        self.requested = requested
        self.scores: dict[str, int] = {}
        self.upgrader = Upgrader(marker, requested)
        self.before: set[str] = set()
        self.changed = False

    def run(self) -> bool:
        self._upgrade_broken()
        self.before = {name for name in self.state.names() if self.state.mode(name) is Mode.INSTALL}
        self.scores = scores(self.state, self.requested)
        rank = self.state.universe.rank
        order = sorted(
            self.upgrader.untried, key=lambda name: (-self.scores.get(name, 0), rank.get(name, len(rank)))
        )
        for number in range(_ROUNDS):
            self.changed = False
            for name in order:
                self._reinstate(name)
                if self.state.broken(name):
                    self._investigate(name, number)
            if not self.changed:
                break
        for name in self.state.names():
            if (
                self.state.mode(name) is Mode.INSTALL
                and name not in self.before
                and name not in self.state.current
            ):
                self.state.automatic.add(name)
        return not self.state.all_broken()

    def _upgrade_broken(self) -> None:
        again = True
        while again:
            again = False
            for name in self.state.names():
                if self.state.mode(name) is not Mode.INSTALL and self.state.broken(name):
                    self.marker.install(name, follow=False)
                    again |= self.state.mode(name) is Mode.INSTALL

    def _reinstate(self, name: str) -> None:
        """Try once more to upgrade an installed package that was to be upgraded to another version."""
        state = self.state
        old = state.chosen(name)
        if (
            name not in self.before
            or name not in state.current
            or old is None
            or old is state.candidate(name)
            or name in state.protected
        ):
            return
        self.before.discard(name)
        self.upgrader.untried.discard(name)
        count = len(state.all_broken())
        self.marker.install(name, follow=False)
        if state.broken(name) or count < len(state.all_broken()):
            state.keep(name)

    def _investigate(self, name: str, number: int) -> None:
        stanza = self.state.chosen(name)
        if stanza is None:
            return
        case = _Case(name=name, stanza=stanza, round=number)
        for clause in self.state.clauses(stanza):
            if not self.state.met(stanza, clause) and self._mend(case, clause):
                break
        if self.state.chosen(name) is not None:
            self._apply(case)

    def _mend(self, case: _Case, clause: Clause) -> bool:
        """Work on one unmet clause; True when the package needs no further look in this round."""
        state, several = self.state, len(clause.alternatives) > 1
        victims = len(case.victims)
        case.unwind = _Unwind.REMOVE
        for relation in clause.alternatives:
            if state.met(case.stanza, clause):
                return False
            targets = state.targets(case.stanza, clause, relation)
            if not targets and not clause.negative and case.name not in state.protected:
                if not self._is_broken_now(case.name):
                    if several:
                        continue
                    self.changed = True
                    state.keep(case.name)
                    return True
                self._give_up(case, several=several)
                done = True
            else:
                done = self._try_targets(case, clause, relation, targets)
            if done and not several:
                return True
        if several and len(case.victims) == victims:
            self._unwind(case)
        return False

    def _unwind(self, case: _Case) -> None:
        if case.unwind is _Unwind.KEEP:
            self.state.keep(case.name)
            self.changed = True
        elif case.name not in self.state.protected:
            self.state.delete(case.name)
            self.changed = True

    def _is_broken_now(self, name: str) -> bool:
        current = self.state.current.get(name)
        return current is not None and any(
            not self.state.met_now(current, clause) for clause in self.state.clauses(current)
        )

    def _give_up(self, case: _Case, *, several: bool) -> None:
        state = self.state
        was_chosen = state.mode(case.name) is Mode.INSTALL
        state.keep(case.name, force=True)
        if not state.broken(case.name):
            self._hold_back(case, restore=several and was_chosen)
        elif not several:
            state.delete(case.name)
        self.changed = True

    def _hold_back(self, case: _Case, *, restore: bool) -> None:
        case.unwind = _Unwind.KEEP
        if restore:
            self.marker.install(case.name, follow=False)

    def _try_targets(
        self, case: _Case, clause: Clause, relation: Relation, targets: tuple[Stanza, ...]
    ) -> bool:
        state, score = self.state, self.scores
        met_now = any(state.current.get(s.name) is s for s in targets)
        for stanza in targets:
            other = stanza.name
            if clause.negative and state.chosen(other) is not stanza:
                continue
            if score.get(case.name, 0) <= score.get(other, 0) or not (met_now or clause.negative):
                if case.name not in state.protected:
                    self._change_owner(case, clause, relation, other)
                    self.changed = True
                    return True
                if self.upgrader.upgrade(other):
                    score[other] = min(score.get(other, 0), score.get(case.name, 0))
                    return False
            elif clause.kind == "breaks" and state.met_by_candidates(case.stanza, clause):
                self.marker.install(other, follow=False)
            elif other not in state.protected or state.mode(other) is Mode.DELETE:
                case.victims.append((other, clause))
                if not clause.negative:
                    return False
        return False

    def _change_owner(self, case: _Case, clause: Clause, relation: Relation, other: str) -> None:
        """Keep, upgrade or remove the broken package itself."""
        state, several = self.state, len(clause.alternatives) > 1
        was_chosen = state.mode(case.name) is Mode.INSTALL
        state.keep(case.name)
        if not state.broken(case.name):
            self._hold_back(case, restore=several and was_chosen)
        elif self.upgrader.upgrade(case.name):
            pass
        elif not several:
            state.delete(case.name)
            if case.round > 1:
                self.scores[case.name] = max(self.scores.get(case.name, 0), self.scores.get(other, 0))
        else:
            self._install_instead(relation.target)

    def _install_instead(self, name: str) -> None:
        state = self.state
        if name in state.current or state.mode(name) is Mode.DELETE or state.candidate(name) is None:
            return
        count = len(state.all_broken())
        self.marker.install(name, follow=True)
        if state.broken(name) or len(state.all_broken()) > count:
            state.delete(name)

    def _apply(self, case: _Case) -> None:
        state, score = self.state, self.scores
        for other, clause in case.victims:
            if state.met_now(case.stanza, clause):
                changed = state.keep(other)
            else:
                changed = clause.negative and state.delete(other)
            if (not changed or case.round > 1) and score.get(case.name, 0) > score.get(other, 0):
                score[other] = score.get(case.name, 0)
                self.changed = True
            self.changed |= changed
