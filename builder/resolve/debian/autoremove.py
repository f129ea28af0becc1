"""Dropping new packages that nothing needs after all: apt's auto-remove.

A branch that was tried and given up can leave packages behind. As MarkRequired
in apt-pkg/depcache.cc does, everything is marked that can be reached from what
is installed or was requested; automatic new packages without a mark go again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.resolve.debian.depcache import PackageMode
from builder.resolve.debian.relation import compare

if TYPE_CHECKING:
    from builder.resolve.debian.depcache import DepCache
    from builder.resolve.debian.index import Stanza
    from builder.resolve.debian.relation import Clause, Relation

__all__ = ["auto_remove"]


def auto_remove(depcache: DepCache) -> None:
    """Drop each automatic new package that no other one reaches.

    Pre-Depends, Depends, Recommends and Suggests all count as reaching, and
    every present provider of a name does: nothing that is of use is dropped.
    """
    reached: set[str] = set()
    pending = [name for name in depcache.names() if _is_in_root_set(depcache, name)]
    while pending:
        name = pending.pop()
        stanza = depcache.chosen(name)
        if stanza is not None and name not in reached:
            reached.add(name)
            pending.extend(target.name for target in _followed_targets(depcache, stanza))
    dropped = [
        name
        for name in depcache.names()
        if name not in reached and name not in depcache.current and depcache.mode(name) is PackageMode.INSTALL
    ]
    for name in dropped:
        depcache.delete(name)


def _is_in_root_set(depcache: DepCache, name: str) -> bool:
    return depcache.chosen(name) is not None and (
        name not in depcache.automatic or depcache.is_essential(name)
    )


def _followed_targets(depcache: DepCache, stanza: Stanza) -> list[Stanza]:
    found: list[Stanza] = []
    for clause in (*depcache.clauses(stanza), *depcache.soft_clauses(stanza)):
        if not clause.negative:
            for relation in clause.alternatives:
                found.extend(_newest_of_source(_chosen_targets(depcache, stanza, clause, relation)))
    return found


def _chosen_targets(depcache: DepCache, stanza: Stanza, clause: Clause, relation: Relation) -> list[Stanza]:
    return [
        target
        for target in depcache.targets(stanza, clause, relation)
        if depcache.chosen(target.name) is target
    ]


def _newest_of_source(present: list[Stanza]) -> list[Stanza]:
    """Leave out packages that a newer version of the same source has replaced, such as old kernels."""
    newest: dict[str, str] = {}
    for stanza in present:
        known = newest.get(stanza.source)
        if known is None or compare(stanza.source_version, known) > 0:
            newest[stanza.source] = stanza.source_version
    return [stanza for stanza in present if compare(stanza.source_version, newest[stanza.source]) == 0]
