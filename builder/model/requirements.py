"""Requirements, taken apart the same way everywhere."""

from __future__ import annotations

import re
from functools import lru_cache

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from builder.errors import RecipeError

__all__ = ["admits", "exact_version", "lenient_requirement", "normalized_name", "recipe_requirement"]

_HEAD = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?[^;]*(;.*)?")


def recipe_requirement(text: str) -> Requirement:
    """Parse a requirement that a recipe states; RecipeError shows it."""
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        raise RecipeError(str(error).partition("\n")[0], place=f"requirement {text!r}") from None


@lru_cache(maxsize=32_768)
def lenient_requirement(text: str) -> Requirement:
    """Parse a requirement of published metadata.

    Old metadata may hold specifiers that the standard no longer knows: of
    those, name, extras and marker count, and the resolver has judged the rest.
    """
    try:
        return Requirement(text)
    except InvalidRequirement:
        match = _HEAD.fullmatch(text)
        if match is None:
            raise
        name, extras, marker = match.groups(default="")
        return Requirement(f"{name}{extras}{marker}")


def normalized_name(requirement: Requirement) -> str:
    """Return the normalised name."""
    return str(canonicalize_name(requirement.name))


def exact_version(specifier: SpecifierSet) -> str:
    """Return the version that `specifier` binds by `==`, or an empty text."""
    for part in specifier:
        if part.operator == "===" or (part.operator == "==" and not part.version.endswith(".*")):
            return part.version
    return ""


def admits(specifier: SpecifierSet, version: str) -> bool:
    """Whether `version` fits; pre-releases count, since the resolver has chosen."""
    try:
        return specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return version == exact_version(specifier)
