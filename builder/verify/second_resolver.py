"""Locks compared with what pip-tools chooses; the locked wheels' requirements explain each difference.

The two resolvers share no code, so what both choose does not rest on an error of one of them. Only names and
versions of Python distributions are compared, and only for targets like the running machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from builder.errors import BuilderError, FetchError, UsageError
from builder.lockfile import Finding, Lock, LockSection, Proof, PythonPackage, found, lock_full_pythons
from builder.model import (
    OpenMarkerError,
    admits,
    bare_requirement,
    counted,
    lenient_requirement,
    marker_environment,
    marker_holds,
    normalized_name,
)
from builder.recipe import EffectiveRecipe, PythonRequest, python_requests
from builder.resolve.python import RunningMachine, pip_tools_name, running_machine, solve_with_pip_tools
from builder.verify.closure import LockMetadata
from builder.verify.closures import ClosureQuestion, MetadataReader

if TYPE_CHECKING:
    from builder.index import IndexServices, WheelFacts

__all__ = ["SecondResolver", "explained_differences", "pip_tools", "second_resolver_proof"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondResolver:
    """A resolver that answers for one machine."""

    name: str
    machine: RunningMachine
    solve: Callable[[PythonRequest], Mapping[str, str]]
    """Returns versions by name; NoSolutionError, FetchError or ToolError where it gives none."""


def pip_tools(services: IndexServices) -> SecondResolver:
    """Return pip-tools on the running machine (ToolError if it is not installed)."""
    return SecondResolver(
        name=pip_tools_name(),
        machine=running_machine(),
        solve=partial(solve_with_pip_tools, services=services),
    )


def second_resolver_proof(
    questions: Sequence[ClosureQuestion],
    resolver: SecondResolver,
    *,
    read: MetadataReader,
    done: Callable[[str], None],
) -> Proof:
    """Compare each lock for a machine like the resolver's with the versions by name that it gives.

    A lock for another machine is named as not comparable; UsageError where all are. `read` returns the
    metadata of a lock's files, by which differences are explained. `done` is told of each lock.
    """
    machine = resolver.machine
    reasons = {one.name: machine.why_not(one.lock) for one in questions}
    if questions and all(reasons.values()):
        name, reason = next(iter(reasons.items()))
        raise UsageError(
            f"none of {counted(len(questions), 'lock')} is comparable here: {name} is for {reason}",
            place="--resolver pip-tools",
            hint="select a lock for this machine, or run it on a machine like the target",
        )
    findings: list[Finding] = []
    rows = equal = 0
    for question in questions:
        if reason := reasons[question.name]:
            findings.append(found("not-comparable", f"it is for {reason}", lock=question.name))
        else:
            differences, count = _lock_differences(question, resolver, read)
            findings += [one.in_lock(question.name) for one in differences]
            rows += count
            equal += not differences
        done(question.name)
    compared = sum(not reason for reason in reasons.values())
    says = (
        f"{counted(compared, 'lock')} of {len(questions)} compared with {resolver.name} on Python "
        f"{machine.python}, by name and version of {counted(rows, 'Python row')}, each environment "
        f"by itself: {equal} equal; "
        "OS packages were not compared"
    )
    facts = {"locks": len(questions), "compared": compared, "equal": equal, "rows": rows}
    return Proof(name="second-resolver", says=says, findings=tuple(findings), facts=facts)


def _second_solution(resolver: SecondResolver, request: PythonRequest) -> Mapping[str, str] | Finding:
    """Return the versions that the resolver gives, or why it gives none."""
    try:
        return resolver.solve(request)
    except FetchError as error:
        return found("unknown", f"pip-tools could not be asked: {error}", hint=error.hint)
    except BuilderError as error:
        return found("resolver-disagrees", f"{request.environment}: {error}", hint=error.hint)


def _lock_differences(
    question: ClosureQuestion, resolver: SecondResolver, read: MetadataReader
) -> tuple[list[Finding], int]:
    """Return the differences of one lock, and how many of its rows were compared."""
    if question.recipe is None:
        return [question.recipe_unknown()], 0
    findings: list[Finding] = []
    rows = 0
    for request in _environment_requests(question.recipe, question.lock):
        ours = {row.name: row for row in question.lock.python if request.environment in row.for_}
        theirs = _second_solution(resolver, request)
        if isinstance(theirs, Finding):
            findings.append(theirs)
            continue
        rows += len(ours)
        if {name: row.version for name, row in ours.items()} != dict(theirs):
            wheels = _wheels_of(question.lock, read)
            findings += [
                found(
                    "resolver-disagrees",
                    f"{request.environment}: {text}",
                    row=f"{LockSection.PYTHON} {name}",
                )
                for name, text in explained_differences(ours, theirs, request, resolver.machine, wheels)
            ]
    return findings, rows


def _environment_requests(recipe: EffectiveRecipe, lock: Lock) -> tuple[PythonRequest, ...]:
    asked = python_requests(recipe, preferences={}, upgrade=(), full_pythons=lock_full_pythons(lock))
    return tuple(request for request in asked if request.roots)


def _wheels_of(lock: Lock, read: MetadataReader) -> Mapping[str, WheelFacts] | None:
    answer = read(lock)
    return answer.wheels if isinstance(answer, LockMetadata) else None


def explained_differences(
    ours: Mapping[str, PythonPackage],
    theirs: Mapping[str, str],
    request: PythonRequest,
    machine: RunningMachine,
    wheels: Mapping[str, WheelFacts] | None,
) -> Iterator[tuple[str, str]]:
    """Yield each name at which rows differ from the second resolver's versions, and the difference in words.

    `wheels` is the metadata of the rows' files by SHA-256, None where it could not be read.
    """
    explanation = _DifferenceReason(ours, request, machine, wheels)
    for name in sorted({*ours, *theirs}):
        if name not in ours or ours[name].version != theirs.get(name):
            yield name, explanation.text(name, theirs.get(name, ""))


class _DifferenceReason:
    """Why a row differs, as far as the requirements of the locked wheels tell."""

    def __init__(
        self,
        rows: Mapping[str, PythonPackage],
        request: PythonRequest,
        machine: RunningMachine,
        wheels: Mapping[str, WheelFacts] | None,
    ) -> None:
        self._rows = rows
        self._request = request
        self._here = marker_environment(request.arch, request.python, machine.python)
        self._python_here = machine.python
        self._wheels = wheels

    def text(self, name: str, theirs: str) -> str:
        """Return the difference in `name` with its reason; `theirs` is empty where pip-tools lacks it."""
        ours = self._rows[name].version if name in self._rows else ""
        if not theirs:
            said = f"the lock has {ours}, pip-tools leaves it out"
        elif not ours:
            said = f"pip-tools adds {theirs}, the lock does not have it"
        else:
            said = f"the lock has {ours}, pip-tools chooses {theirs}"
        return f"{said}: {self._reason_text(name, ours, theirs)}"

    def _reason_text(self, name: str, ours: str, theirs: str) -> str:
        if self._wheels is None:
            return "why is not known, because the metadata of the locked wheels could not be read"
        needs = list(self._needs_of(name))
        patched = [
            who
            for who, need in needs
            if self._requirement_holds(who, need) != self._requirement_holds(who, need, here=True)
        ]
        if patched:
            locked, here = self._request.shown_python(), self._python_here
            return f"{', '.join(patched)} asks for it under a marker that tells Python {locked} from {here}"
        asking = [(who, need) for who, need in needs if self._requirement_holds(who, need)]
        shown = "; ".join(f"{who} requires {bare_requirement(need)}" for who, need in asking)
        if not asking:
            return "no locked wheel asks for it, so a wheel of another version that pip-tools chose does"
        against = [
            f"{who} requires {bare_requirement(n)}" for who, n in asking if not admits(n.specifier, theirs)
        ]
        if ours and theirs and against:
            return f"{'; '.join(against)} in the lock, which {theirs} is not"
        if ours and theirs:
            return f"both versions fit ({shown}): the resolvers chose in another order"
        return shown

    def _needs_of(self, name: str) -> Iterator[tuple[str, Requirement]]:
        """Yield who states a requirement of `name`, whatever its marker: the recipe, or a locked wheel."""
        stated = [("the recipe", (*self._request.roots, *self._request.constraints))]
        stated += [(item.name, item.requires) for item in self._request.given]
        wheels = self._wheels or {}
        stated += [
            (row.name, facts.requires)
            for row in self._rows.values()
            if (facts := wheels.get(str(row.sha256)))
        ]
        for who, texts in stated:
            for text in texts:
                try:
                    need = lenient_requirement(text)
                except InvalidRequirement:
                    continue
                if normalized_name(need) == name:
                    yield who, need

    def _requirement_holds(self, who: str, need: Requirement, *, here: bool = False) -> bool:
        row = self._rows.get(who)
        environment = self._here if here else self._request.markers()
        try:
            extras = ("", *row.extras) if row else ("",)
            return any(marker_holds(need.marker, environment, extra) for extra in extras)
        except OpenMarkerError:
            return not here  # a patch release decides, and the lock's is not known: named as that
