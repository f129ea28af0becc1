"""What dnf would install for a request, on top of what is there.

The flags are those that dnf 4 gives libsolv, with `best` and without weak
dependencies. dnf's own answer is the oracle: scripts/oracles/compare-with-dnf.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping

import solv

from builder.errors import FetchError, NoSolutionError
from builder.lockfile import RECIPE
from builder.resolve.os import PackageChoice, PackagePlan
from builder.resolve.rpm.inventory import has_version
from builder.resolve.rpm.no_solution import no_solution, unknown
from builder.resolve.rpm.universe import Universe

__all__ = ["plan", "resolve"]

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


def resolve(universe: Universe, requests: Iterable[str]) -> tuple[PackageChoice, ...]:
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


def plan(universe: Universe, requests: Iterable[str]) -> PackagePlan:
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


def _solved(universe: Universe, asked: Mapping[str, list[solv.XSolvable]]) -> PackagePlan:
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
    requested = {package.id for found in asked.values() for package in found}
    choices = _package_choices(universe, new, requested)
    return PackagePlan(choices=choices, removals=tuple(sorted(gone)))


def _package_choices(
    universe: Universe, new: list[solv.XSolvable], requested: set[int]
) -> tuple[PackageChoice, ...]:
    """Return the packages of a transaction, each with what it needs of the others and who asks for it."""
    names = {package.id: package.name for package in new}
    needs = {package.id: _providers(universe, package, names) for package in new}
    needed = set().union(*needs.values())
    # What nothing requires and nobody requests is an upgrade, without which the requested would not fit.
    sake = tuple(sorted({package.name for package in new if package.id in requested}))
    because = {
        package.id: (RECIPE,) if package.id in requested else () if package.name in needed else sake
        for package in new
    }
    return tuple(
        _package_choice(
            universe, package, needs=tuple(sorted(needs[package.id])), because=because[package.id]
        )
        for package in new
    )


def _providers(universe: Universe, package: solv.XSolvable, names: Mapping[int, str]) -> set[str]:
    """Return which of `names` (packages by id) provide what `package` requires; never itself."""
    found = {
        provider.id
        for dependency in package.lookup_deparray(solv.SOLVABLE_REQUIRES, 0)
        for provider in universe.pool.whatprovides(dependency)
    }
    return {names[id_] for id_ in found & names.keys() - {package.id}}


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


def _package_choice(
    universe: Universe, package: solv.XSolvable, *, needs: tuple[str, ...], because: tuple[str, ...]
) -> PackageChoice:
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
    return PackageChoice(
        name=package.name,
        version=package.evr,
        arch=package.arch,
        filename=location,
        size=size,
        sha256=checksum.hex(),
        index=universe.labels[package.repo.id],
        needs=needs,
        because=because,
    )
