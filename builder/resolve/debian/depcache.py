"""One resolution's view of the universe: apt's pkgDepCache.

A package has a current version, a candidate, and a version that will be there
(apt's InstallVer; here `chosen`, None if it will be absent). Its mode says what
will be done with it. A change of mode obeys apt's rules of who may undo what
(IsModeChangeOk): protected packages change only by force, and nothing removes
an essential one.

Auto-remove drops new packages that nothing needs after all: a branch that was
tried and given up can leave packages behind. As MarkRequired in
apt-pkg/depcache.cc does, everything is marked that can be reached from what is
installed or was requested; automatic new packages without a mark go again.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from builder.resolve.debian.relation import compare
from builder.resolve.debian.universe import hard, provided, soft

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from builder.resolve.debian.index import Stanza
    from builder.resolve.debian.relation import Clause, Relation
    from builder.resolve.debian.universe import Universe

__all__ = ["DepCache", "PackageMode", "auto_remove"]


class PackageMode(enum.Enum):
    """What will be done with a package: apt's ModeKeep, ModeInstall and ModeDelete."""

    KEEP = "keep"
    INSTALL = "install"
    DELETE = "delete"


class CandidateVersions:
    """The candidates of one resolution: the highest version of all indices and the installed one.

    apt caches whether candidates satisfy a relation (DepCVer), and discards a
    candidate without updating that (MarkInstall_DiscardCandidate). Relations to
    one of its names still count it, until something is done with a package of
    the same name. That changes which packages apt tries, so it is kept here:
    `seen_through` is the view through that cache.
    """

    def __init__(self, universe: Universe, current: Mapping[str, Stanza]) -> None:
        self.universe = universe
        self.current = current
        self._changed: dict[str, Stanza | None] = {}
        self._stale: dict[str, dict[str, Stanza]] = {}

    def get(self, name: str) -> Stanza | None:
        """Return the candidate of `name`."""
        if name in self._changed:
            return self._changed[name]
        newest, current = self.universe.newest(name), self.current.get(name)
        if current is not None and (newest is None or compare(newest.version, current.version) <= 0):
            return current
        return newest

    def seen_through(self, target: str, name: str) -> Stanza | None:
        """Return what a relation to `target` takes for the candidate of `name`."""
        return self._stale.get(target, {}).get(name) or self.get(name)

    def set_version(self, stanza: Stanza) -> None:
        """Make `stanza` the candidate of its package."""
        self._changed[stanza.name] = stanza
        self.refresh_relations(stanza.name)

    def discard(self, name: str, remaining: Stanza | None) -> None:
        """Replace the candidate of `name`; relations to it go stale."""
        old = self.get(name)
        if old is not None:
            for target in self._relation_targets(old):
                self._stale.setdefault(target, {}).setdefault(name, old)
        self._changed[name] = remaining

    def refresh_relations(self, name: str) -> None:
        """Bring the relations to all names of `name` up to date, as apt's Update does when it changed."""
        if self._stale:
            versions = (self.current.get(name), self.get(name))
            for target in (
                name,
                *(t for stanza in versions if stanza for t in self._relation_targets(stanza)),
            ):
                self._stale.pop(target, None)

    def _relation_targets(self, stanza: Stanza) -> tuple[str, ...]:
        return (stanza.name, *(name for name, _ in provided(stanza, self.universe.arch)))


class DepCache:
    """What is installed, what is chosen so far, and whether that holds together.

    Everything that changes during one resolution is here.

    `protected` packages are the request's own and whatever follows from it
    without a choice: only `force` changes them. `automatic` ones were pulled
    in and go again when nothing reaches them.
    """

    def __init__(self, universe: Universe, installed: Mapping[str, Stanza]) -> None:
        self.universe = universe
        self.current = installed
        self.protected: set[str] = set()
        self.automatic: set[str] = set()
        self._install_versions: dict[str, Stanza | None] = {}
        self._candidates = CandidateVersions(universe, installed)
        self._modes: dict[str, PackageMode] = {}
        self._known_clauses: dict[Stanza, tuple[Clause, ...]] = {}
        self._outside = self._providers_outside()
        self._known_targets: dict[Relation, tuple[Stanza, ...]] = {}

    def _providers_outside(self) -> dict[str, list[tuple[Stanza, str]]]:
        # Installed versions that no index knows satisfy relations, too.
        found: dict[str, list[tuple[Stanza, str]]] = {}
        for stanza in self.current.values():
            if self.universe.find(stanza.name, stanza.version) is not stanza:
                found.setdefault(stanza.name, []).append((stanza, stanza.version))
                for name, version in provided(stanza, self.universe.arch):
                    found.setdefault(name, []).append((stanza, version))
        return found

    # What a package is.

    def candidate(self, name: str) -> Stanza | None:
        """Return the version that an installation of `name` would install_candidate."""
        return self._candidates.get(name)

    def chosen(self, name: str) -> Stanza | None:
        """Return the version that will be there, or None."""
        return self._install_versions[name] if name in self._install_versions else self.current.get(name)

    def mode(self, name: str) -> PackageMode:
        """Return what will be done with `name`."""
        return self._modes.get(name, PackageMode.KEEP)

    def names(self) -> list[str]:
        """Return every package that is installed or was ever chosen, in apt's order."""
        rank = self.universe.rank
        return sorted(
            {*self.current, *self._install_versions}, key=lambda name: (rank.get(name, len(rank)), name)
        )

    def is_essential(self, name: str) -> bool:
        """Say whether apt refuses to remove `name`."""
        return name in self.universe.essential or name in self.universe.protected

    def is_requested(self, name: str) -> bool:
        """Say whether `name` is a new package that was asked for rather than pulled in."""
        return name not in self.current and self.chosen(name) is not None and name not in self.automatic

    # Whether relations hold.

    def clauses(self, stanza: Stanza) -> tuple[Clause, ...]:
        """Return the relations of `stanza` that must hold."""
        known = self._known_clauses.get(stanza)
        if known is None:
            known = self._known_clauses[stanza] = hard(stanza, self.universe.arch)
        return known

    def clauses_of(self, stanza: Stanza | None) -> Iterator[tuple[Stanza, Clause]]:
        """Yield (stanza, clause) for each of them; nothing for no stanza."""
        if stanza is not None:
            for clause in self.clauses(stanza):
                yield stanza, clause

    def soft_clauses(self, stanza: Stanza) -> tuple[Clause, ...]:
        """Return the relations of `stanza` that need not hold."""
        return soft(stanza, self.universe.arch)

    def targets(self, owner: Stanza, clause: Clause, relation: Relation) -> tuple[Stanza, ...]:
        """Return every version that `relation` speaks of; a package never conflicts with itself."""
        found = self._known_targets.get(relation)
        if found is None:
            found = self.universe.targets(relation)
            if relation.target in self._outside:
                found += tuple(
                    s for s, version in self._outside[relation.target] if relation.accepts(version)
                )
            self._known_targets[relation] = found
        if clause.negative:
            return tuple(stanza for stanza in found if stanza.name != owner.name)
        return found

    def met(self, owner: Stanza, clause: Clause) -> bool:
        """Say whether the chosen versions satisfy `clause` of `owner` (apt's DepGInstall)."""
        return clause.negative != any(self.chosen(s.name) is s for s in self._all_targets(owner, clause))

    def met_now(self, owner: Stanza, clause: Clause) -> bool:
        """Say whether the installed versions satisfy it (DepGNow)."""
        return clause.negative != any(self.current.get(s.name) is s for s in self._all_targets(owner, clause))

    def met_by_candidates(self, owner: Stanza, clause: Clause) -> bool:
        """Say whether the candidates would satisfy it, as far as apt's cache knows (DepGCVer)."""
        return clause.negative != any(
            self._candidates.seen_through(relation.target, s.name) is s
            for relation in clause.alternatives
            for s in self.targets(owner, clause, relation)
        )

    def _all_targets(self, owner: Stanza, clause: Clause) -> Iterator[Stanza]:
        for relation in clause.alternatives:
            yield from self.targets(owner, clause, relation)

    def broken(self, name: str) -> bool:
        """Say whether `name` will be there with an unmet relation."""
        return self.unmet(name) is not None

    def unmet(self, name: str) -> Clause | None:
        """Return the first unmet relation of the chosen version of `name`."""
        stanza = self.chosen(name)
        if stanza is None:
            return None
        return next((c for c in self.clauses(stanza) if not self.met(stanza, c)), None)

    def all_broken(self) -> list[str]:
        """Return the packages with an unmet relation, in apt's order."""
        return [name for name in self.names() if self.broken(name)]

    # Changes.

    def may_change(self, name: str, mode: PackageMode, *, force: bool) -> bool:
        """Say whether the package may be set_version into `mode`."""
        if force or self.mode(name) is mode:
            return True
        if name in self.protected:
            return False
        return mode is not PackageMode.DELETE or not self.is_essential(name)

    def may_delete(self, name: str, *, force: bool = False) -> bool:
        """Say whether `name` may go: not what is essential, protected or a new request (IsDeleteOk)."""
        return self.may_change(name, PackageMode.DELETE, force=force) and (
            force or not self.is_requested(name)
        )

    def set_candidate(self, stanza: Stanza) -> None:
        """Make `stanza` the candidate of its package."""
        self._candidates.set_version(stanza)

    def discard_candidate(self, name: str) -> None:
        """Make what is chosen now the candidate (MarkInstall_DiscardCandidate)."""
        self._candidates.discard(name, self.chosen(name))

    def reject_candidate(self, name: str) -> None:
        """Discard a candidate that cannot be installed; what is installed, if anything, remains possible."""
        current = self.current.get(name)
        if current is None:
            self._candidates.discard(name, None)
        else:
            self.set_candidate(current)
            if self.mode(name) is PackageMode.INSTALL:
                self._install_versions[name] = current
        if self.mode(name) is not PackageMode.DELETE:
            self._modes[name] = PackageMode.KEEP

    def install_candidate(self, name: str, *, force: bool) -> None:
        """Choose the candidate (MarkInstall_StateChange); without `force` a new package is automatic."""
        candidate = self.candidate(name)
        if name in self.protected and self.chosen(name) is candidate:
            return
        self._change_mode(
            name, candidate, PackageMode.KEEP if candidate is self.current.get(name) else PackageMode.INSTALL
        )
        if force:
            self.automatic.discard(name)
        elif name not in self.current:
            self.automatic.add(name)

    def discard_install(self, name: str) -> None:
        """Undo a choice and discard its candidate (MarkInstall_DiscardInstall)."""
        current = self.current.get(name)
        if (
            self.mode(name) is PackageMode.KEEP
            and current is not None
            and self.chosen(name) is self.candidate(name) is current
        ):
            return
        self._change_mode(name, current, PackageMode.KEEP)
        self.discard_candidate(name)

    def keep(self, name: str, *, force: bool = False) -> bool:
        """Leave the package as it is installed, or absent (MarkKeep); False if that is not allowed."""
        if not self.may_change(name, PackageMode.KEEP, force=force):
            return False
        if self.mode(name) is not PackageMode.KEEP:
            self._change_mode(name, self.current.get(name), PackageMode.KEEP)
        return True

    def delete(self, name: str, *, force: bool = False) -> bool:
        """Make the package absent (MarkDelete); False if that is not allowed."""
        if not self.may_change(name, PackageMode.DELETE, force=force):
            return False
        if self.mode(name) is PackageMode.DELETE or self.chosen(name) is None:
            return True
        if not self.may_delete(name, force=force):
            return False
        self._change_mode(name, None, PackageMode.DELETE if name in self.current else PackageMode.KEEP)
        return True

    def _change_mode(self, name: str, chosen: Stanza | None, mode: PackageMode) -> None:
        self._install_versions[name] = chosen
        self._modes[name] = mode
        self._candidates.refresh_relations(name)


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
