"""What else must change before a package can come in.

Its Breaks and Conflicts say who must be kept out, upgraded or removed; its
being upgraded says which installed packages must follow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from builder.resolve.debian.choice import matching
from builder.resolve.debian.state import Mode

if TYPE_CHECKING:
    from builder.resolve.debian.index import Stanza
    from builder.resolve.debian.relation import Clause
    from builder.resolve.debian.state import State

__all__ = ["Task", "add_dependents", "make_room", "siblings"]


@dataclass(slots=True, kw_only=True)
class Task:
    """One package on its way in, with the installed ones to upgrade and to remove for it.

    `firm` is set for what was asked for, and what follows from it without a
    choice: its failures are left for `repair` to deal with, and its demands
    bind the packages that they leave no choice about. `strict` tasks give up
    at the first failure.
    """

    stanza: Stanza
    firm: bool
    strict: bool
    upgrades: list[str] = field(default_factory=list)
    removals: list[str] = field(default_factory=list)


def make_room(state: State, task: Task, clauses: list[Clause]) -> bool:
    """Keep out, or plan to upgrade or remove, whatever `clauses` (negative ones) exclude.

    A candidate that is excluded must not come in; an installed version that
    is excluded is upgraded if its candidate is not, else removed. False when
    something cannot be moved, at once for a strict task.
    """
    whole = True
    blocked: set[str] = set()
    for clause in clauses:
        for stanza in matching(state, task.stanza, clause, state.candidate):
            if state.candidate(stanza.name) is stanza and not _bar(state, task, stanza, blocked):
                whole = False
                if task.strict:
                    return False
        for stanza in matching(state, task.stanza, clause, state.current.get):
            if not _replace(state, task, stanza, blocked):
                whole = False
                if task.strict:
                    return False
    return whole


def _bar(state: State, task: Task, stanza: Stanza, blocked: set[str]) -> bool:
    """Keep a conflicting candidate out, or have the installed package removed."""
    name = stanza.name
    if stanza is state.current.get(name):
        return _plan_removal(state, task, name)
    if state.mode(name) is Mode.INSTALL and not state.keep(name):
        return False
    if task.firm:
        state.discard_candidate(name)
        if name not in state.current:
            state.protected.add(name)
    else:
        blocked.add(name)
    return True


def _replace(state: State, task: Task, stanza: Stanza, blocked: set[str]) -> bool:
    """Upgrade a conflicting installed package out of the way, or have it removed."""
    candidate = state.candidate(stanza.name)
    if candidate is stanza:
        return True  # seen as a candidate
    if candidate is not None and stanza.name not in blocked:
        task.upgrades.append(stanza.name)
        return True
    return _plan_removal(state, task, stanza.name)


def _plan_removal(state: State, task: Task, name: str) -> bool:
    if not task.firm:
        if state.mode(name) is Mode.DELETE:
            return True
        if not state.may_delete(name):
            return False
        task.removals.append(name)
        return True
    if state.mode(name) is not Mode.DELETE and not state.delete(name):
        return False
    state.discard_candidate(name)
    state.protected.add(name)
    return True


def add_dependents(state: State, task: Task) -> None:
    """Plan to upgrade the installed packages that the new version of an installed one would break."""
    new = task.stanza
    old = state.current.get(new.name)
    for stanza in state.current.values() if old is not None else ():
        if state.mode(stanza.name) is Mode.INSTALL or stanza.name in task.upgrades:
            continue
        relations = (r for c in state.clauses(stanza) if not c.negative for r in c.alternatives)
        if old is not None and any(
            r.target == new.name and r.accepts(old.version) and not r.accepts(new.version) for r in relations
        ):
            task.upgrades.append(stanza.name)


def siblings(state: State, stanza: Stanza) -> list[str]:
    """Return the other installed packages whose candidate has the same source and source version."""
    source = (stanza.source, stanza.source_version)
    rank = state.universe.rank
    return sorted(
        (
            name
            for name in state.current
            if name != stanza.name
            and (candidate := state.candidate(name)) is not None
            and (candidate.source, candidate.source_version) == source
        ),
        key=lambda name: rank.get(name, len(rank)),
    )
