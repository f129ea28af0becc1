"""What must hold of a request before uv is asked, and of its solution afterwards.

Of the request: exact roots, fitting declared wheels, one index a name. Of the
solution: constraints kept (trap T2), and one CUDA throughout (trap T3).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from builder.errors import NoSolutionError, RecipeError
from builder.index import parse_rfc3339
from builder.lockfile import RUNTIME
from builder.model import (
    Arch,
    admits,
    exact_version,
    glibc_floor,
    marker_environment,
    normalized_name,
    printable,
    recipe_requirement,
    target_tags,
    wheel_rank,
    wheel_tags,
)
from builder.recipe import PYPI
from builder.resolve.python.graph import active_requirements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.requirements import Requirement

    from builder.index import CandidateWheel, WheelFacts
    from builder.recipe import DeclaredWheel, PythonRequest
    from builder.resolve.python.graph import RequirementNode

__all__ = [
    "check_accelerator",
    "check_constraints",
    "check_toolkit",
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
    """Refuse a declared wheel whose file name says something else than the recipe or the target (T11)."""
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


_CUDA_LIBRARY = re.compile(r"(nvidia|cuda)-.+")
_CUDA_RUNTIME = re.compile(r"(?:nvidia-cuda-runtime|cuda-toolkit)(?:-cu([0-9]{2}))?")
_CUDA_LABEL = re.compile(r"cu([0-9]{2})[0-9]*")


def check_wheel_metadata(
    request: PythonRequest, wheels: Mapping[str, CandidateWheel], facts: Mapping[str, WheelFacts]
) -> None:
    """Refuse a wheel whose metadata has another version than its name, or excludes the target (trap T14).

    uv judges the lower bound of `Requires-Python` only; pip refuses both at installation.
    """
    for name, wheel in sorted(wheels.items()):
        _check_stated_version(wheel.file, facts[name])
        _check_requires_python(wheel.file, facts[name], request)


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


def _check_requires_python(file: str, facts: WheelFacts, request: PythonRequest) -> None:
    try:
        specifier = SpecifierSet(facts.requires_python)
    except InvalidSpecifier:
        return  # pip counts it as met, too: old metadata holds what the standard no longer knows
    fits = {specifier.contains(python, prereleases=True) for python in request.possible_pythons()}
    if fits == {True}:
        return
    stated = f"{file} has Requires-Python {facts.requires_python}"
    hint = f"choose another version of {facts.name}, or a platform with a Python that it admits"
    if fits == {False}:
        raise NoSolutionError(f"{stated}, and the target has Python {request.shown_python()}", hint=hint)
    raise NoSolutionError(
        f"{stated}, and which {request.python}.x the target has is not known, which decides it", hint=hint
    )


def check_constraints(request: PythonRequest, nodes: Mapping[str, RequirementNode]) -> None:
    """Refuse a solution in which a version left its constraint (trap T2)."""
    for text in request.constraints:
        requirement = recipe_requirement(text)
        node = nodes.get(normalized_name(requirement))
        environment = {**marker_environment(request.arch, request.python), "extra": ""}
        if requirement.marker is not None and not requirement.marker.evaluate(environment):
            continue
        if node is not None and not admits(requirement.specifier, node.version):
            raise NoSolutionError(f"the recipe binds {text}, and the solution has {node.name} {node.version}")


def check_accelerator(
    request: PythonRequest, nodes: Mapping[str, RequirementNode], files: Mapping[str, str]
) -> None:
    """Refuse a build without CUDA, or for another CUDA than the target's (trap T3).

    `files` are the chosen wheels by name.
    """
    if not request.cuda:
        return
    environment = marker_environment(request.arch, request.python)
    for name in sorted(str(canonicalize_name(item)) for item in request.accelerator):
        node, file = nodes.get(name), files.get(name)
        if node is None or file is None:
            continue
        asked = tuple(requirement for _, requirement in active_requirements(node, "", environment))
        label = _CUDA_LABEL.fullmatch(Version(node.version).local or "")
        if label is None and not any(_CUDA_LIBRARY.fullmatch(normalized_name(item)) for item in asked):
            raise NoSolutionError(
                f"{file} is built without CUDA: nothing that it requires on {request.arch} is a CUDA runtime "
                f"(nvidia-* or cuda-*), and the target has CUDA {request.cuda}",
                hint=request.accelerator_hint
                or f"name an index that has {name} {node.version} with CUDA for {request.arch}, such as its "
                f"project's own, under `indexes`, and make {name} a root",
            )
        built_for = {label[1]} if label else {major for item in asked if (major := _cuda_major(item))}
        wanted = request.cuda.partition(".")[0]
        if wanted.isdigit() and built_for and wanted not in built_for:
            raise NoSolutionError(
                f"{file} is a build for CUDA {' and '.join(sorted(built_for))}, and the target has CUDA "
                f"{request.cuda}",
                hint=f"take a platform with CUDA {min(built_for)}, or one without a toolkit, or a {name} for "
                f"CUDA {wanted}",
            )


def check_toolkit(request: PythonRequest, nodes: Mapping[str, RequirementNode]) -> None:
    """Refuse a CUDA runtime that is older than the target's toolkit (trap T3).

    Within a major version an older program runs on a newer runtime, not the other way round: what the toolkit
    compiles may call functions that an older libcudart has not.
    """
    if request.environment != RUNTIME or not request.cuda[:1].isdigit():
        return
    toolkit = Version(request.cuda).release[:2]
    for name, node in sorted(nodes.items()):
        found = Version(node.version)
        if _CUDA_RUNTIME.fullmatch(name) and found.major == toolkit[0] and found.release[:2] < toolkit:
            raise NoSolutionError(
                f"the target has the toolkit of CUDA {request.cuda}, and {name} {node.version} is older: "
                "code built with that toolkit may call functions that this runtime lacks",
                hint=f"take a platform with CUDA {found.major}.{found.minor}, or versions that bring CUDA "
                f"{request.cuda}",
            )


def _cuda_major(requirement: Requirement) -> str:
    """Return the major version of the CUDA runtime that a requirement binds, or nothing."""
    found = _CUDA_RUNTIME.fullmatch(normalized_name(requirement))
    if found is None:
        return ""
    return found[1] or exact_version(requirement.specifier).partition(".")[0]
