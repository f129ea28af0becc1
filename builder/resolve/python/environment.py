"""Resolve one environment of one target: the request is checked, uv asked, its answer proved and placed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from builder.errors import ToolError
from builder.index import VersionPage, digest_folder, read_wheel_facts, with_sha256, with_stated_files
from builder.recipe import DeclaredWheel, StandIn
from builder.resolve.python.checks import check_constraints, check_wheel_metadata, checked_request
from builder.resolve.python.graph import RequirementNode, walk_requirements
from builder.resolve.python.rows import (
    built_row,
    choose_wheel,
    declared_row,
    given_item,
    split_file_url,
    wheel_row,
)
from builder.resolve.python.stand_in_wheels import stand_in_node
from builder.resolve.python.uv import UnsolvedError, compile_requirements

if TYPE_CHECKING:
    from builder.index import CandidateWheel, IndexServices, WheelFacts
    from builder.lockfile import PythonPackage
    from builder.recipe import PythonRequest
    from builder.resolve.python.graph import DistributionDemand
    from builder.resolve.python.uv import SolvedDistribution

__all__ = ["resolve_python"]


def resolve_python(request: PythonRequest, services: IndexServices) -> tuple[PythonPackage, ...]:
    """Return the rows of `request`, sorted by name and version; may run in several threads at once.

    RecipeError for a request that cannot be right, NoSolutionError (traps T1
    to T5, T10) with both sides named, FetchError or ToolError when index or uv fail.
    """
    request = checked_request(request)
    try:
        listed = compile_requirements(request, services)
    except UnsolvedError as error:
        from builder.resolve.python.no_solution import explain_no_solution  # noqa: PLC0415 - seldom needed, slow to load

        raise explain_no_solution(request, services, str(error)) from None
    given = {item.name: found for item in listed if (found := given_item(item, request))}
    published = [item for item in listed if item.name not in given]
    described = with_stated_files((_version_page(item, request, services) for item in published), services)
    chosen = {
        item.name: choose_wheel(replace(item, wheels=files), request)
        for item, files in zip(published, described, strict=True)
    }
    wheels = {name: with_sha256(wheel, services) for name, wheel in chosen.items()}
    facts = read_wheel_facts(wheels.items(), services)
    folders = {name: _folder_below_origin(name, wheel, request, services) for name, wheel in wheels.items()}
    nodes = {item.name: _solution_node(item, given, facts) for item in listed}
    check_wheel_metadata(request, wheels, facts)
    asked = walk_requirements(request, nodes)
    check_constraints(request, nodes)
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
                folder=folders[item.name],
                asked=how,
                request=request,
            )
        )
    return tuple(sorted(rows, key=lambda row: (row.name, row.version)))


def _version_page(listed: SolvedDistribution, request: PythonRequest, services: IndexServices) -> VersionPage:
    index = request.index_of(listed.name)
    return VersionPage(
        index_url=index.url if index else services.index_url,
        name=listed.name,
        version=listed.version,
        wheels=listed.wheels,
    )


def _folder_below_origin(
    name: str, wheel: CandidateWheel, request: PythonRequest, services: IndexServices
) -> str:
    """Return the folder of a wheel below its origin, whatever folder the mirror that answered has it in."""
    folder = split_file_url(wheel.url)[1]
    index = request.index_of(name)
    if len(services.client.places_of(index.url if index else services.index_url)) == 1:
        return folder
    return "" if index else folder or digest_folder(wheel, services)


def _solution_node(
    listed: SolvedDistribution, given: dict[str, StandIn | DeclaredWheel], facts: dict[str, WheelFacts]
) -> RequirementNode:
    if listed.name in given:
        return stand_in_node(given[listed.name])
    found = facts[listed.name]
    return RequirementNode(
        name=listed.name, version=listed.version, requires=found.requires, extras=found.extras
    )


def _given_rows(
    item: StandIn | DeclaredWheel, asked: DistributionDemand, request: PythonRequest
) -> list[PythonPackage]:
    if isinstance(item, DeclaredWheel):
        return [declared_row(item, asked, request)]
    return [built_row(item, asked, request)] if item.build else []
