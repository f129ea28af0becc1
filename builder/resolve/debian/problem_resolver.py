"""Fixing what marking left broken: apt's pkgProblemResolver.

How it works (ResolveInternal in apt-pkg/algorithms.cc):
1. Every package gets a score for how much depends on it (MakeScores).
2. From the highest score to the lowest, each broken package is looked at. For
   each unmet or-group, whichever side scores less gives way: the broken package
   is kept as it is, upgraded or removed; or the other side goes on a kill list,
   which keeps or removes it once the package has been looked at.
3. This is repeated while anything changes, at most 20 times (MaxCounter). From
   the third round on, scores are raised to that of the winner, so that two
   packages do not displace each other for ever.
"""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from builder.resolve.debian.depcache import PackageMode
from builder.resolve.debian.relation import clauses

if TYPE_CHECKING:
    from builder.resolve.debian.depcache import DepCache
    from builder.resolve.debian.index import Stanza
    from builder.resolve.debian.mark_install import InstallMarker
    from builder.resolve.debian.relation import Clause, Relation

__all__ = ["package_scores", "resolve_problems"]


_ROUNDS = 20  # pkgProblemResolver::MaxCounter


def resolve_problems(marker: InstallMarker, requested: frozenset[str]) -> bool:
    """Fix broken packages as far as possible; say whether all are fixed."""
    if not marker.depcache.all_broken():
        return True
    return _ProblemResolver(marker, requested).run()


class _OrGroupOutcome(enum.Enum):
    """What happens to a package if none of an or-group's alternatives can be installed."""

    REMOVE = "remove"
    KEEP = "keep"


@dataclass(slots=True, kw_only=True)
class _BrokenPackage:
    """One broken package, and what is to be kept or removed so that it holds (apt's KillList)."""

    name: str
    stanza: Stanza
    round: int
    or_outcome: _OrGroupOutcome = _OrGroupOutcome.REMOVE
    kill_list: list[tuple[str, Clause]] = field(default_factory=list)


class _ProblemResolver:
    def __init__(self, marker: InstallMarker, requested: frozenset[str]) -> None:
        self.marker = marker
        self.depcache = marker.depcache
        self.requested = requested
        self.scores: dict[str, int] = {}
        self.upgrader = _UpgradeAttempts(marker, requested)
        self.installed_before: set[str] = set()
        self.changed = False

    def run(self) -> bool:
        self._upgrade_broken()
        self.installed_before = {
            name for name in self.depcache.names() if self.depcache.mode(name) is PackageMode.INSTALL
        }
        self.scores = package_scores(self.depcache, self.requested)
        rank = self.depcache.universe.rank
        order = sorted(
            self.upgrader.untried, key=lambda name: (-self.scores.get(name, 0), rank.get(name, len(rank)))
        )
        for number in range(_ROUNDS):
            self.changed = False
            for name in order:
                self._try_reinstate(name)
                if self.depcache.broken(name):
                    self._fix_broken_package(name, number)
            if not self.changed:
                break
        for name in self.depcache.names():
            if (
                self.depcache.mode(name) is PackageMode.INSTALL
                and name not in self.installed_before
                and name not in self.depcache.current
            ):
                self.depcache.automatic.add(name)
        return not self.depcache.all_broken()

    def _upgrade_broken(self) -> None:
        again = True
        while again:
            again = False
            for name in self.depcache.names():
                if self.depcache.mode(name) is not PackageMode.INSTALL and self.depcache.broken(name):
                    self.marker.install(name, follow=False)
                    again |= self.depcache.mode(name) is PackageMode.INSTALL

    def _try_reinstate(self, name: str) -> None:
        """Try once more to upgrade an installed package that marking had upgraded (ReInstate)."""
        depcache = self.depcache
        old = depcache.chosen(name)
        if (
            name not in self.installed_before
            or name not in depcache.current
            or old is None
            or old is depcache.candidate(name)
            or name in depcache.protected
        ):
            return
        self.installed_before.discard(name)
        self.upgrader.untried.discard(name)
        count = len(depcache.all_broken())
        self.marker.install(name, follow=False)
        if depcache.broken(name) or count < len(depcache.all_broken()):
            depcache.keep(name)

    def _fix_broken_package(self, name: str, number: int) -> None:
        stanza = self.depcache.chosen(name)
        if stanza is None:
            return
        broken = _BrokenPackage(name=name, stanza=stanza, round=number)
        for clause in self.depcache.clauses(stanza):
            if not self.depcache.met(stanza, clause) and self._fix_clause(broken, clause):
                break
        if self.depcache.chosen(name) is not None:
            self._apply_kill_list(broken)

    def _fix_clause(self, broken: _BrokenPackage, clause: Clause) -> bool:
        """Fix one unmet clause; True if the package needs no further look in this round."""
        depcache, several = self.depcache, len(clause.alternatives) > 1
        kill_list = len(broken.kill_list)
        broken.or_outcome = _OrGroupOutcome.REMOVE
        for relation in clause.alternatives:
            if depcache.met(broken.stanza, clause):
                return False
            targets = depcache.targets(broken.stanza, clause, relation)
            if not targets and not clause.negative and broken.name not in depcache.protected:
                if not self._is_broken_now(broken.name):
                    if several:
                        continue
                    self.changed = True
                    depcache.keep(broken.name)
                    return True
                self._without_targets(broken, several=several)
                done = True
            else:
                done = self._try_targets(broken, clause, relation, targets)
            if done and not several:
                return True
        if several and len(broken.kill_list) == kill_list:
            self._finish_or_group(broken)
        return False

    def _finish_or_group(self, broken: _BrokenPackage) -> None:
        if broken.or_outcome is _OrGroupOutcome.KEEP:
            self.depcache.keep(broken.name)
            self.changed = True
        elif broken.name not in self.depcache.protected:
            self.depcache.delete(broken.name)
            self.changed = True

    def _is_broken_now(self, name: str) -> bool:
        current = self.depcache.current.get(name)
        return current is not None and any(
            not self.depcache.met_now(current, clause) for clause in self.depcache.clauses(current)
        )

    def _without_targets(self, broken: _BrokenPackage, *, several: bool) -> None:
        depcache = self.depcache
        was_chosen = depcache.mode(broken.name) is PackageMode.INSTALL
        depcache.keep(broken.name, force=True)
        if not depcache.broken(broken.name):
            self._hold_back(broken, restore=several and was_chosen)
        elif not several:
            depcache.delete(broken.name)
        self.changed = True

    def _hold_back(self, broken: _BrokenPackage, *, restore: bool) -> None:
        broken.or_outcome = _OrGroupOutcome.KEEP
        if restore:
            self.marker.install(broken.name, follow=False)

    def _try_targets(
        self, broken: _BrokenPackage, clause: Clause, relation: Relation, targets: tuple[Stanza, ...]
    ) -> bool:
        depcache, score = self.depcache, self.scores
        met_now = any(depcache.current.get(s.name) is s for s in targets)
        for stanza in targets:
            other = stanza.name
            if clause.negative and depcache.chosen(other) is not stanza:
                continue
            if score.get(broken.name, 0) <= score.get(other, 0) or not (met_now or clause.negative):
                if broken.name not in depcache.protected:
                    self._change_broken_package(broken, clause, relation, other)
                    self.changed = True
                    return True
                if self.upgrader.upgrade(other):
                    score[other] = min(score.get(other, 0), score.get(broken.name, 0))
                    return False
            elif clause.kind == "breaks" and depcache.met_by_candidates(broken.stanza, clause):
                self.marker.install(other, follow=False)
            elif other not in depcache.protected or depcache.mode(other) is PackageMode.DELETE:
                broken.kill_list.append((other, clause))
                if not clause.negative:
                    return False
        return False

    def _change_broken_package(
        self, broken: _BrokenPackage, clause: Clause, relation: Relation, other: str
    ) -> None:
        """Keep, upgrade or remove the broken package itself."""
        depcache, several = self.depcache, len(clause.alternatives) > 1
        was_chosen = depcache.mode(broken.name) is PackageMode.INSTALL
        depcache.keep(broken.name)
        if not depcache.broken(broken.name):
            self._hold_back(broken, restore=several and was_chosen)
        elif self.upgrader.upgrade(broken.name):
            pass
        elif not several:
            depcache.delete(broken.name)
            if broken.round > 1:
                self.scores[broken.name] = max(self.scores.get(broken.name, 0), self.scores.get(other, 0))
        else:
            self._install_instead(relation.target)

    def _install_instead(self, name: str) -> None:
        """Try to install the alternative, unless that breaks more (pkgProblemResolver::FixByInstall).

        As in apt 2.6: 3.0 then also keeps the broken package as it is installed
        where 2.6 removes it, if no alternative is left to look at.
        """
        depcache = self.depcache
        if (
            name in depcache.current
            or depcache.mode(name) is PackageMode.DELETE
            or depcache.candidate(name) is None
        ):
            return
        count = len(depcache.all_broken())
        self.marker.install(name, follow=True)
        if depcache.broken(name) or len(depcache.all_broken()) > count:
            depcache.delete(name)

    def _apply_kill_list(self, broken: _BrokenPackage) -> None:
        depcache, score = self.depcache, self.scores
        for other, clause in broken.kill_list:
            if depcache.met_now(broken.stanza, clause):
                changed = depcache.keep(other)
            else:
                changed = clause.negative and depcache.delete(other)
            if (not changed or broken.round > 1) and score.get(broken.name, 0) > score.get(other, 0):
                score[other] = score.get(broken.name, 0)
                self.changed = True
            self.changed |= changed


class _UpgradeAttempts:
    """Upgrades single packages while broken ones are fixed: apt's DoUpgrade.

    Each package is tried at most once; `untried` are those left.
    """

    def __init__(self, marker: InstallMarker, requested: frozenset[str]) -> None:
        self.marker = marker
        self.depcache = marker.depcache
        self.requested = requested
        self.untried = {*self.depcache.universe.versions, *self.depcache.current}

    def upgrade(self, name: str) -> bool:
        """Choose the candidate of `name`, upgrading what it needs for that; once per package."""
        depcache = self.depcache
        if name not in self.untried or name in self.requested or not self._is_upgradable(name):
            return False
        self.untried.discard(name)
        was_kept = depcache.mode(name) is PackageMode.KEEP
        if not self.marker.install(name, follow=False):
            return False
        stanza = depcache.chosen(name)
        if stanza is None:
            return False
        if all(self._upgrade_for(stanza, clause) for clause in depcache.clauses(stanza)):
            return True
        if was_kept:
            depcache.keep(name)
        else:
            depcache.delete(name)
        return False

    def _is_upgradable(self, name: str) -> bool:
        candidate = self.depcache.candidate(name)
        return candidate is not None and candidate is not self.depcache.current.get(name)

    def _upgrade_for(self, stanza: Stanza, clause: Clause) -> bool:
        depcache, fine = self.depcache, True
        for relation in clause.alternatives:
            if depcache.met(stanza, clause):
                return fine
            targets = depcache.targets(stanza, clause, relation)
            name = self._main_target(stanza, relation)
            satisfiable = clause.negative != any(depcache.candidate(s.name) is s for s in targets)
            if name in depcache.protected:
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
        universe = self.depcache.universe
        if relation.target in universe.versions:
            return relation.target
        providers = universe.providers.get(relation.target, ())
        return next((s.name for s, _ in providers if s.name != stanza.name), relation.target)


# The defaults of apt's options pkgProblemResolver::Scores::*.
_PRIORITY_SCORES = (0, 3, 2, 1, -1, -2)
"""By the number of a Priority: none, required, important, standard, optional, extra."""
_ESSENTIAL_SCORE = 100
_NOT_OBSOLETE_SCORE = 1
"""For an installed package that an index still has."""
_ADD_ESSENTIAL = 5_000
_ADD_PROTECTED = 10_000
"""For what is requested."""


def package_scores(depcache: DepCache, requested: frozenset[str]) -> Counter[str]:
    """Return the score of each package, and of each virtual name, that anything points to: apt's MakeScores.

    A package gets points for its priority and for being essential, and one for
    each Pre-Depends, Depends or Recommends on it; Conflicts and Breaks take one.
    What depends on it then adds its own score, if positive. Requests and
    essential packages come out far above all others.
    """
    present = [stanza for name in depcache.names() if (stanza := depcache.chosen(name)) is not None]
    base = _own_scores(depcache, present)
    score = base.copy()
    for stanza in present:
        for clause in _scored_clauses(depcache, stanza):
            for relation in clause.alternatives:
                if depcache.chosen(relation.target) is not None and base[stanza.name] > 0:
                    score[relation.target] += base[stanza.name]
    _score_providers(depcache, score, base)
    for name in requested:
        score[name] += _ADD_PROTECTED
    for name in depcache.universe.essential | depcache.universe.protected:
        score[name] += _ADD_ESSENTIAL
    return score


def _own_scores(depcache: DepCache, present: list[Stanza]) -> Counter[str]:
    score: Counter[str] = Counter()
    for stanza in present:
        if depcache.is_essential(stanza.name):
            score[stanza.name] += _ESSENTIAL_SCORE
        downloadable = bool(stanza.filename)
        score[stanza.name] += (
            _PRIORITY_SCORES[depcache.universe.priority(stanza)] if downloadable else _PRIORITY_SCORES[5]
        )
        candidate = depcache.candidate(stanza.name)
        if stanza.name in depcache.current and candidate is not None and candidate.filename:
            score[stanza.name] += _NOT_OBSOLETE_SCORE
        for clause in (
            *_scored_clauses(depcache, stanza),
            *(c for c in depcache.clauses(stanza) if c.negative),
        ):
            for relation in clause.alternatives:
                _score_relation(depcache, score, stanza, clause, relation)
    return score


def _score_relation(
    depcache: DepCache, score: Counter[str], owner: Stanza, clause: Clause, relation: Relation
) -> None:
    points = -1 if clause.negative else 1
    there = {s.name for s in depcache.targets(owner, clause, relation) if depcache.chosen(s.name) is s}
    named = not (clause.negative and relation.target == owner.name)
    if named and (not relation.operator or _is_accepted(depcache, relation)):
        score[relation.target] += points
    elif relation.operator and named:
        return
    for name in there - {relation.target}:
        score[name] += points


def _is_accepted(depcache: DepCache, relation: Relation) -> bool:
    stanza = depcache.chosen(relation.target)
    return stanza is not None and relation.accepts(stanza.version)


def _scored_clauses(depcache: DepCache, stanza: Stanza) -> tuple[Clause, ...]:
    return (
        *(clause for clause in depcache.clauses(stanza) if not clause.negative),
        *clauses("recommends", stanza.recommends, depcache.universe.arch),
    )


def _score_providers(depcache: DepCache, score: Counter[str], base: Counter[str]) -> None:
    # What makes a virtual name important makes the package behind it so.
    rank = depcache.universe.rank
    for name in sorted(score, key=lambda name: (rank.get(name, len(rank)), name)):
        gained = abs(score[name] - base[name])
        if gained and not name.endswith(":any"):
            providers = {
                s.name for s, _ in depcache.universe.providers.get(name, ()) if depcache.chosen(s.name) is s
            }
            for provider in sorted(providers):
                score[provider] += gained
