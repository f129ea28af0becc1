"""Requirements, taken apart the same way everywhere, and their markers (PEP 508) on a target's terms."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from builder.errors import NoSolutionError, RecipeError
from builder.model.target import Arch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.markers import Marker

__all__ = [
    "OpenMarkerError",
    "admits",
    "bare_requirement",
    "exact_version",
    "lenient_requirement",
    "marker_environment",
    "marker_holds",
    "normalized_name",
    "parsed_requirement",
    "possible_pythons",
    "recipe_requirement",
]

_HEAD = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?[^;]*(;.*)?")


_LONG_NUMBER = re.compile(r"[0-9]{1000}")
"""No version has such a number. Of more than 4,300 digits Python makes none: `int` raises ValueError."""


def parsed_requirement(text: str) -> Requirement:
    """Parse a requirement of PEP 508; InvalidRequirement also for numbers of a thousand digits."""
    if _LONG_NUMBER.search(text):
        raise InvalidRequirement("a number of a thousand digits or more stands in it")
    return Requirement(text)


@lru_cache(maxsize=4096)
def recipe_requirement(text: str) -> Requirement:
    """Parse a requirement that a recipe states; RecipeError shows it."""
    try:
        return parsed_requirement(text)
    except InvalidRequirement as error:
        raise RecipeError(str(error).partition("\n")[0], place=f"requirement {text!r}") from None


@lru_cache(maxsize=32_768)
def lenient_requirement(text: str) -> Requirement:
    """Parse a requirement of published metadata.

    Old metadata may hold specifiers that the standard no longer knows: of
    those, name, extras and marker count, and the resolver has judged the rest.
    """
    try:
        return parsed_requirement(text)
    except InvalidRequirement:
        match = _HEAD.fullmatch(text)
        if match is None:
            raise
        name, extras, marker = match.groups(default="")
        return parsed_requirement(f"{name}{extras}{marker}")


def bare_requirement(requirement: Requirement) -> str:
    """Return name, extras and versions as text, without the marker."""
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{requirement.name}{extras}{requirement.specifier}"


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
    except ValueError:  # InvalidVersion is one, and so is what a number of more than 4,300 digits ends in
        return version == exact_version(specifier)


_PATCHES = 64
"""More than any minor version of CPython has patch releases: 3.9 has had the most so far, 26."""
_FULL_VERSION_NAMES = ("python_full_version", "implementation_version")


_KERNEL_NAMES = ("platform_release", "platform_version")
"""What a marker may ask of the kernel: an image runs on any."""
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")


class OpenMarkerError(ValueError):
    """A marker depends on something that is not known of the target, which `decider` names."""

    def __init__(self, text: str, decider: str) -> None:
        super().__init__(text)
        self.decider = decider


def possible_pythons(python: str, full: str = "") -> tuple[str, ...]:
    """Return the full versions that an interpreter of minor version `python` may have: `full` if known."""
    return (full,) if full else tuple(f"{python}.{patch}" for patch in range(_PATCHES))


@lru_cache
def marker_environment(arch: Arch, python: str, full: str = "") -> dict[str, str]:
    """Return what markers are evaluated against on a target; without `full`, its full versions are left out.

    The resolver uses the same. What the kernel is called is empty there, as it is for uv: nobody knows it.
    """
    environment = {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": str(arch),
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_version": python,
        "sys_platform": "linux",
    }
    return environment | (dict.fromkeys(_FULL_VERSION_NAMES, full) if full else {})


def marker_holds(marker: Marker | None, environment: Mapping[str, str], extra: str = "") -> bool:
    """Whether `marker` holds in an environment of `marker_environment`, and with `extra`.

    OpenMarkerError where that depends on a patch release that the environment leaves open, or on the kernel.
    """
    if marker is None:
        return True
    known = {**environment, "extra": extra}
    text = str(marker)
    # What is left out, packaging would take from the running interpreter: each of them is always given.
    pythons = [known]
    if _FULL_VERSION_NAMES[0] not in known:
        minor = known["python_version"]
        pythons = [known | dict.fromkeys(_FULL_VERSION_NAMES, full) for full in possible_pythons(minor)]
        if not any(name in text for name in _FULL_VERSION_NAMES):
            pythons = pythons[:1]
    answers = {_marker_value(marker, one) for one in pythons}
    if len(answers) > 1:
        raise OpenMarkerError(text, f"the patch release of Python {known['python_version']}")
    for name in _KERNEL_NAMES:
        if name in text and answers != _kernel_answers(marker, pythons[0], name, text) | answers:
            raise OpenMarkerError(text, f"the kernel that runs the image ({name})")
    return answers.pop()


def _kernel_answers(marker: Marker, environment: dict[str, str], name: str, text: str) -> set[bool]:
    """Return the answers for kernels that differ in `name`: old, new, and as the marker's words say."""
    words = {"".join(pair) for pair in _QUOTED.findall(text)}
    answers = set()
    for value in sorted({"0", "999", *words}):
        try:
            answers.add(_marker_value(marker, environment | {name: value}))
        except NoSolutionError:
            continue  # the word belongs to another comparison: as a value of this one it has no meaning
    return answers


def _marker_value(marker: Marker, environment: Mapping[str, str]) -> bool:
    """Evaluate a marker; NoSolutionError for a comparison without meaning, such as `os_name ~= 'posix'`."""
    try:
        return marker.evaluate(dict(environment))
    except (ValueError, LookupError) as cause:  # UndefinedComparison, UndefinedEnvironmentName
        raise NoSolutionError(
            f"has no meaning: {str(cause)[:200]}",
            place=f"marker {str(marker)[:200]!r}",
            hint="pin a version whose metadata has no such marker",
        ) from None
