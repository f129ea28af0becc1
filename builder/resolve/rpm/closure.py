"""What dnf would install for a request, on top of what is there.

The flags are those that dnf 4 gives libsolv, with `best` and without weak
dependencies. dnf's own answer is the oracle: scripts/oracles/compare-with-dnf.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import solv

from builder.errors import FetchError, NoSolutionError
from builder.lockfile import RECIPE
from builder.resolve.rpm.inventory import has_version
from builder.resolve.rpm.no_solution import no_solution, unknown
from builder.resolve.rpm.universe import Universe

__all__ = ["Choice", "Plan", "plan", "resolve"]

_KEEP_EXPLICIT_OBSOLETES = 11  # a flag of libsolv that its Python module has no name for
_FLAGS = (
    solv.Solver.SOLVER_FLAG_ALLOW_DOWNGRADE,
    solv.Solver.SOLVER_FLAG_ALLOW_VENDORCHANGE,
    solv.Solver.SOLVER_FLAG_BEST_OBEY_POLICY,
    solv.Solver.SOLVER_FLAG_IGNORE_RECOMMENDED,
    solv.Solver.SOLVER_FLAG_KEEP_ORPHANS,
    solv.Solver.SOLVER_FLAG_YUM_OBSOLETES,
    _KEEP_EXPLICIT_OBSOLETES,
)
_INSTALL = (
    solv.Job.SOLVER_INSTALL
    | solv.Job.SOLVER_SOLVABLE_ONE_OF
    | solv.Job.SOLVER_SETARCH
    | solv.Job.SOLVER_SETEVR
    | solv.Job.SOLVER_FORCEBEST
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One package to install or upgrade: its identity and its file.

    `version` has the epoch where there is one; `location` is relative to the
    repository called `label`; `size` is in bytes.
    """

    name: str
    version: str
    arch: str
    location: str
    size: int
    sha256: str
    label: str
    via: tuple[str, ...]
    """The packages of the same answer that need it, `recipe` where it is asked for; sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What dnf would do: install or upgrade `choices`, remove `removals` (name, version). Both sorted."""

    choices: tuple[Choice, ...]
    removals: tuple[tuple[str, str], ...]


def resolve(universe: Universe, requests: Iterable[str]) -> tuple[Choice, ...]:
    """Return what must be installed for `requests`, sorted by name.

    A request is a name, `name=version`, or a capability such as
    `pkgconfig(zlib)`. Raises NoSolutionError when one is unknown, when they
    exclude each other, and when an installed package would have to go.
    """
    found = plan(universe, requests)
    if found.removals:
        gone = ", ".join(f"{name} {version}" for name, version in found.removals)
        raise NoSolutionError(
            f"{gone} of the base image would be replaced by other packages",
            hint="choose a base image without it, or ask for other packages: a base image only grows",
        )
    return found.choices


def plan(universe: Universe, requests: Iterable[str]) -> Plan:
    """Return what dnf would do for `requests`, removals included; errors as for `resolve`."""
    with universe.mutex:
        asked = {request: _asked(universe, request) for request in requests}
        start = [package for found in asked.values() for package in found]
        if universe.needs_files([*start, *(row.origin for row in universe.base if row.origin is not None)]):
            universe.complete()
        return _solved(universe, asked)


def _asked(universe: Universe, request: str) -> list[solv.XSolvable]:
    """Return the candidates that a request means; NoSolutionError where there are none."""
    name, _, version = request.partition("=")
    found = universe.named(name) or ([] if version else universe.providing(request))
    if version:
        found = [package for package in found if has_version(package, version)]
    if not found:
        raise unknown(universe, name, version)
    return found


def _solved(universe: Universe, asked: Mapping[str, list[solv.XSolvable]]) -> Plan:
    pool = universe.pool
    jobs = [pool.Job(_INSTALL, pool.towhatprovides(_targets(universe, *item))) for item in asked.items()]
    solver = pool.Solver()
    for flag in _FLAGS:
        solver.set_flag(flag, 1)
    problems = solver.solve(jobs)
    if problems:
        raise no_solution(problems, tuple(asked))
    transaction = solver.transaction()
    new = sorted(transaction.newsolvables(), key=lambda package: (package.name, package.evr, package.arch))
    names = {package.name for package in new}
    gone = {
        (package.name, package.evr)
        for package in transaction.steps()
        if package.isinstalled() and package.name not in names
    }
    via = _askers(universe, new, asked)
    choices = tuple(_choice(universe, package, via[package.id]) for package in new)
    return Plan(choices=choices, removals=tuple(sorted(gone)))


def _askers(
    universe: Universe, new: list[solv.XSolvable], asked: Mapping[str, list[solv.XSolvable]]
) -> dict[int, tuple[str, ...]]:
    """Return who needs each new package: others of the answer, and the recipe."""
    requested = {package.id for found in asked.values() for package in found}
    via = {package.id: {RECIPE} if package.id in requested else set[str]() for package in new}
    for package in new:
        for dependency in package.lookup_deparray(solv.SOLVABLE_REQUIRES, 0):
            for provider in universe.pool.whatprovides(dependency):
                if provider.id in via and provider.id != package.id:
                    via[provider.id].add(package.name)
    # What nothing requires is an upgrade that makes room for what is asked for.
    sake = {package.name for package in new if package.id in requested}
    return {key: tuple(sorted(names or sake)) for key, names in via.items()}


def _targets(universe: Universe, request: str, found: list[solv.XSolvable]) -> list[int]:
    """Return all that fulfils a request as dnf counts: also what is installed, and what obsoletes it."""
    names = {package.name for package in found}
    _, _, version = request.partition("=")
    targets = {package.id for package in found}
    targets |= {
        row.package.id
        for row in universe.base
        if row.name in names and (not version or has_version(row.package, version))
    }
    if request in names:
        for package in found:
            matching = universe.pool.whatmatchessolvable(solv.SOLVABLE_OBSOLETES, package)
            targets |= {other.id for other in matching}
    return sorted(targets - set(universe.disabled))


def _choice(universe: Universe, package: solv.XSolvable, via: tuple[str, ...]) -> Choice:
    place = f"{universe.labels[package.repo.id]}: {package.name} {package.evr}"
    checksum = package.lookup_checksum(solv.SOLVABLE_CHECKSUM)
    location, _ = package.lookup_location()
    size = package.lookup_num(solv.SOLVABLE_DOWNLOADSIZE)
    if checksum is None or checksum.type != solv.REPOKEY_TYPE_SHA256:
        raise FetchError("the metadata states no sha256 for it", place=place)
    if package.lookup_str(solv.SOLVABLE_MEDIABASE):
        raise FetchError("its file has a base elsewhere, which is not followed", place=place)
    if not location or posixpath.isabs(location) or not size:
        raise FetchError("the metadata states no path below the repository, or no size", place=place)
    expected = f"{package.name}-{package.evr.partition(':')[2] or package.evr}.{package.arch}.rpm"
    if posixpath.basename(location) != expected:
        raise FetchError(f"the metadata calls its file {location[-80:]!a}, not {expected}", place=place)
    return Choice(
        name=package.name,
        version=package.evr,
        arch=package.arch,
        location=location,
        size=size,
        sha256=checksum.hex(),
        label=universe.labels[package.repo.id],
        via=via,
    )
