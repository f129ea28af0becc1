"""Version order and package relations, as Debian policy and apt define them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from debian.deb822 import PkgRelation
from debian.debian_support import NativeVersion

from builder.errors import FetchError

__all__ = ["Clause", "Relation", "clauses", "compare"]

_RELATIONS = {"<<": (-1,), "<": (-1, 0), "<=": (-1, 0), "=": (0,), ">=": (0, 1), ">": (0, 1), ">>": (1,)}


@cache
def _parsed_version(text: str) -> NativeVersion:
    # NativeVersion by name: `Version` is whatever apt binding the machine has.
    try:
        return NativeVersion(text)
    except ValueError as error:
        raise FetchError(f"{text!r} is not a Debian version") from error


@cache
def compare(left: str, right: str) -> int:
    """Return -1, 0 or 1 as `left` is older than, equal to or newer than `right`.

    Raises FetchError for text that is no Debian version.
    """
    if left == right:
        return 0
    a, b = _parsed_version(left), _parsed_version(right)
    return (a > b) - (a < b)


@dataclass(frozen=True, slots=True)
class Relation:
    """One alternative: a package name, possibly `name:any`, and a version bound.

    `operator` is empty when any version will do. `<` and `>` are the old
    spellings of `<=` and `>=`, as in dpkg.
    """

    target: str
    operator: str = ""
    version: str = ""

    def accepts(self, version: str) -> bool:
        """Say whether `version` is within the bound; no version is in no bound."""
        if not self.operator:
            return True
        return bool(version) and compare(version, self.version) in _RELATIONS[self.operator]

    def __str__(self) -> str:
        return f"{self.target} ({self.operator} {self.version})" if self.operator else self.target


@dataclass(frozen=True, slots=True)
class Clause:
    """One comma-separated member of a relation field, apt's or-group: alternatives, first preferred.

    `kind` is the field's name in lower case; `negative` is true for Breaks
    and Conflicts, which have exactly one alternative.
    """

    kind: str
    alternatives: tuple[Relation, ...]

    @property
    def negative(self) -> bool:
        """Whether the targets must be absent rather than present."""
        return self.kind in {"breaks", "conflicts"}

    def __str__(self) -> str:
        return " | ".join(str(relation) for relation in self.alternatives)


@cache
def clauses(kind: str, field: str, arch: str) -> tuple[Clause, ...]:
    """Read a relation field of a package of architecture `arch`.

    `name:native` and `name:ARCH` mean `name` itself on a machine with one
    architecture; any other qualifier but `any` names a package that is not
    there. Raises FetchError for text that is not a relation.
    """
    if not field.strip():
        return ()
    parsed = PkgRelation.parse_relations(field)
    return tuple(Clause(kind, tuple(_parsed_relation(part, arch) for part in group)) for group in parsed)


def _parsed_relation(part: PkgRelation.ParsedRelation, arch: str) -> Relation:
    name, qualifier = part["name"], part["archqual"]
    # python-debian hands unreadable text back as the name.
    if not name or not set(" \t()[]<>,|:").isdisjoint(name) or part["arch"] or part["restrictions"]:
        raise FetchError(f"{name!r} is not a package relation")
    operator, version = part["version"] or ("", "")
    if operator and operator not in _RELATIONS:
        raise FetchError(f"{operator!r} is not a version relation")
    target = name if qualifier in {None, "native", arch} else f"{name}:{qualifier}"
    return Relation(target, operator, version)
