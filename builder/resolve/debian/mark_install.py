"""Marking a package for installation with all that follows from it: apt's MarkInstall.

How it works (apt-pkg/depcache.cc, apt 2.6 and 3.0):
1. A candidate with a dependency that no candidate can satisfy is rejected
   (IsInstallOkDependenciesSatisfiableByCandidates).
2. What its Conflicts and Breaks exclude is kept out, upgraded or removed
   (MarkInstall_RemoveConflictsIfNotUpgradeable); installed packages that need
   its old version are upgraded, too (MarkInstall_CollectReverseDepends), and so
   are installed binaries of the same source (MarkInstall_UpgradeOtherBinaries).
3. For each unmet or-group, its solutions are tried in the order of
   CompareProviders; the first that can be marked, depth first, is taken
   (MarkInstall_InstallDependencies). Nothing chosen is reconsidered.
4. A package that fails gives its place back (MarkInstall_DiscardInstall), unless
   it is protected: that is, requested, or the only solution for something that
   is. What such a package leaves broken goes to `problem_resolver`.

apt recurses, a few hundred levels deep for a desktop. Here each level is a
generator that yields the packages it wants marked and is sent the outcome, so
that depth costs memory and not the interpreter's stack.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from builder.resolve.debian.depcache import PackageMode

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from builder.resolve.debian.depcache import DepCache
    from builder.resolve.debian.index import Stanza
    from builder.resolve.debian.relation import Clause

    MarkSteps = Generator[tuple[str, bool], bool, bool]

__all__ = ["InstallMarker"]


class InstallMarker:
    """Marks packages of a DepCache for installation."""

    def __init__(self, depcache: DepCache) -> None:
        self.depcache = depcache

    def install(self, name: str, *, follow: bool, user: bool = False) -> bool:
        """Mark the candidate of `name` and, with `follow`, what it needs; say whether that worked.

        `follow` is apt's AutoInst. With `user` (FromUser) the choice itself is beyond
        question, as on apt's command line.
        """
        stack = [self._mark_install(name, follow=follow, user=user)]
        answer: bool | None = None
        while stack:
            try:
                child, deeper = next(stack[-1]) if answer is None else stack[-1].send(answer)
            except StopIteration as done:
                stack.pop()
                answer = bool(done.value)
            else:
                stack.append(self._mark_install(child, follow=deeper, user=False))
                answer = None
        return bool(answer)

    def _mark_install(self, name: str, *, follow: bool, user: bool) -> MarkSteps:
        depcache = self.depcache
        candidate, protected = depcache.candidate(name), name in depcache.protected
        spreading = (
            protected and depcache.mode(name) is PackageMode.KEEP and candidate is depcache.current.get(name)
        )
        if not (spreading and candidate) and not depcache.may_change(name, PackageMode.INSTALL, force=user):
            return False
        if candidate is None:
            return False
        if not protected and not depcache.broken(name):
            if candidate is depcache.current.get(name):
                return depcache.chosen(name) is not None or depcache.keep(name, force=user)
            if depcache.mode(name) is PackageMode.INSTALL:
                return True
        if follow and not self._is_satisfiable(candidate):
            return False
        if user:
            depcache.install_candidate(name, force=True)
        return (yield from self._install_candidate(candidate, follow=follow, user=user))

    def _is_satisfiable(self, candidate: Stanza) -> bool:
        """Say whether choices or candidates satisfy each clause; reject the candidate otherwise."""
        depcache = self.depcache
        if candidate is depcache.current.get(candidate.name):
            return True
        for clause in depcache.clauses(candidate):
            if (
                clause.negative
                or depcache.met(candidate, clause)
                or depcache.met_by_candidates(candidate, clause)
            ):
                continue
            if candidate.name not in depcache.protected:
                depcache.reject_candidate(candidate.name)
            return False
        return True

    def _install_candidate(self, candidate: Stanza, *, follow: bool, user: bool) -> MarkSteps:
        depcache, name = self.depcache, candidate.name
        protected = name in depcache.protected
        pending = PendingInstall(
            stanza=candidate, protected=protected, fails_early=not protected and not user
        )
        complete = True
        wanted: list[Clause] = []
        if follow:
            open_ = [c for c in depcache.clauses(candidate) if protected or not depcache.met(candidate, c)]
            wanted = [c for c in open_ if not c.negative]
            complete = remove_conflicts(depcache, pending, [c for c in open_ if c.negative])
            if not complete and pending.fails_early:
                return False
            upgrade_reverse_depends(depcache, pending)
        if not user:
            depcache.install_candidate(name, force=False)
        if not follow:
            return complete
        # Nothing below may undo the choice that it follows from.
        depcache.protected.add(name)
        try:
            complete = (yield from self._install_followers(pending, wanted)) and complete
        finally:
            if not protected:
                depcache.protected.discard(name)
        return complete

    def _install_followers(self, pending: PendingInstall, wanted: list[Clause]) -> MarkSteps:
        yield from self._upgrade_other_binaries(pending.stanza)
        complete = True
        for step in (
            self._upgrade_or_remove(pending),
            self._install_dependencies(pending, wanted),
            self._remove_delayed(pending),
        ):
            if not (yield from step):
                if pending.fails_early:
                    self.depcache.discard_install(pending.stanza.name)
                    return False
                complete = False
        return complete

    # Upgrades and removals that its conflicts and its own upgrade entail.

    def _upgrade_or_remove(self, pending: PendingInstall) -> MarkSteps:
        depcache, complete = self.depcache, True
        for name in pending.upgrades:
            if depcache.mode(name) is PackageMode.INSTALL or (yield name, True):
                continue
            if not depcache.delete(name):
                complete = False
                if pending.fails_early:
                    return False
            elif pending.protected:
                depcache.protected.add(name)
        return complete

    def _upgrade_other_binaries(self, stanza: Stanza) -> Generator[tuple[str, bool], bool, None]:
        """Upgrade installed packages that were built from the same source together."""
        depcache = self.depcache
        names = [
            name
            for name in other_binaries(depcache, stanza)
            if depcache.candidate(name) is not depcache.current.get(name)
            and depcache.chosen(name) is not depcache.candidate(name)
        ]
        for follow in (False, True):
            for name in names:
                yield name, follow

    def _remove_delayed(self, pending: PendingInstall) -> MarkSteps:
        yield from ()
        complete = True
        for name in pending.removals:
            if not self.depcache.delete(name):
                complete = False
                if pending.fails_early:
                    return False
        return complete

    # Pre-Depends and Depends.

    def _install_dependencies(self, pending: PendingInstall, wanted: list[Clause]) -> MarkSteps:
        complete = True
        for clause in wanted:
            if self.depcache.met(pending.stanza, clause):
                if pending.protected and not (yield from self._protect_only_solution(pending, clause)):
                    complete = False
            elif not (yield from self._install_solution(pending, clause)):
                complete = False
                if pending.fails_early:
                    return False
        return complete

    def _protect_only_solution(self, pending: PendingInstall, clause: Clause) -> MarkSteps:
        """Protect the only package that can satisfy a clause of a protected package."""
        depcache = self.depcache
        found = possible_solutions(depcache, pending.stanza, clause)
        if len(found) != 1 or found[0].name in depcache.protected:
            return True
        depcache.protected.add(found[0].name)
        return (yield found[0].name, True)

    def _install_solution(self, pending: PendingInstall, clause: Clause) -> MarkSteps:
        depcache = self.depcache
        found = candidate_solutions(depcache, pending.stanza, clause)
        for stanza in found:
            name = stanza.name
            if depcache.candidate(name) is not stanza:
                continue
            if pending.protected and len(found) == 1:
                if not (yield name, False):
                    continue
                depcache.protected.add(name)
            if (yield name, True):
                return True
        return False


# Negative dependencies, and what an upgrade entails.


@dataclass(slots=True, kw_only=True)
class PendingInstall:
    """One package being marked, with the installed ones to upgrade and to remove for it.

    `protected` is set for requests, and for what follows from them without a
    choice: its failures are left to `problem_resolver`, and the only solution of
    one of its clauses becomes protected, too (apt's propagateProtected). With
    `fails_early` the first failure ends it.
    """

    stanza: Stanza
    protected: bool
    fails_early: bool
    upgrades: list[str] = field(default_factory=list)
    removals: list[str] = field(default_factory=list)


def remove_conflicts(depcache: DepCache, pending: PendingInstall, clauses: list[Clause]) -> bool:
    """Keep out, or plan to upgrade or remove, whatever `clauses` (Conflicts and Breaks) exclude.

    A candidate that is excluded must not come in; an installed version that
    is excluded is upgraded if its candidate is not, else removed. False when
    something can be neither, at once if `pending` fails early.
    """
    complete = True
    discarded: set[str] = set()
    for clause in clauses:
        for stanza in matching_versions(depcache, pending.stanza, clause, depcache.candidate):
            if depcache.candidate(stanza.name) is stanza and not _discard_conflicting_candidate(
                depcache, pending, stanza, discarded
            ):
                complete = False
                if pending.fails_early:
                    return False
        for stanza in matching_versions(depcache, pending.stanza, clause, depcache.current.get):
            if not _upgrade_conflicting_package(depcache, pending, stanza, discarded):
                complete = False
                if pending.fails_early:
                    return False
    return complete


def _discard_conflicting_candidate(
    depcache: DepCache, pending: PendingInstall, stanza: Stanza, discarded: set[str]
) -> bool:
    """Keep a conflicting candidate out, or have the installed package removed."""
    name = stanza.name
    if stanza is depcache.current.get(name):
        return _delay_removal(depcache, pending, name)
    if depcache.mode(name) is PackageMode.INSTALL and not depcache.keep(name):
        return False
    if pending.protected:
        depcache.discard_candidate(name)
        if name not in depcache.current:
            depcache.protected.add(name)
    else:
        discarded.add(name)
    return True


def _upgrade_conflicting_package(
    depcache: DepCache, pending: PendingInstall, stanza: Stanza, discarded: set[str]
) -> bool:
    """Plan to upgrade a conflicting installed package, or to remove it."""
    candidate = depcache.candidate(stanza.name)
    if candidate is stanza:
        return True  # treated with the candidates
    if candidate is not None and stanza.name not in discarded:
        pending.upgrades.append(stanza.name)
        return True
    return _delay_removal(depcache, pending, stanza.name)


def _delay_removal(depcache: DepCache, pending: PendingInstall, name: str) -> bool:
    if not pending.protected:
        if depcache.mode(name) is PackageMode.DELETE:
            return True
        if not depcache.may_delete(name):
            return False
        pending.removals.append(name)
        return True
    if depcache.mode(name) is not PackageMode.DELETE and not depcache.delete(name):
        return False
    depcache.discard_candidate(name)
    depcache.protected.add(name)
    return True


def upgrade_reverse_depends(depcache: DepCache, pending: PendingInstall) -> None:
    """Plan to upgrade the installed packages that the new version of an installed one would break."""
    new = pending.stanza
    old = depcache.current.get(new.name)
    for stanza in depcache.current.values() if old is not None else ():
        if depcache.mode(stanza.name) is PackageMode.INSTALL or stanza.name in pending.upgrades:
            continue
        relations = (r for c in depcache.clauses(stanza) if not c.negative for r in c.alternatives)
        if old is not None and any(
            r.target == new.name and r.accepts(old.version) and not r.accepts(new.version) for r in relations
        ):
            pending.upgrades.append(stanza.name)


def other_binaries(depcache: DepCache, stanza: Stanza) -> list[str]:
    """Return the other installed packages whose candidate has the same source and source version."""
    source = (stanza.source, stanza.source_version)
    rank = depcache.universe.rank
    return sorted(
        (
            name
            for name in depcache.current
            if name != stanza.name
            and (candidate := depcache.candidate(name)) is not None
            and (candidate.source, candidate.source_version) == source
        ),
        key=lambda name: rank.get(name, len(rank)),
    )


# Solutions of one or-group.


def candidate_solutions(depcache: DepCache, owner: Stanza, clause: Clause) -> list[Stanza]:
    """Return the candidates that would satisfy `clause` of `owner`, best first.

    The alternatives keep their order, except that upgrades of installed
    packages come before new ones; within one alternative `_provider_order`
    decides. What is protected as absent is no solution.
    """
    return [
        stanza
        for stanza in matching_versions(depcache, owner, clause, depcache.candidate)
        if not _is_protected_absent(depcache, stanza.name)
    ]


def possible_solutions(depcache: DepCache, owner: Stanza, clause: Clause) -> list[Stanza]:
    """Return every candidate and installed version that satisfies `clause`, in no useful order."""
    installed = matching_versions(depcache, owner, clause, depcache.current.get)
    kept = [stanza for stanza in installed if not _is_protected_absent(depcache, stanza.name)]
    return list(dict.fromkeys((*candidate_solutions(depcache, owner, clause), *kept)))


def matching_versions(
    depcache: DepCache, owner: Stanza, clause: Clause, version: Callable[[str], Stanza | None]
) -> list[Stanza]:
    """Return, in the same order, the packages whose `version` matches a target of `clause`."""
    upgrades: list[Stanza] = []
    additions: list[Stanza] = []
    for relation in clause.alternatives:
        found = [s for s in depcache.targets(owner, clause, relation) if version(s.name) is s]
        for stanza in sorted(found, key=lambda s: _provider_order(depcache, s, relation.target)):
            (upgrades if stanza.name in depcache.current else additions).append(stanza)
    return list(dict.fromkeys((*upgrades, *additions)))


def _provider_order(
    depcache: DepCache, stanza: Stanza, target: str
) -> tuple[bool, bool, bool, bool, bool, bool, int, int]:
    """Sort key, smallest first: apt's order of the packages that can stand for one name.

    Protected, installed (Multi-Arch: same first), the package of that very
    name, essential, protected by its maintainer, the more important Priority,
    and at last the one that the indices mentioned last.
    """
    universe, name = depcache.universe, stanza.name
    installed = name in depcache.current
    return (
        name not in depcache.protected,
        not (installed and stanza.multi_arch == "same"),
        not installed,
        name != target,
        name not in universe.essential,
        name not in universe.protected,
        universe.priority(stanza),
        -universe.rank.get(name, len(universe.rank)),
    )


def _is_protected_absent(depcache: DepCache, name: str) -> bool:
    if name not in depcache.protected:
        return False
    mode = depcache.mode(name)
    return mode is PackageMode.DELETE or (mode is PackageMode.KEEP and name not in depcache.current)
