"""What must hold of a request before uv is asked: exact roots, fitting declared wheels, one index a name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from builder.errors import RecipeError
from builder.index import parse_rfc3339
from builder.model import (
    Arch,
    exact_version,
    glibc_floor,
    normalized_name,
    recipe_requirement,
    target_tags,
    wheel_rank,
    wheel_tags,
)
from builder.recipe import PYPI

if TYPE_CHECKING:
    from builder.recipe import DeclaredWheel, PythonRequest

__all__ = ["checked_request"]


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
