"""Whether one version of a distribution can be had as a wheel for the target, and if not, why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from builder.index import inspect_sdist, parse_rfc3339
from builder.model import glibc_floor, target_tags, wheel_rank, wheel_tags

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from packaging.tags import Tag

    from builder.index import DistributionFile, IndexProject, IndexServices
    from builder.recipe import PythonRequest

__all__ = ["best_wheel_file", "nearest_versions", "why_unavailable"]

_NEAR = 3
"""How many existing versions are offered on each side."""


def best_wheel_file(files: Iterable[DistributionFile], request: PythonRequest) -> DistributionFile | None:
    """Return the best wheel for the target, or None."""
    tags = target_tags(request.arch, request.glibc, request.python)
    ranked = [(position, item) for item in files if item.wheel and (position := wheel_rank(item.file, tags))]
    return min(ranked, key=lambda pair: pair[0])[1] if ranked else None


def nearest_versions(project: IndexProject, wanted: Version, before: datetime | None) -> str:
    """Return the existing versions around `wanted`, as text for a message."""
    known = project.versions(before)
    if not known:
        return "no version was uploaded before the date bound"
    below = [str(item) for item in known if item < wanted][-_NEAR:]
    above = [str(item) for item in known if item > wanted][:_NEAR]
    return f"nearest existing versions: {', '.join((*below, *above))}"


def why_unavailable(
    project: IndexProject, version: Version, request: PythonRequest, services: IndexServices
) -> tuple[str, str] | None:
    """Return why no wheel of `version` is usable and what to do about it, or None when one is."""
    shown = f"{project.name} {version}"
    bound = parse_rfc3339(request.exclude_newer)
    files = project.of(version)
    if not files:
        return f"{shown} never existed on the index; {nearest_versions(project, version, bound)}", ""
    in_time = project.of(version, bound)
    if not in_time:
        first = min(item.uploaded for item in files if item.uploaded)
        late = f"{shown} was uploaded {first:%Y-%m-%d}, after the date bound {request.exclude_newer}"
        return (
            f"{late}; {nearest_versions(project, version, bound)}",
            "choose a version from before the date bound",
        )
    if best_wheel_file(in_time, request):
        undated = request.index_of(project.name) is None and all(item.uploaded is None for item in in_time)
        return (
            (f"the index states no upload time for {shown}, so the date bound hides it", "")
            if undated
            else None
        )
    if not any(item.wheel for item in in_time):
        return _source_only(shown, in_time[0], services)
    return _no_fitting_wheel(shown, [item.file for item in in_time if item.wheel], request)


def _source_only(shown: str, item: DistributionFile, services: IndexServices) -> tuple[str, str]:
    facts = inspect_sdist(item, services.client)
    name = shown.partition(" ")[0]
    if facts is not None and facts.stub:
        place = facts.bytes_at or "a place that it does not state"
        return (
            f"{shown} is a stub: {item.file} has no code, building it downloads the real wheel from {place}",
            f"name that index for {name}, declare its wheel by a published hash, or use an image that has it",
        )
    text = f"{shown} is published as source only ({item.file}), and nothing is executed to lock"
    if facts is not None and facts.static:
        return text, (
            f"let a component of system python-wheel provide {name}, whose metadata is static, "
            "with these requirements: " + (", ".join(facts.requires) or "none")
        )
    return text, f"let a component of system python-wheel provide {name}, with its requirements written down"


def _no_fitting_wheel(shown: str, files: list[str], request: PythonRequest) -> tuple[str, str]:
    """Say which of architecture, Python and glibc is the reason."""
    found = sorted({tag for file in files for tag in wheel_tags(file)}, key=str)
    ours = [tag for tag in found if tag.platform == "any" or _tag_arch(tag) == request.arch]
    head = f"{shown} has no wheel for this target"
    if not ours:
        arches = ", ".join(sorted({_tag_arch(tag) for tag in found}))
        return (
            f"{head}: its wheels are for {arches} only",
            f"choose a version that has wheels for {request.arch}",
        )
    accepted = {
        (tag.interpreter, tag.abi) for tag in target_tags(request.arch, request.glibc, request.python)
    }
    fitting = [tag for tag in ours if (tag.interpreter, tag.abi) in accepted]
    if not fitting:
        pythons = ", ".join(sorted({tag.interpreter for tag in ours}, key=_natural_order))
        return (
            f"{head}: its wheels for {request.arch} are for {pythons}",
            "choose a platform with one of these Pythons",
        )
    floors = [floor[0] for tag in fitting if (floor := glibc_floor(tag.platform))]
    if not floors:
        platforms = ", ".join(sorted({tag.platform for tag in fitting}))
        return f"{head}: its wheels are for {platforms}", "choose another version"
    lowest = ".".join(map(str, min(floors)))
    return (
        f"{head}: its wheels for {request.arch} need glibc {lowest} or newer",
        f"choose a platform with glibc {lowest} or newer, or let a component build it from source",
    )


def _tag_arch(tag: Tag) -> str:
    floor = glibc_floor(tag.platform)
    return floor[1] if floor else tag.platform


def _natural_order(text: str) -> tuple[str, int]:
    digits = text.lstrip("abcdefghijklmnopqrstuvwxyz")
    return text.removesuffix(digits), int(digits) if digits.isdecimal() else 0
