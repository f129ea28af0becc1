"""Resolve one environment of one target: the request is checked, uv asked, its answer proved and placed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.errors import ToolError
from builder.index import hashed, read_facts
from builder.recipe import DeclaredWheel, StandIn
from builder.resolve.python.checks import check_accelerator, check_constraints, check_toolkit, checked
from builder.resolve.python.evidence import evidence_of
from builder.resolve.python.graph import Node, walk
from builder.resolve.python.rows import built_row, choose, declared_row, provided, wheel_row
from builder.resolve.python.standin import stand_in_node
from builder.resolve.python.uv import UnsolvedError, compile_requirements

if TYPE_CHECKING:
    from builder.index import Facts, Services
    from builder.lockfile import PythonPackage
    from builder.recipe import PythonRequest
    from builder.resolve.python.graph import Asked
    from builder.resolve.python.uv import Listed

__all__ = ["resolve_python"]


def resolve_python(request: PythonRequest, services: Services) -> tuple[PythonPackage, ...]:
    """Return the rows of `request`, sorted by name and version; may run in several threads at once.

    RecipeError for a request that cannot be right, NoSolutionError (traps T1
    to T5, T10) with both sides named, FetchError or ToolError when index or uv fail.
    """
    request = checked(request)
    try:
        listed = compile_requirements(request, services)
    except UnsolvedError as error:
        from builder.resolve.python.diagnose import explain  # noqa: PLC0415 - seldom needed, slow to load

        raise explain(request, services, str(error)) from None
    given = {item.name: found for item in listed if (found := provided(item, request))}
    chosen = {item.name: choose(item, request) for item in listed if item.name not in given}
    wheels = {name: hashed(wheel, services) for name, wheel in chosen.items()}
    facts = read_facts(wheels.items(), services)
    nodes = {item.name: _solution_node(item, given, facts) for item in listed}
    asked = walk(request, nodes)
    check_constraints(request, nodes)
    check_accelerator(request, nodes, {name: wheel.file for name, wheel in wheels.items()})
    check_toolkit(request, nodes)
    evidence = evidence_of(wheels, request, services)
    rows = []
    for item in listed:
        if item.name not in asked:
            raise ToolError(f"gave {item.name} {item.version}, which no chosen wheel asks for", place="uv")
        how = asked[item.name]
        if item.name in given:
            rows += _given_rows(given[item.name], how, request)
            continue
        rows.append(
            wheel_row(
                item,
                wheels[item.name],
                facts=facts[item.name],
                asked=how,
                evidence=evidence[item.name],
                request=request,
            )
        )
    return tuple(sorted(rows, key=lambda row: (row.name, row.version)))


def _solution_node(
    listed: Listed, given: dict[str, StandIn | DeclaredWheel], facts: dict[str, Facts]
) -> Node:
    if listed.name in given:
        return stand_in_node(given[listed.name])
    found = facts[listed.name]
    return Node(name=listed.name, version=listed.version, requires=found.requires, extras=found.extras)


def _given_rows(item: StandIn | DeclaredWheel, asked: Asked, request: PythonRequest) -> list[PythonPackage]:
    if isinstance(item, DeclaredWheel):
        return [declared_row(item, asked, request)]
    return [built_row(item, asked, request)] if item.build else []
