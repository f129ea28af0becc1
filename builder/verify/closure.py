"""The set of rows, proven: each is needed by something that the target asks for, and nothing is missing.

`via` of a row is the lock's own word, so it proves nothing. Here the requirements
are read from the locked files themselves, or what an index states of them, and walked
from what the recipe asks for. A row that is not reached was added by hand; a
requirement that no row meets was left unmet by hand.

The walk is on the target's terms: markers and extras of Python requirements for its
Python and machine, Debian relations with their alternatives and provided names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from builder.errors import BuilderError
from builder.index import WheelFacts
from builder.lockfile import (
    BASE,
    RUNTIME,
    Finding,
    Lock,
    OsPackage,
    PythonPackage,
    found,
    lock_full_pythons,
    row_label,
)
from builder.recipe import EffectiveRecipe, PythonRequest, os_requests, python_requests
from builder.resolve.debian import Clause, PackagesIndex, Stanza, Universe, clauses, hard
from builder.resolve.python import RequirementNode, stand_in_node, walk_requirements

__all__ = ["LockMetadata", "closure_faults", "required_metadata"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockMetadata:
    """What the locked files say of themselves, by their SHA-256."""

    wheels: Mapping[str, WheelFacts]
    packages: Mapping[str, Stanza] | None
    """None where OS packages are proven in another way, and not walked."""


def required_metadata(lock: Lock) -> tuple[tuple[PythonPackage, ...], tuple[OsPackage, ...]]:
    """Return the rows whose files must be read before the closure of `lock` can be proven."""
    packages = lock.os_packages if lock.environment.family == "debian" else ()
    return tuple(row for row in lock.python if row.sha256), packages


def closure_faults(lock: Lock, recipe: EffectiveRecipe, metadata: LockMetadata) -> Iterator[Finding]:
    """Yield each row that nothing asks for, each requirement that no row meets, each file that is another.

    `metadata` has the file of every row that `required_metadata` names.
    """
    yield from _misnamed_rows(lock, metadata)
    requests = python_requests(recipe, preferences={}, upgrade=(), full_pythons=lock_full_pythons(lock))
    for request in requests:
        yield from _python_faults(lock, request, metadata.wheels)
    asked = {request.environment for request in requests}
    for row in lock.python:
        for environment in sorted(set(row.for_) - asked):
            text = f"the recipe asks for no Python distribution in {environment}"
            yield found("unasked", text, row=row_label(row))
    if lock.environment.family == "debian" and metadata.packages is not None:
        yield from _debian_faults(lock, recipe, metadata.packages)


def _misnamed_rows(lock: Lock, metadata: LockMetadata) -> Iterator[Finding]:
    for row in lock.python:
        facts = metadata.wheels.get(str(row.sha256)) if row.sha256 else None
        if facts is not None and not _is_same_release(row, facts):
            text = f"the file's own metadata is of {facts.name} {facts.version}"
            yield found("misnamed", text, row=row_label(row))
    packages = metadata.packages or {}
    for package in lock.os_packages:
        stanza = packages.get(str(package.sha256))
        if stanza is not None and (stanza.name, stanza.version, stanza.arch) != (
            package.name,
            package.version,
            package.arch,
        ):
            text = f"the file's own control data is of {stanza.name} {stanza.version} {stanza.arch}"
            yield found("misnamed", text, row=row_label(package))


def _is_same_release(row: PythonPackage, facts: WheelFacts) -> bool:
    if canonicalize_name(facts.name) != row.name:
        return False
    try:
        return Version(facts.version) == Version(row.version)
    except InvalidVersion:
        return facts.version == row.version


def _python_faults(lock: Lock, request: PythonRequest, wheels: Mapping[str, WheelFacts]) -> Iterator[Finding]:
    """Walk one environment from the recipe's roots through the requirements of the locked wheels."""
    # Of two rows of one name the first counts; the other has nobody that asks for it.
    rows = {row.name: row for row in reversed(lock.python) if request.environment in row.for_}
    nodes = {node.name: node for node in map(stand_in_node, request.given)}
    provided = {str(canonicalize_name(item.name)) for item in request.stand_ins if not item.build}
    # What is built or declared has its requirements in the recipe; it counts only if the lock has its row.
    nodes = {name: node for name, node in nodes.items() if name in rows or name in provided}
    for name, row in rows.items():
        facts = wheels.get(str(row.sha256)) if row.sha256 else None
        if facts is not None:
            nodes[name] = RequirementNode(
                name=name, version=facts.version, requires=facts.requires, extras=facts.extras
            )
        elif name in nodes:
            nodes[name] = replace(nodes[name], version=row.version)
    errors: list[BuilderError] = []
    asked = walk_requirements(request, nodes, unmet=errors.append)
    for error in errors:
        yield found("unmet", f"{request.environment}: {error.cause}", row=_askers_row(error, rows))
    for row in lock.python:
        if request.environment in row.for_ and (row.name not in asked or rows[row.name] is not row):
            text = f"nothing that {request.environment} asks for requires it"
            yield found("unasked", text, row=row_label(row))


def _askers_row(error: BuilderError, rows: Mapping[str, PythonPackage]) -> str:
    """Return the label of the row whose requirement is unmet; empty where the recipe asks."""
    asker = error.cause.partition(" ")[0]
    return row_label(rows[asker]) if asker in rows else ""


def _debian_faults(lock: Lock, recipe: EffectiveRecipe, packages: Mapping[str, Stanza]) -> Iterator[Finding]:
    requests: dict[str, Sequence[str]] = {**os_requests(recipe), BASE: recipe.platform.base}
    used = {environment for row in lock.os_packages for environment in row.for_}
    for environment in sorted(used - set(requests)):
        for row in lock.os_packages:
            if environment in row.for_:
                text = f"the recipe asks for no OS package in {environment}"
                yield found("unasked", text, row=row_label(row))
    for environment in sorted(used & set(requests) | {RUNTIME} & set(requests)):
        own = [row for row in lock.os_packages if environment in row.for_]
        below = [row for row in lock.os_packages if BASE in row.for_] if environment != BASE else []
        walk = _DebianWalk(
            environment=environment,
            arch=lock.arch.debian,
            rows={packages[row.sha256]: row for row in own},
            base=tuple(packages[row.sha256] for row in below),
            inventory=_published_inventory(lock, environment),
        )
        yield from walk.faults(tuple(requests[environment]))


def _published_inventory(lock: Lock, environment: str) -> tuple[Stanza, ...]:
    """Return the packages of the published base below an environment; only their names are known."""
    role = "runtime" if environment == RUNTIME else "build"
    listed = {text for image in lock.images if role in image.roles for text in image.inventory}
    pairs = (text.partition("=") for text in sorted(listed))
    return tuple(
        Stanza(name=name, version=version, arch="all", source=name, source_version=version)
        for name, _, version in pairs
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _DebianWalk:
    """One environment, walked through Pre-Depends and Depends of its packages.

    What the base below meets already brings nothing in. Of several rows that could
    meet a dependency, one that is needed anyway does; only when none is, the first
    alternative is, as apt would choose. So a row that an attacker adds is not excused
    by an alternative that apt would not have taken.
    """

    environment: str
    arch: str
    rows: Mapping[Stanza, OsPackage]
    base: tuple[Stanza, ...]
    inventory: tuple[Stanza, ...]
    """The packages of a published base: what they provide is not known."""

    def faults(self, requested: Sequence[str]) -> Iterator[Finding]:
        """Yield unmet requests and dependencies, packages that exclude each other, and unasked rows."""
        replaced = {stanza.name for stanza in self.rows}
        below = tuple(s for s in (*self.base, *self.inventory) if s.name not in replaced)
        everything = Universe.of(self.arch, [PackagesIndex(label="lock", stanzas=(*self.rows, *below))])
        roots = [clause for name in requested for clause in _request_clauses(name, self.arch)]
        for clause in roots:
            if not _clause_targets(clause, everything):
                text = f"{self.environment}: the recipe asks for {clause}, and no row is it"
                yield found("unmet", text)
        needed = self._needed_packages(roots, everything)
        for stanza, row in sorted(self.rows.items(), key=lambda item: str(item[0])):
            if stanza not in needed:
                text = f"nothing that {self.environment} asks for depends on it"
                yield found("unasked", text, row=row_label(row))
            for clause in hard(stanza, self.arch):
                yield from self._clause_faults(stanza, clause, everything)

    def _needed_packages(self, roots: Sequence[Clause], everything: Universe) -> set[Stanza]:
        needed: set[Stanza] = set()
        waiting: list[Clause] = list(roots)
        if self.environment == BASE:
            required = [s for s in self.rows if s.essential or s.priority == "required"]
            needed.update(required)
            waiting += [clause for stanza in required for clause in hard(stanza, self.arch)]
        undecided: list[tuple[Stanza, ...]] = []
        while waiting or undecided:
            if waiting:
                clause = waiting.pop()
                targets = () if clause.negative else _clause_targets(clause, everything)
                if len(targets) > 1:
                    undecided.append(targets)
                    continue
            else:
                targets = undecided.pop(0)
            is_met = not all(target in self.rows and target not in needed for target in targets)
            for chosen in () if is_met else targets[:1]:
                needed.add(chosen)
                waiting += hard(chosen, self.arch)
        return needed

    def _clause_faults(self, stanza: Stanza, clause: Clause, everything: Universe) -> Iterator[Finding]:
        row = row_label(self.rows[stanza])
        targets = _clause_targets(clause, everything)
        if clause.negative:
            others = [target for target in targets if target.name != stanza.name]
            if others:
                text = f"{self.environment}: it says {clause.kind} {clause}, and the lock has {others[0]}"
                yield found("unmet", text, row=row)
        elif not targets and self.inventory:
            text = (
                f"{self.environment}: no row meets its dependency {clause}; whether the base image does "
                "cannot be seen from a list of names"
            )
            yield found("unknown", text, row=row, hint="ask the signed index: verify --again")
        elif not targets:
            text = f"{self.environment}: it depends on {clause}, and no row meets that"
            yield found("unmet", text, row=row)


def _clause_targets(clause: Clause, everything: Universe) -> tuple[Stanza, ...]:
    """Return every package that meets a clause, in the order of its alternatives."""
    return tuple(
        dict.fromkeys(target for relation in clause.alternatives for target in everything.targets(relation))
    )


def _request_clauses(name: str, arch: str) -> tuple[Clause, ...]:
    """Return the clause that a request means: `name` or `name=version`."""
    bare, _, version = name.partition("=")
    return clauses("depends", f"{bare} (= {version})" if version else bare, arch)
