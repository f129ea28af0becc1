"""What a base image has installed, as packages with relations.

An inventory is a published list: names and versions. A package that the
repositories still have is taken from them. The relations of one that they
have no more are estimated from its newest version (see `_estimate_requires`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from builder.errors import RecipeError
from builder.resolve.rpm.libsolv import solv

__all__ = ["InstalledRpm", "has_version", "provide_files", "relate", "reserve"]

_KEY = "gpg-pubkey"  # rpm lists each imported key as a package of this name
_RELATIONS = (
    solv.SOLVABLE_REQUIRES,
    solv.SOLVABLE_CONFLICTS,
    solv.SOLVABLE_OBSOLETES,
    # Weak ones install nothing, but where several packages would do, libsolv prefers those that they name.
    solv.SOLVABLE_RECOMMENDS,
    solv.SOLVABLE_SUGGESTS,
    solv.SOLVABLE_SUPPLEMENTS,
    solv.SOLVABLE_ENHANCES,
)


@dataclass(slots=True, kw_only=True)
class InstalledRpm:
    """One row of an inventory, the package made of it, and the one that its relations are taken from."""

    name: str
    version: str
    package: solv.XSolvable
    origin: solv.XSolvable | None = None
    exact: bool = False
    """Whether `origin` is the very version that is installed."""


def reserve(repo: solv.Repo, inventory: Iterable[str], arch: str) -> tuple[InstalledRpm, ...]:
    """Make the packages of `inventory`, lines `name=version`; RecipeError for a name twice."""
    found: dict[str, InstalledRpm] = {}
    for line in inventory:
        name, _, version = line.partition("=")
        if name == _KEY:
            continue
        if name in found:
            raise RecipeError(f"the base's inventory lists {name} twice", hint="read the inventory again")
        package = repo.add_solvable()
        package.name, package.evr, package.arch = name, version, arch
        found[name] = InstalledRpm(name=name, version=version, package=package)
    return tuple(found.values())


def has_version(package: solv.XSolvable, version: str) -> bool:
    """Say whether a package is of `version`; one without an epoch means any, as people leave epochs out."""
    bare = package.evr.partition(":")[2] or package.evr
    return version.removeprefix("0:").removeprefix("(none):") in {package.evr, bare}


def relate(
    pool: solv.Pool, base: Iterable[InstalledRpm], named: Callable[[str], list[solv.XSolvable]]
) -> None:
    """Give every package of `base` its relations; `named` returns the candidates of a name, newest first."""
    rows = tuple(base)
    for row in rows:
        _find_origin(row, named(row.name))
        _add_provides(pool, row)
    pool.createwhatprovides()
    for row in rows:
        if row.exact and row.origin is not None:
            for kind in _RELATIONS:
                for dependency in row.origin.lookup_deparray(kind, 0):
                    row.package.add_deparray(kind, dependency)
        else:
            _estimate_requires(pool, row)


def provide_files(base: Iterable[InstalledRpm]) -> None:
    """Let every package of `base` provide the files that others ask for, once file lists are read."""
    for row in base:
        known = {str(dependency) for dependency in row.package.lookup_deparray(solv.SOLVABLE_PROVIDES, 0)}
        listed = row.origin.lookup_deparray(solv.SOLVABLE_PROVIDES, 0) if row.origin is not None else ()
        for dependency in listed:
            if str(dependency).startswith("/") and str(dependency) not in known:
                row.package.add_deparray(solv.SOLVABLE_PROVIDES, dependency)


def _find_origin(row: InstalledRpm, candidates: list[solv.XSolvable]) -> None:
    same = [package for package in candidates if package.evr == row.version]
    same = same or [package for package in candidates if has_version(package, row.version)]
    row.origin = next(iter(same or candidates), None)
    row.exact = bool(same)
    if row.origin is not None:
        row.package.arch, row.package.vendor = row.origin.arch, row.origin.vendor
    if row.exact and row.origin is not None:
        row.version = row.package.evr = row.origin.evr


def _add_provides(pool: solv.Pool, row: InstalledRpm) -> None:
    if row.origin is None:
        row.package.add_deparray(solv.SOLVABLE_PROVIDES, _equal_dependency(pool, row.name, row.version))
        return
    for dependency in row.origin.lookup_deparray(solv.SOLVABLE_PROVIDES, 0):
        row.package.add_deparray(solv.SOLVABLE_PROVIDES, _rebased_dependency(pool, dependency, row))


def _estimate_requires(pool: solv.Pool, row: InstalledRpm) -> None:
    """Guess what an installed version requires that no repository has any more.

    The newest version's requirements are the best evidence there is. What it
    demands in its own version the installed one demanded in its own; whatever
    else the inventory does not satisfy cannot have been demanded.
    """
    for dependency in row.origin.lookup_deparray(solv.SOLVABLE_REQUIRES, 0) if row.origin is not None else ():
        rebased = _rebased_dependency(pool, dependency, row)
        if any(provider.isinstalled() for provider in pool.whatprovides(rebased)):
            row.package.add_deparray(solv.SOLVABLE_REQUIRES, rebased)


def _rebased_dependency(pool: solv.Pool, dependency: solv.Dep, row: InstalledRpm) -> solv.Dep:
    """Return `name = VERSION` in the installed version where it is in the newest one's own."""
    name, found, version = str(dependency).partition(" = ")
    if not row.exact and found and row.origin is not None and version == row.origin.evr:
        return _equal_dependency(pool, name, row.version)
    return dependency


def _equal_dependency(pool: solv.Pool, name: str, version: str) -> solv.Dep:
    return pool.Dep(name).Rel(solv.REL_EQ, pool.Dep(version))
