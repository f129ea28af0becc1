"""What must hold of uv's solution: constraints kept (trap T2), and one CUDA throughout (trap T3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from builder.errors import NoSolutionError
from builder.lockfile import RUNTIME
from builder.model import (
    admits,
    exact_version,
    marker_environment,
    normalized_name,
    printable,
    recipe_requirement,
)
from builder.resolve.python.graph import active_requirements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.requirements import Requirement

    from builder.index import CandidateWheel, WheelFacts
    from builder.recipe import PythonRequest
    from builder.resolve.python.graph import RequirementNode

__all__ = ["check_accelerator", "check_constraints", "check_toolkit", "check_wheel_metadata"]

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
