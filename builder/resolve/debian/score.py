"""How much each package matters, for `repair`: apt's scores."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from builder.resolve.debian.relation import clauses

if TYPE_CHECKING:
    from builder.resolve.debian.index import Stanza
    from builder.resolve.debian.relation import Clause, Relation
    from builder.resolve.debian.state import State

__all__ = ["scores"]

_PRIORITY = (0, 3, 2, 1, -1, -2)
_ESSENTIAL = 100
_ALWAYS_THERE = 5_000
_REQUESTED = 10_000
_CURRENT = 1


def scores(state: State, requested: frozenset[str]) -> Counter[str]:
    """Return the score of each package, and of each virtual name, that anything points to."""
    present = [stanza for name in state.names() if (stanza := state.chosen(name)) is not None]
    base = _own(state, present)
    score = base.copy()
    for stanza in present:
        for clause in _positive(state, stanza):
            for relation in clause.alternatives:
                if state.chosen(relation.target) is not None and base[stanza.name] > 0:
                    score[relation.target] += base[stanza.name]
    _along_provides(state, score, base)
    for name in requested:
        score[name] += _REQUESTED
    for name in state.universe.essential | state.universe.protected:
        score[name] += _ALWAYS_THERE
    return score


def _own(state: State, present: list[Stanza]) -> Counter[str]:
    score: Counter[str] = Counter()
    for stanza in present:
        if state.is_essential(stanza.name):
            score[stanza.name] += _ESSENTIAL
        downloadable = bool(stanza.filename)
        score[stanza.name] += _PRIORITY[state.universe.priority(stanza)] if downloadable else _PRIORITY[5]
        candidate = state.candidate(stanza.name)
        if stanza.name in state.current and candidate is not None and candidate.filename:
            score[stanza.name] += _CURRENT
        for clause in (*_positive(state, stanza), *(c for c in state.clauses(stanza) if c.negative)):
            for relation in clause.alternatives:
                _point(state, score, stanza, clause, relation)
    return score


def _point(state: State, score: Counter[str], owner: Stanza, clause: Clause, relation: Relation) -> None:
    points = -1 if clause.negative else 1
    there = {s.name for s in state.targets(owner, clause, relation) if state.chosen(s.name) is s}
    named = not (clause.negative and relation.target == owner.name)
    if named and (not relation.operator or _accepted(state, relation)):
        score[relation.target] += points
    elif relation.operator and named:
        return
    for name in there - {relation.target}:
        score[name] += points


def _accepted(state: State, relation: Relation) -> bool:
    stanza = state.chosen(relation.target)
    return stanza is not None and relation.accepts(stanza.version)


def _positive(state: State, stanza: Stanza) -> tuple[Clause, ...]:
    return (
        *(clause for clause in state.clauses(stanza) if not clause.negative),
        *clauses("recommends", stanza.recommends, state.universe.arch),
    )


def _along_provides(state: State, score: Counter[str], base: Counter[str]) -> None:
    # What makes a virtual name important makes the package behind it so.
    rank = state.universe.rank
    for name in sorted(score, key=lambda name: (rank.get(name, len(rank)), name)):
        gained = abs(score[name] - base[name])
        if gained and not name.endswith(":any"):
            providers = {
                s.name for s, _ in state.universe.providers.get(name, ()) if state.chosen(s.name) is s
            }
            for provider in sorted(providers):
                score[provider] += gained
