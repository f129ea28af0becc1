"""What apt would install for a request, on top of what is there, and why each package.

The rules are those of apt 2.6 and 3.0 with their default solver, without
recommended packages, every index at the same priority: requests are marked
(`mark_install`), what that breaks is fixed (`problem_resolver`), and what is no
longer needed is dropped (`autoremove`). apt's own answer is the oracle:
scripts/oracles/compare-with-apt.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from builder.errors import NoSolutionError
from builder.lockfile import RECIPE, REQUIRED
from builder.resolve.debian.depcache import DepCache, PackageMode, auto_remove
from builder.resolve.debian.inventory import installed_stanzas
from builder.resolve.debian.mark_install import InstallMarker
from builder.resolve.debian.no_solution import no_removal, no_solution
from builder.resolve.debian.problem_resolver import resolve_problems
from builder.resolve.os import PackageChoice, PackagePlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from builder.resolve.debian.index import Stanza
    from builder.resolve.debian.inventory import InstalledDeb
    from builder.resolve.debian.universe import Universe

__all__ = ["base_set", "plan", "resolve"]


def resolve(
    universe: Universe, installed: Iterable[InstalledDeb], requests: Iterable[str]
) -> tuple[PackageChoice, ...]:
    """Return what must be installed for `requests` (names, or name=version), sorted by name.

    Requests are handled in the order given, which can matter, as on apt's
    command line. Raises NoSolutionError when a request is unknown, when
    requests exclude each other, and when an installed package would have to
    go: a base image only grows.
    """
    depcache, names = _solved_depcache(universe, installed_stanzas(universe, installed), tuple(requests))
    removals = _removed_packages(depcache)
    if removals:
        raise no_removal(depcache, removals)
    return _package_choices(depcache, names)


def plan(universe: Universe, installed: Iterable[InstalledDeb], requests: Iterable[str]) -> PackagePlan:
    """Return what apt would do for `requests`, removals included; errors as for `resolve`."""
    depcache, names = _solved_depcache(universe, installed_stanzas(universe, installed), tuple(requests))
    return PackagePlan(
        choices=_package_choices(depcache, names),
        removals=tuple((stanza.name, stanza.version) for stanza in _removed_packages(depcache)),
    )


def base_set(universe: Universe, extra: Sequence[str] = ("apt",)) -> tuple[PackageChoice, ...]:
    """Return the packages of a base of our own: essential, required, `extra`, and their closure.

    `because` is `recipe` for `extra` and `required` for what the distribution asks for.
    """
    requested = {name.partition("=")[0] for name in extra}
    chosen = [
        name
        for name, versions in universe.versions.items()
        if versions[0].essential or versions[0].priority == "required"
    ]
    return tuple(
        replace(choice, because=(REQUIRED,))
        if choice.because == (RECIPE,) and choice.name not in requested
        else choice
        for choice in resolve(universe, (), (*sorted(chosen), *extra))
    )


def _solved_depcache(
    universe: Universe, current: Mapping[str, Stanza], requests: tuple[str, ...]
) -> tuple[DepCache, list[str]]:
    depcache = DepCache(universe, current)
    # apt reads its whole command line before it marks anything.
    names = list(dict.fromkeys([_requested_version(depcache, request).name for request in requests]))
    marker = InstallMarker(depcache)
    for name in names:
        depcache.protected.add(name)
        marker.install(name, follow=False, user=True)
    for name in names:
        marker.install(name, follow=True, user=True)
    if not resolve_problems(marker, frozenset(names)):
        fresh = DepCache(universe, current)
        for request in requests:
            _requested_version(fresh, request)
        raise no_solution(fresh, depcache, names)
    auto_remove(depcache)
    return depcache, names


def _requested_version(depcache: DepCache, request: str) -> Stanza:
    """Return the version that a request means, and make it the candidate."""
    name, _, version = request.partition("=")
    name = name.removesuffix(":native").removesuffix(f":{depcache.universe.arch}")
    if version:
        stanza = depcache.universe.find(name, version) or _installed_version(depcache, name, version)
        if stanza is None:
            raise _unknown_package_error(depcache, name, version)
        depcache.set_candidate(stanza)
        return stanza
    return depcache.candidate(name) or _only_provider(depcache, name)


def _installed_version(depcache: DepCache, name: str, version: str) -> Stanza | None:
    current = depcache.current.get(name)
    return current if current is not None and current.version == version else None


def _only_provider(depcache: DepCache, name: str) -> Stanza:
    """Return the package behind a virtual name, if there is exactly one."""
    found = {
        s.name: s for s, _ in depcache.universe.providers.get(name, ()) if depcache.candidate(s.name) is s
    }
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise NoSolutionError(
            f"package {name} is virtual, provided by {', '.join(sorted(found))}", hint="ask for one of them"
        )
    raise _unknown_package_error(depcache, name, "")


def _unknown_package_error(depcache: DepCache, name: str, version: str) -> NoSolutionError:
    have = ", ".join(s.version for s in depcache.universe.versions.get(name, ()))
    if have:
        return NoSolutionError(
            f"package {name} has no version {version}; the indices have {have}", hint="ask for one of these"
        )
    return NoSolutionError(
        f"no index has a package {name} for {depcache.universe.arch}",
        hint="check the spelling, and that its suite and component are among the platform's",
    )


def _package_choices(depcache: DepCache, requested: list[str]) -> tuple[PackageChoice, ...]:
    because = _install_reasons(depcache, requested)
    names = sorted(name for name in depcache.names() if depcache.mode(name) is PackageMode.INSTALL)
    return tuple(
        _package_choice(depcache, stanza, because[name])
        for name in names
        if (stanza := depcache.chosen(name)) is not None
    )


def _removed_packages(depcache: DepCache) -> list[Stanza]:
    return [
        depcache.current[name]
        for name in sorted(depcache.current)
        if depcache.mode(name) is PackageMode.DELETE
    ]


def _package_choice(depcache: DepCache, stanza: Stanza, because: str) -> PackageChoice:
    return PackageChoice(
        name=stanza.name,
        version=stanza.version,
        arch=stanza.arch,
        filename=stanza.filename,
        size=stanza.size,
        sha256=stanza.sha256,
        index=depcache.universe.label(stanza),
        because=(because or RECIPE,),
        needs=tuple(
            sorted({name for name in _dependency_targets(depcache, stanza.name) if name != stanza.name})
        ),
    )


# Why each package is there.


def _install_reasons(depcache: DepCache, requested: Iterable[str]) -> dict[str, str]:
    """Return, for each package to install, the package it is there for; empty for a request.

    It is the nearest one to the requests. What no dependency reaches is an
    upgrade, for whoever does not stand the installed version, or failing
    that for a package of the same source.
    """
    new = {name for name in depcache.names() if depcache.mode(name) is PackageMode.INSTALL}
    found = dict.fromkeys(requested, "")
    pending = list(found)
    while pending or new - found.keys():
        if not pending:
            name = min(new - found.keys())
            found[name] = _upgrade_reason(depcache, name, sorted(found.keys() & new))
            pending.append(name)
        owner = pending.pop(0)
        for target in _dependency_targets(depcache, owner):
            if target in new and target not in found:
                found[target] = owner
                pending.append(target)
    return found


def _dependency_targets(depcache: DepCache, owner: str) -> Iterator[str]:
    """Yield the packages of the answer, new or installed, that meet a dependency of `owner`; some twice."""
    for stanza, clause in depcache.clauses_of(depcache.chosen(owner)):
        for relation in () if clause.negative else clause.alternatives:
            for target in depcache.targets(stanza, clause, relation):
                if depcache.chosen(target.name) is target:
                    yield target.name


def _upgrade_reason(depcache: DepCache, name: str, others: list[str]) -> str:
    old = depcache.current.get(name)
    for other in others if old is not None else ():
        stanza = depcache.chosen(other)
        if (
            stanza is not None
            and old is not None
            and (_excludes_version(depcache, stanza, old) or _breaks_dependency_of(depcache, stanza, old))
        ):
            return other
    source = (new := depcache.chosen(name)) is not None and new.source
    return next((o for o in others if (s := depcache.chosen(o)) is not None and s.source == source), "")


def _excludes_version(depcache: DepCache, stanza: Stanza, old: Stanza) -> bool:
    return any(
        clause.negative and old in depcache.targets(stanza, clause, clause.alternatives[0])
        for clause in depcache.clauses(stanza)
    )


def _breaks_dependency_of(depcache: DepCache, stanza: Stanza, old: Stanza) -> bool:
    """Say whether the installed version `old` needed what `stanza` replaces."""
    return any(
        not clause.negative
        and not depcache.met(old, clause)
        and any(relation.target == stanza.name for relation in clause.alternatives)
        for clause in depcache.clauses(old)
    )
