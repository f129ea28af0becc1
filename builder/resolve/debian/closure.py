"""What apt would install for a request, on top of what is there.

The rules are those of apt 2.6 and 3.0 with their default solver, without
recommended packages, every index at the same priority. apt's own answer is
the oracle: scripts/oracles/compare-with-apt.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from builder.errors import NoSolutionError
from builder.lockfile import RECIPE, REQUIRED
from builder.resolve.debian.autoremove import sweep
from builder.resolve.debian.inventory import installed_stanzas
from builder.resolve.debian.mark import Marker
from builder.resolve.debian.no_solution import no_removal, no_solution
from builder.resolve.debian.reason import needs, reasons
from builder.resolve.debian.repair import repair
from builder.resolve.debian.state import Mode, State
from builder.resolve.os import PackageChoice, PackagePlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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
    state, names = _solved(universe, installed_stanzas(universe, installed), tuple(requests))
    removals = _removals(state)
    if removals:
        raise no_removal(state, removals)
    return _choices(state, names)


def plan(universe: Universe, installed: Iterable[InstalledDeb], requests: Iterable[str]) -> PackagePlan:
    """Return what apt would do for `requests`, removals included; errors as for `resolve`."""
    state, names = _solved(universe, installed_stanzas(universe, installed), tuple(requests))
    return PackagePlan(
        choices=_choices(state, names),
        removals=tuple((stanza.name, stanza.version) for stanza in _removals(state)),
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


def _solved(
    universe: Universe, current: Mapping[str, Stanza], requests: tuple[str, ...]
) -> tuple[State, list[str]]:
    state = State(universe, current)
    # apt reads its whole command line before it marks anything.
    names = list(dict.fromkeys([_requested(state, request).name for request in requests]))
    marker = Marker(state)
    for name in names:
        state.protected.add(name)
        marker.install(name, follow=False, user=True)
    for name in names:
        marker.install(name, follow=True, user=True)
    if not repair(marker, frozenset(names)):
        fresh = State(universe, current)
        for request in requests:
            _requested(fresh, request)
        raise no_solution(fresh, state, names)
    sweep(state)
    return state, names


def _requested(state: State, request: str) -> Stanza:
    """Return the version that a request means, and make it the candidate."""
    name, _, version = request.partition("=")
    name = name.removesuffix(":native").removesuffix(f":{state.universe.arch}")
    if version:
        stanza = state.universe.find(name, version) or _current(state, name, version)
        if stanza is None:
            raise _unknown(state, name, version)
        state.set_candidate(stanza)
        return stanza
    return state.candidate(name) or _only_provider(state, name)


def _current(state: State, name: str, version: str) -> Stanza | None:
    current = state.current.get(name)
    return current if current is not None and current.version == version else None


def _only_provider(state: State, name: str) -> Stanza:
    """Return the package behind a virtual name, if there is exactly one."""
    found = {s.name: s for s, _ in state.universe.providers.get(name, ()) if state.candidate(s.name) is s}
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise NoSolutionError(
            f"package {name} is virtual, provided by {', '.join(sorted(found))}", hint="ask for one of them"
        )
    raise _unknown(state, name, "")


def _unknown(state: State, name: str, version: str) -> NoSolutionError:
    have = ", ".join(s.version for s in state.universe.versions.get(name, ()))
    if have:
        return NoSolutionError(
            f"package {name} has no version {version}; the indices have {have}", hint="ask for one of these"
        )
    return NoSolutionError(
        f"no index has a package {name} for {state.universe.arch}",
        hint="check the spelling, and that its suite and component are among the platform's",
    )


def _choices(state: State, requested: list[str]) -> tuple[PackageChoice, ...]:
    because = reasons(state, requested)
    names = sorted(name for name in state.names() if state.mode(name) is Mode.INSTALL)
    return tuple(
        _choice(state, stanza, because[name]) for name in names if (stanza := state.chosen(name)) is not None
    )


def _removals(state: State) -> list[Stanza]:
    return [state.current[name] for name in sorted(state.current) if state.mode(name) is Mode.DELETE]


def _choice(state: State, stanza: Stanza, because: str) -> PackageChoice:
    return PackageChoice(
        name=stanza.name,
        version=stanza.version,
        arch=stanza.arch,
        filename=stanza.filename,
        size=stanza.size,
        sha256=stanza.sha256,
        index=state.universe.label(stanza),
        because=(because or RECIPE,),
        needs=tuple(sorted({name for name in needs(state, stanza.name) if name != stanza.name})),
    )
