"""Who brought each package of an answer in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.resolve.debian.state import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from builder.resolve.debian.index import Stanza
    from builder.resolve.debian.state import State

__all__ = ["needs", "reasons"]


def reasons(state: State, requested: Iterable[str]) -> dict[str, str]:
    """Return, for each package to install, the package it is there for; empty for a request.

    It is the nearest one to the requests. What no dependency reaches is an
    upgrade, for whoever does not stand the installed version, or failing
    that for a package of the same source.
    """
    new = {name for name in state.names() if state.mode(name) is Mode.INSTALL}
    found = dict.fromkeys(requested, "")
    pending = list(found)
    while pending or new - found.keys():
        if not pending:
            name = min(new - found.keys())
            found[name] = _pusher(state, name, sorted(found.keys() & new))
            pending.append(name)
        owner = pending.pop(0)
        for target in needs(state, owner):
            if target in new and target not in found:
                found[target] = owner
                pending.append(target)
    return found


def needs(state: State, owner: str) -> Iterator[str]:
    """Yield the packages of the answer, new or installed, that meet a dependency of `owner`; some twice."""
    for stanza, clause in state.demands(state.chosen(owner)):
        for relation in () if clause.negative else clause.alternatives:
            for target in state.targets(stanza, clause, relation):
                if state.chosen(target.name) is target:
                    yield target.name


def _pusher(state: State, name: str, others: list[str]) -> str:
    old = state.current.get(name)
    for other in others if old is not None else ():
        stanza = state.chosen(other)
        if (
            stanza is not None
            and old is not None
            and (_excludes(state, stanza, old) or _leaves(state, stanza, old))
        ):
            return other
    source = (new := state.chosen(name)) is not None and new.source
    return next((o for o in others if (s := state.chosen(o)) is not None and s.source == source), "")


def _excludes(state: State, stanza: Stanza, old: Stanza) -> bool:
    return any(
        clause.negative and old in state.targets(stanza, clause, clause.alternatives[0])
        for clause in state.clauses(stanza)
    )


def _leaves(state: State, stanza: Stanza, old: Stanza) -> bool:
    """Say whether the installed version `old` needed what `stanza` replaces."""
    return any(
        not clause.negative
        and not state.met(old, clause)
        and any(relation.target == stanza.name for relation in clause.alternatives)
        for clause in state.clauses(old)
    )
