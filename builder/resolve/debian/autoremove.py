"""Dropping new packages that nothing needs after all.

A branch that was tried and given up can leave packages behind. apt drops the
ones it cannot reach from what was installed or asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.resolve.debian.relation import compare
from builder.resolve.debian.state import Mode

if TYPE_CHECKING:
    from builder.resolve.debian.index import Stanza
    from builder.resolve.debian.relation import Clause, Relation
    from builder.resolve.debian.state import State

__all__ = ["sweep"]


def sweep(state: State) -> None:
    """Unchoose each automatic new package that no other one reaches.

    Pre-Depends, Depends, Recommends and Suggests all count as reaching, and
    every present provider of a name does: nothing that is of use is dropped.
    """
    reached: set[str] = set()
    pending = [name for name in state.names() if _is_root(state, name)]
    while pending:
        name = pending.pop()
        stanza = state.chosen(name)
        if stanza is not None and name not in reached:
            reached.add(name)
            pending.extend(target.name for target in _needed(state, stanza))
    dropped = [
        name
        for name in state.names()
        if name not in reached and name not in state.current and state.mode(name) is Mode.INSTALL
    ]
    for name in dropped:
        state.delete(name)


def _is_root(state: State, name: str) -> bool:
    return state.chosen(name) is not None and (name not in state.automatic or state.is_essential(name))


def _needed(state: State, stanza: Stanza) -> list[Stanza]:
    found: list[Stanza] = []
    for clause in (*state.clauses(stanza), *state.soft(stanza)):
        if not clause.negative:
            for relation in clause.alternatives:
                found.extend(_newest_of_source(_present(state, stanza, clause, relation)))
    return found


def _present(state: State, stanza: Stanza, clause: Clause, relation: Relation) -> list[Stanza]:
    return [
        target for target in state.targets(stanza, clause, relation) if state.chosen(target.name) is target
    ]


def _newest_of_source(present: list[Stanza]) -> list[Stanza]:
    """Leave out packages that a newer version of the same source has replaced, such as old kernels."""
    newest: dict[str, str] = {}
    for stanza in present:
        known = newest.get(stanza.source)
        if known is None or compare(stanza.source_version, known) > 0:
            newest[stanza.source] = stanza.source_version
    return [stanza for stanza in present if compare(stanza.source_version, newest[stanza.source]) == 0]
