"""What must hold of a request before uv is asked, and of its solution afterwards.

Of the request: exact roots, fitting declared wheels, one index a name. Of the
solution: constraints kept (trap T2), and metadata that fits name and target (T14).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from builder.errors import NoSolutionError, RecipeError
from builder.index import parse_rfc3339
from builder.model import (
    Arch,
    admits,
    exact_version,
    glibc_floor,
    normalized_name,
    printable,
    recipe_requirement,
    target_tags,
    wheel_rank,
    wheel_tags,
)
from builder.recipe import PYPI
from builder.resolve.python.graph import recipe_marker_holds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.index import CandidateWheel, WheelFacts
    from builder.recipe import DeclaredWheel, PythonRequest
    from builder.resolve.python.graph import RequirementNode

__all__ = [
    "check_constraints",
    "check_wheel_metadata",
    "checked_request",
]


def checked_request(request: PythonRequest) -> PythonRequest:
    """Return `request` with distributions in place of the components that provide them.

    RecipeError when it cannot be right.
    """
    try:
        parse_rfc3339(request.exclude_newer)
    except ValueError:
        raise RecipeError(
            f"expected a time such as 2026-08-29T00:00:00Z, got {request.exclude_newer!r}",
            place="exclude-newer",
        ) from None
    for text in request.roots:
        _check_root(text)
    for item in request.given:
        _check_version(item.name, item.version)
    for declared in request.declared:
        _check_declared_file(declared, request)
    _check_indexes(request)
    return replace(
        request,
        roots=tuple(sorted(_renamed_requirement(text, request) for text in request.roots)),
        constraints=tuple(sorted(_renamed_requirement(text, request) for text in request.constraints)),
    )


def _check_root(text: str) -> None:
    root = recipe_requirement(text)
    if root.url is not None or not exact_version(root.specifier):
        raise RecipeError(
            "is not bound by `==`: the platform's glibc or architecture would silently choose its version",
            place=f"root {text!r}",
            hint=f"write {root.name}=={{version}}",
        )


def _check_version(name: str, version: str) -> None:
    try:
        Version(version)
    except InvalidVersion:
        raise RecipeError(f"{version!r} is not a version", place=name) from None


def _check_declared_file(item: DeclaredWheel, request: PythonRequest) -> None:
    """Refuse a declared wheel whose file name differs from the recipe or the target (T11)."""
    place = f"declared wheel {item.file}"
    try:
        name, version, _, _ = parse_wheel_filename(item.file)
    except InvalidWheelFilename as error:
        raise RecipeError(str(error), place=place) from None
    if name != canonicalize_name(item.name) or version != Version(item.version):
        raise RecipeError(f"the file is of {name} {version}, not of {item.name} {item.version}", place=place)
    if wheel_rank(item.file, target_tags(request.arch, request.glibc, request.python)) is None:
        raise RecipeError(f"does not fit {request.described()}", place=place, hint=_arch_hint(item, request))


def _arch_hint(item: DeclaredWheel, request: PythonRequest) -> str:
    tokens = {token for _, token in request.arch.tokens()} - {str(request.arch)}
    others = {str(arch) for arch in Arch} - {str(request.arch)}
    for tag in sorted(wheel_tags(item.file), key=str):
        floor = glibc_floor(tag.platform)
        arch = floor[1] if floor else tag.platform.removeprefix("linux_")
        if arch in tokens:
            return f"write {request.arch}, as wheel names do, not {arch}"
        if arch in others:
            return (
                f"give it `arch = {arch!r}`, and add another one for {request.arch}: it is a wheel for {arch}"
            )
    return "choose a file whose name has the target's Python, glibc and architecture"


def _check_indexes(request: PythonRequest) -> None:
    names = [index.name for index in request.indexes]
    for name in names:
        if name == PYPI or names.count(name) > 1:
            raise RecipeError("two indexes have this name", place=f"index {name!r}")
    owners: dict[str, str] = {}
    for index in request.indexes:
        for package in index.packages:
            other = owners.setdefault(str(canonicalize_name(package)), index.name)
            if other != index.name:
                raise RecipeError(
                    f"{package} is claimed by two indexes, {other} and {index.name}", place="indexes"
                )


def _renamed_requirement(text: str, request: PythonRequest) -> str:
    """Return a requirement with the distribution that a component provides in place of the component."""
    requirement = recipe_requirement(text)
    provides = request.aliases.get(requirement.name)
    if not provides or canonicalize_name(provides) == normalized_name(requirement):
        return text
    requirement.name = provides
    return str(requirement)


def check_wheel_metadata(
    request: PythonRequest, wheels: Mapping[str, CandidateWheel], facts: Mapping[str, WheelFacts]
) -> None:
    """Refuse a wheel whose metadata has another version than its name, or excludes the target (trap T14).

    uv judges the lower bound of `Requires-Python` only; pip refuses both at installation, and passes over
    a file that its index's page excludes.
    """
    for name, wheel in sorted(wheels.items()):
        _check_stated_version(wheel.file, facts[name])
        _check_requires_python(wheel.file, name, facts[name].requires_python, request)
        if wheel.page_python != facts[name].requires_python:
            _check_requires_python(wheel.file, name, wheel.page_python, request, by=" on the index's page")


def _check_stated_version(file: str, facts: WheelFacts) -> None:
    named = parse_wheel_filename(file)[1]
    try:
        agrees = Version(facts.version) == named
    except InvalidVersion:
        agrees = False
    if not agrees:
        raise NoSolutionError(
            f"{file} is version {named} by its name and {printable(facts.version)} by its METADATA: "
            "pip and uv refuse to install it",
            hint=f"choose another version of {facts.name}",
        )


def _check_requires_python(
    file: str, name: str, stated: str, request: PythonRequest, *, by: str = ""
) -> None:
    try:
        specifier = SpecifierSet(stated)
    except InvalidSpecifier:
        return  # pip counts it as met, too: old metadata holds what the standard no longer knows
    fits = {specifier.contains(python, prereleases=True) for python in request.possible_pythons()}
    if fits == {True}:
        return
    said = f"{file} has Requires-Python {stated}{by}"
    hint = f"choose another version of {name}, or a platform with a Python that it admits"
    if fits == {False}:
        raise NoSolutionError(f"{said}, and the target has Python {request.shown_python()}", hint=hint)
    raise NoSolutionError(
        f"{said}, and which {request.python}.x the target has is not known, which decides it", hint=hint
    )


def check_constraints(request: PythonRequest, nodes: Mapping[str, RequirementNode]) -> None:
    """Refuse a solution in which a version left its constraint (trap T2)."""
    for text in request.constraints:
        requirement = recipe_requirement(text)
        node = nodes.get(normalized_name(requirement))
        if not recipe_marker_holds(text, request.markers()):
            continue
        if node is not None and not admits(requirement.specifier, node.version):
            raise NoSolutionError(f"the recipe binds {text}, and the solution has {node.name} {node.version}")
