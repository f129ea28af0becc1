"""Several indices of one architecture as one universe of packages.

Building one costs about a second per 60,000 stanzas; it never changes
afterwards, so many resolutions (in threads, too) can share it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cmp_to_key
from typing import TYPE_CHECKING

from builder.errors import FetchError
from builder.resolve.debian.relation import Clause, Relation, clauses, compare

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from builder.resolve.debian.index import Stanza

__all__ = ["PackagesIndex", "Universe", "hard", "provided", "soft"]

_PRIORITIES = {"": 0, "required": 1, "important": 2, "standard": 3, "optional": 4, "extra": 5}
_TARGET = re.compile(r"(?:^|[,|])\s*([^\s,|(]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagesIndex:
    """The stanzas of one Packages file, under the name the caller knows it by."""

    label: str
    stanzas: tuple[Stanza, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Universe:
    """What a machine of architecture `arch` could install.

    Indices are in the order of apt's sources; all have the same priority.
    `versions` holds each package's versions, newest first. A version in two
    indices is the stanza of the first one. `providers` holds, for a name or
    `name:any`, who provides it and as which version (empty for none), last
    read first. `rank` is apt's tie-breaker: packages are numbered in the
    order in which the indices first mention them, and a higher number wins.
    """

    arch: str
    versions: Mapping[str, tuple[Stanza, ...]]
    providers: Mapping[str, tuple[tuple[Stanza, str], ...]]
    rank: Mapping[str, int]
    labels: Mapping[str, str]
    essential: frozenset[str]
    protected: frozenset[str]
    _targets: dict[Relation, tuple[Stanza, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, arch: str, indices: Iterable[PackagesIndex]) -> Universe:
        """Index the stanzas of `arch` and `all`; stanzas of other architectures are left out.

        Raises FetchError when a Provides field or a version cannot be read.
        """
        first: dict[tuple[str, str], Stanza] = {}
        labels: dict[str, str] = {}
        rank: dict[str, int] = {}
        for index in indices:
            for stanza in index.stanzas:
                if stanza.arch not in {arch, "all"}:
                    continue
                if first.setdefault((stanza.name, stanza.version), stanza) is stanza:
                    labels[_stanza_key(stanza)] = index.label
                    _rank_mentions(stanza, rank, arch)
        stanzas = tuple(first.values())
        return cls(
            arch=arch,
            versions=_versions_by_name(stanzas),
            providers=_providers_by_name(stanzas, arch),
            rank=rank,
            labels=labels,
            essential=frozenset(s.name for s in stanzas if s.essential) | {"apt"},
            protected=frozenset(s.name for s in stanzas if s.protected) | {"apt"},
        )

    def newest(self, name: str) -> Stanza | None:
        """Return the highest version of `name` in any index."""
        versions = self.versions.get(name)
        return versions[0] if versions else None

    def find(self, name: str, version: str) -> Stanza | None:
        """Return exactly this version, or None."""
        return next((s for s in self.versions.get(name, ()) if s.version == version), None)

    def targets(self, relation: Relation) -> tuple[Stanza, ...]:
        """Return every version that satisfies `relation`: the named package, then its providers."""
        known = self._targets.get(relation)
        if known is None:
            own = [s for s in self.versions.get(relation.target, ()) if relation.accepts(s.version)]
            others = [
                s for s, version in self.providers.get(relation.target, ()) if relation.accepts(version)
            ]
            known = self._targets[relation] = (*own, *others)
        return known

    def label(self, stanza: Stanza) -> str:
        """Return the label of the index that `stanza` came from."""
        return self.labels[_stanza_key(stanza)]

    def priority(self, stanza: Stanza) -> int:
        """Return the priority field as a number, lower is more important; unknown words are `extra`."""
        return _PRIORITIES.get(stanza.priority, 5)


def hard(stanza: Stanza, arch: str) -> tuple[Clause, ...]:
    """Return the relations that must hold, in the order in which apt looks at them."""
    return (
        *_parsed_clauses("pre-depends", stanza, stanza.pre_depends, arch),
        *_parsed_clauses("depends", stanza, stanza.depends, arch),
        *_parsed_clauses("conflicts", stanza, stanza.conflicts, arch),
        *_parsed_clauses("breaks", stanza, stanza.breaks, arch),
    )


def soft(stanza: Stanza, arch: str) -> tuple[Clause, ...]:
    """Return the relations that never pull a package in, but keep one that is there."""
    return (
        *_parsed_clauses("recommends", stanza, stanza.recommends, arch),
        *_parsed_clauses("suggests", stanza, stanza.suggests, arch),
    )


def provided(stanza: Stanza, arch: str) -> Iterator[tuple[str, str]]:
    """Yield each name that `stanza` provides, with its version or the empty string.

    Multi-Arch: allowed makes the package, and what it provides, eligible for
    dependencies on `name:any`.
    """
    allowed = stanza.multi_arch == "allowed"
    for clause in _parsed_clauses("provides", stanza, stanza.provides, arch):
        for relation in clause.alternatives:
            if relation.operator not in {"", "="}:
                continue  # apt ignores these with a warning
            if allowed and ":" not in relation.target:
                yield f"{relation.target}:any", relation.version
            if (relation.target, relation.version or stanza.version) != (stanza.name, stanza.version):
                yield relation.target, relation.version
    if allowed:
        yield f"{stanza.name}:any", stanza.version


def _parsed_clauses(kind: str, stanza: Stanza, field: str, arch: str) -> tuple[Clause, ...]:
    try:
        return clauses(kind, field, arch)
    except FetchError as error:
        raise error.within(f"{stanza}: {kind}") from error


def _stanza_key(stanza: Stanza) -> str:
    return f"{stanza.name}={stanza.version}"


def _versions_by_name(stanzas: Sequence[Stanza]) -> dict[str, tuple[Stanza, ...]]:
    found: dict[str, list[Stanza]] = {}
    for stanza in stanzas:
        found.setdefault(stanza.name, []).append(stanza)
    order = cmp_to_key(compare)
    return {
        name: tuple(sorted(group, key=lambda s: order(s.version), reverse=True))
        for name, group in found.items()
    }


def _providers_by_name(stanzas: Sequence[Stanza], arch: str) -> dict[str, tuple[tuple[Stanza, str], ...]]:
    found: dict[str, list[tuple[Stanza, str]]] = {}
    for stanza in stanzas:
        if stanza.provides or stanza.multi_arch == "allowed":
            for name, version in provided(stanza, arch):
                found.setdefault(name, []).append((stanza, version))
    return {name: tuple(reversed(group)) for name, group in found.items()}


def _rank_mentions(stanza: Stanza, rank: dict[str, int], arch: str) -> None:
    """Give numbers to the packages that `stanza` names, in the order in which apt's cache creates them."""
    rank.setdefault(stanza.name, len(rank))
    for text in (
        stanza.pre_depends,
        stanza.depends,
        stanza.conflicts,
        stanza.breaks,
        stanza.recommends,
        stanza.suggests,
        stanza.replaces,
        stanza.enhances,
        stanza.provides,
    ):
        for target in _TARGET.findall(text) if text else ():
            name, _, qualifier = target.partition(":")
            if qualifier in {"", "native", arch}:
                rank.setdefault(name, len(rank))
