"""Why there is no solution, with both sides and who asked for each.

The search that failed leaves a state that explains little. So this module asks
a simpler question: what follows from the request without any choice, and what
of that is impossible?
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.errors import NoSolutionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from builder.resolve.debian.depcache import DepCache
    from builder.resolve.debian.index import Stanza
    from builder.resolve.debian.relation import Clause, Relation

__all__ = ["no_removal", "no_solution"]

_HINT = "drop one of the packages, or choose versions or suites that fit together"


def no_solution(fresh: DepCache, failed: DepCache, requests: Sequence[str]) -> NoSolutionError:
    """Return the error for requests (package names) that `failed` could not satisfy.

    `fresh` is a state in which nothing is chosen yet.
    """
    problem = _ForcedPackages(fresh, requests).problem()
    if problem:
        return NoSolutionError(problem, hint=_HINT)
    return NoSolutionError("; ".join(_unsolved_reasons(fresh, failed, requests)), hint=_HINT)


def no_removal(failed: DepCache, removals: Iterable[Stanza]) -> NoSolutionError:
    """Return the error for a solution that would remove `removals` from the base."""
    parts = []
    for gone in removals:
        enemy = _removal_reason(failed, gone)
        reason = f", because {enemy}" if enemy else ""
        parts.append(f"{gone} of the base would have to be removed{reason}")
    return NoSolutionError("; ".join(parts), hint="drop what conflicts with the base, or choose another base")


def _unsolved_reasons(fresh: DepCache, failed: DepCache, requests: Sequence[str]) -> list[str]:
    """Say, for each package left broken, why none of the alternatives was possible."""
    found: list[str] = []
    for name in failed.all_broken():
        stanza, clause = failed.chosen(name), failed.unmet(name)
        if stanza is None or clause is None:
            continue
        reasons: dict[str, None] = {}
        for relation in clause.alternatives:
            for target in failed.targets(stanza, clause, relation):
                if fresh.candidate(target.name) is target:
                    forced = _ForcedPackages(fresh, (*requests, name), {target.name: name})
                    reasons[forced.problem() or f"{target} was given up"] = None
        verb = _relation_verb(clause)
        found.append(f"{stanza} {verb} {clause}" + "".join(f"; {reason}" for reason in reasons))
    return found or [f"{', '.join(requests)} cannot be installed together"]


class _ForcedPackages:
    """What follows from some packages as long as there is never more than one way."""

    def __init__(
        self, depcache: DepCache, requests: Sequence[str], extra: dict[str, str] | None = None
    ) -> None:
        self.depcache = depcache
        self.parents: dict[str, str] = {**dict.fromkeys(requests, ""), **(extra or {})}
        self.missing: tuple[Stanza, Clause] | None = None
        pending = list(self.parents)
        while pending:
            for stanza, clause in depcache.clauses_of(depcache.candidate(pending.pop(0))):
                if not clause.negative and not self._is_settled(stanza, clause):
                    pending.extend(self._force_only_way(stanza, clause))

    def _is_settled(self, stanza: Stanza, clause: Clause) -> bool:
        return self.depcache.met_now(stanza, clause) or any(
            target.name in self.parents and self.depcache.candidate(target.name) is target
            for relation in clause.alternatives
            for target in self.depcache.targets(stanza, clause, relation)
        )

    def _force_only_way(self, stanza: Stanza, clause: Clause) -> list[str]:
        names = {
            target.name
            for relation in clause.alternatives
            for target in self.depcache.targets(stanza, clause, relation)
            if self.depcache.candidate(target.name) is target
        }
        if not names and self.missing is None:
            self.missing = (stanza, clause)
        if len(names) != 1:
            return []
        name = names.pop()
        self.parents[name] = stanza.name
        return [name]

    def problem(self) -> str:
        """Return what cannot be, or an empty string."""
        if self.missing is not None:
            return self._absence_text(*self.missing)
        for name in self.parents:
            for stanza, clause in self.depcache.clauses_of(self.depcache.candidate(name)):
                for relation in clause.alternatives if clause.negative else ():
                    for target in self.depcache.targets(stanza, clause, relation):
                        if self._is_there(target):
                            return self._conflict_text(stanza, clause, target)
        return ""

    def _is_there(self, target: Stanza) -> bool:
        if target.name in self.parents:
            return self.depcache.candidate(target.name) is target
        return self.depcache.is_essential(target.name) and self.depcache.current.get(target.name) is target

    def _absence_text(self, stanza: Stanza, clause: Clause) -> str:
        have = "; ".join(_available_versions(self.depcache, relation) for relation in clause.alternatives)
        return f"{stanza} needs {clause}, but {have} ({self._request_chain(stanza.name)})"

    def _conflict_text(self, stanza: Stanza, clause: Clause, target: Stanza) -> str:
        return (
            f"{stanza} and {target} exclude each other: {stanza.name} {_relation_verb(clause)} {clause} "
            f"({self._request_chain(stanza.name)}; {self._request_chain(target.name)})"
        )

    def _request_chain(self, name: str) -> str:
        if name not in self.parents:
            return f"{name} is in the base"
        chain = [name]
        while self.parents.get(chain[-1]) and len(chain) <= len(self.parents):
            chain.append(self.parents[chain[-1]])
        if len(chain) == 1:
            return f"{name} is requested"
        return f"{chain[-1]} is requested and needs " + ", which needs ".join(reversed(chain[:-1]))


def _available_versions(depcache: DepCache, relation: Relation) -> str:
    versions = depcache.universe.versions.get(relation.target, ())
    if versions:
        text = f"{relation.target} is at {', '.join(stanza.version for stanza in versions)}"
        chosen, installed = depcache.candidate(relation.target), depcache.current.get(relation.target)
        if installed is not None and installed is chosen:
            return f"{text}, and {installed.version} is installed"
        if installed is not None:
            text += f", {installed.version} is installed"
        return (
            text
            if chosen is None or len(versions) == 1
            else f"{text}, and {chosen.version} is to be installed"
        )
    if depcache.universe.providers.get(relation.target):
        return f"no provider of {relation.target} fits"
    return f"no index has {relation.target}"


def _relation_verb(clause: Clause) -> str:
    return {"breaks": "breaks", "conflicts": "conflicts with"}.get(clause.kind, "needs")


def _removal_reason(depcache: DepCache, gone: Stanza) -> str:
    """Say who conflicts with `gone`, or whom it conflicts with, or what it lacks."""
    for name in depcache.names():
        for stanza, clause in depcache.clauses_of(depcache.chosen(name)):
            if clause.negative and gone in depcache.targets(stanza, clause, clause.alternatives[0]):
                return f"{stanza} {_relation_verb(clause)} {clause}"
    unmet = next((clause for clause in depcache.clauses(gone) if not depcache.met(gone, clause)), None)
    return f"it {_relation_verb(unmet)} {unmet}" if unmet is not None else ""
