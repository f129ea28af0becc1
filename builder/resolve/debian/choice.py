"""Which of several versions apt tries first for one clause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.resolve.debian.state import Mode

if TYPE_CHECKING:
    from collections.abc import Callable

    from builder.resolve.debian.index import Stanza
    from builder.resolve.debian.relation import Clause
    from builder.resolve.debian.state import State

__all__ = ["matching", "possible", "solutions"]


def solutions(state: State, owner: Stanza, clause: Clause) -> list[Stanza]:
    """Return the candidates that would satisfy `clause` of `owner`, best first.

    The alternatives keep their order, except that upgrades of installed
    packages come before new ones; within one alternative `_preference`
    decides. What is protected as absent is no solution.
    """
    return [
        stanza
        for stanza in matching(state, owner, clause, state.candidate)
        if not _barred(state, stanza.name)
    ]


def possible(state: State, owner: Stanza, clause: Clause) -> list[Stanza]:
    """Return every candidate and installed version that satisfies `clause`, in no useful order."""
    installed = matching(state, owner, clause, state.current.get)
    kept = [stanza for stanza in installed if not _barred(state, stanza.name)]
    return list(dict.fromkeys((*solutions(state, owner, clause), *kept)))


def matching(
    state: State, owner: Stanza, clause: Clause, version: Callable[[str], Stanza | None]
) -> list[Stanza]:
    """Return, in the same order, the packages whose `version` matches a target of `clause`."""
    upgrades: list[Stanza] = []
    additions: list[Stanza] = []
    for relation in clause.alternatives:
        found = [s for s in state.targets(owner, clause, relation) if version(s.name) is s]
        for stanza in sorted(found, key=lambda s: _preference(state, s, relation.target)):
            (upgrades if stanza.name in state.current else additions).append(stanza)
    return list(dict.fromkeys((*upgrades, *additions)))


def _preference(
    state: State, stanza: Stanza, target: str
) -> tuple[bool, bool, bool, bool, bool, bool, int, int]:
    """Sort key, smallest first: apt's order of the packages that can stand for one name.

    Protected, installed (Multi-Arch: same first), the package of that very
    name, essential, protected by its maintainer, the more important Priority,
    and at last the one that the indices mentioned last.
    """
    universe, name = state.universe, stanza.name
    installed = name in state.current
    return (
        name not in state.protected,
        not (installed and stanza.multi_arch == "same"),
        not installed,
        name != target,
        name not in universe.essential,
        name not in universe.protected,
        universe.priority(stanza),
        -universe.rank.get(name, len(universe.rank)),
    )


def _barred(state: State, name: str) -> bool:
    if name not in state.protected:
        return False
    mode = state.mode(name)
    return mode is Mode.DELETE or (mode is Mode.KEEP and name not in state.current)
