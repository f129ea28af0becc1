"""What dnf would install for a request, on top of what is there.

How it works: each request becomes one libsolv job, "install one of" all that
fulfils it (SOLVER_SOLVABLE_ONE_OF), as dnf's goal makes it. libsolv turns jobs,
dependencies and conflicts into rules, and solves them by unit propagation with
learning; its policies prefer what is installed, the best version and the lower
priority number. The transaction it returns is the answer, its problem rules the
explanation. The flags are those that dnf 4 gives libsolv, with `best` and
without weak dependencies. dnf's own answer is the oracle:
scripts/oracles/compare-with-dnf.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping

from builder.errors import FetchError, NoSolutionError
from builder.lockfile import RECIPE
from builder.resolve.os import PackageChoice, PackagePlan
from builder.resolve.rpm.inventory import has_version
from builder.resolve.rpm.libsolv import solv
from builder.resolve.rpm.no_solution import no_solution, unknown_package
from builder.resolve.rpm.pool import RpmPool

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


def resolve(rpm_pool: RpmPool, requests: Iterable[str]) -> tuple[PackageChoice, ...]:
    """Return what must be installed for `requests`, sorted by name.

    A request is a name, `name=version`, or a capability such as
    `pkgconfig(zlib)`. Raises NoSolutionError when one is unknown_package, when they
    exclude each other, and when an installed package would have to go.
    """
    found = plan(rpm_pool, requests)
    if found.removals:
        gone = ", ".join(f"{name} {version}" for name, version in found.removals)
        raise NoSolutionError(
            f"{gone} of the base image would be replaced by other packages",
            hint="choose a base image without it, or ask for other packages: a base image only grows",
        )
    return found.choices


def plan(rpm_pool: RpmPool, requests: Iterable[str]) -> PackagePlan:
    """Return what dnf would do for `requests`, removals included; errors as for `resolve`."""
    with rpm_pool.mutex:
        asked = {request: _requested_candidates(rpm_pool, request) for request in requests}
        start = [package for found in asked.values() for package in found]
        if rpm_pool.needs_files([*start, *(row.origin for row in rpm_pool.base if row.origin is not None)]):
            rpm_pool.complete()
        return _solved_plan(rpm_pool, asked)


def _requested_candidates(rpm_pool: RpmPool, request: str) -> list[solv.XSolvable]:
    """Return the candidates that a request means; NoSolutionError without one."""
    name, _, version = request.partition("=")
    found = rpm_pool.named(name) or ([] if version else rpm_pool.providing(request))
    if version:
        found = [package for package in found if has_version(package, version)]
    if not found:
        raise unknown_package(rpm_pool, name, version)
    return found


def _solved_plan(rpm_pool: RpmPool, asked: Mapping[str, list[solv.XSolvable]]) -> PackagePlan:
    pool = rpm_pool.pool
    jobs = [
        pool.Job(_INSTALL, pool.towhatprovides(_install_targets(rpm_pool, *item))) for item in asked.items()
    ]
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
    choices = _package_choices(rpm_pool, new, requested)
    return PackagePlan(choices=choices, removals=tuple(sorted(gone)))


def _package_choices(
    rpm_pool: RpmPool, new: list[solv.XSolvable], requested: set[int]
) -> tuple[PackageChoice, ...]:
    """Return the packages of a transaction, each with what it needs of the others and who asks for it."""
    names = {package.id: package.name for package in new}
    needs = {package.id: _provider_names(rpm_pool, package, names) for package in new}
    needed = set().union(*needs.values())
    # What nothing requires and nobody requests is an upgrade, without which the requested would not fit.
    sake = tuple(sorted({package.name for package in new if package.id in requested}))
    because = {
        package.id: (RECIPE,) if package.id in requested else () if package.name in needed else sake
        for package in new
    }
    return tuple(
        _package_choice(
            rpm_pool, package, needs=tuple(sorted(needs[package.id])), because=because[package.id]
        )
        for package in new
    )


def _provider_names(rpm_pool: RpmPool, package: solv.XSolvable, names: Mapping[int, str]) -> set[str]:
    """Return which of `names` (packages by id) provide what `package` requires; never itself."""
    found = {
        provider.id
        for dependency in package.lookup_deparray(solv.SOLVABLE_REQUIRES, 0)
        for provider in rpm_pool.pool.whatprovides(dependency)
    }
    return {names[id_] for id_ in found & names.keys() - {package.id}}


def _install_targets(rpm_pool: RpmPool, request: str, found: list[solv.XSolvable]) -> list[int]:
    """Return the ids of all that fulfils a request as dnf counts: also what is installed or obsoletes it."""
    names = {package.name for package in found}
    _, _, version = request.partition("=")
    targets = {package.id for package in found}
    targets |= {
        row.package.id
        for row in rpm_pool.base
        if row.name in names and (not version or has_version(row.package, version))
    }
    if request in names:
        for package in found:
            matching = rpm_pool.pool.whatmatchessolvable(solv.SOLVABLE_OBSOLETES, package)
            targets |= {other.id for other in matching}
    return sorted(targets - set(rpm_pool.disabled))


def _package_choice(
    rpm_pool: RpmPool, package: solv.XSolvable, *, needs: tuple[str, ...], because: tuple[str, ...]
) -> PackageChoice:
    place = f"{rpm_pool.labels[package.repo.id]}: {package.name} {package.evr}"
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
        index=rpm_pool.labels[package.repo.id],
        needs=needs,
        because=because,
    )
