"""Whether one version of a distribution can be had as a wheel for the target, and if not, why."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.version import Version

from builder.index import inspect_sdist, parse_rfc3339
from builder.model import glibc_floor, is_musl, linux_arch, printable, target_tags, wheel_rank, wheel_tags

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from packaging.tags import Tag

    from builder.index import DistributionFile, IndexProject, IndexServices
    from builder.recipe import PythonRequest

__all__ = ["best_wheel_file", "nearest_versions", "no_fitting_wheel", "why_unavailable"]

_FREE_THREADED = re.compile(r"(?:cp3\d+|abi3)t")
"""ABI tags of CPython without the global lock (PEP 703): no wheel for them runs on the usual build."""

_NEAR = 3
"""How many existing versions are offered on each side."""


def best_wheel_file(files: Iterable[DistributionFile], request: PythonRequest) -> DistributionFile | None:
    """Return the best wheel for the target that the index did not withdraw, or None."""
    tags = target_tags(request.arch, request.glibc, request.python)
    ranked = [
        (position, item)
        for item in files
        if item.wheel and not item.yanked and (position := wheel_rank(item.file, tags))
    ]
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
    withdrawn = [replace(item, yanked=False) for item in in_time if item.yanked]
    if best_wheel_file(withdrawn, request):
        reasons = sorted({item.yanked_reason for item in withdrawn} - {""})
        why = f" ({'; '.join(map(printable, reasons))})" if reasons else ""
        return f"the index withdrew (yanked) every wheel of {shown} that fits{why}", "choose another version"
    return no_fitting_wheel(shown, [item.file for item in in_time if item.wheel], request)


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


def no_fitting_wheel(shown: str, files: Iterable[str], request: PythonRequest) -> tuple[str, str]:
    """Return which part of the wheels' tags the target cannot use, and a hint.

    The parts are architecture, libc, interpreter with ABI, and glibc's version;
    they are looked at in this order, each among the wheels that the earlier ones leave.
    """
    head = f"{shown} has no wheel for this target"
    found = sorted({tag for file in files for tag in wheel_tags(file)}, key=str)
    ours = [tag for tag in found if tag.platform == "any" or linux_arch(tag.platform) == request.arch]
    if not ours:
        arches = ", ".join(sorted({_shown_arch(tag) for tag in found}))
        return (
            f"{head}: its wheels are for {arches} only",
            f"choose a version that has wheels for {request.arch}",
        )
    musl = [tag for tag in ours if is_musl(tag.platform)]
    usual = [tag for tag in ours if not is_musl(tag.platform)]
    if not usual:
        text = f"its wheels for {request.arch} are for musl ({_shown_musl(musl)})"
        return (
            f"{head}: {text}, and the target has glibc {request.glibc}",
            "choose a version that has wheels for glibc (manylinux), or let a component build it from source",
        )
    accepted = {
        (tag.interpreter, tag.abi) for tag in target_tags(request.arch, request.glibc, request.python)
    }
    only_musl = [tag for tag in musl if (tag.interpreter, tag.abi) in accepted]
    aside = f"; those for musl ({_shown_musl(only_musl)}) do not run on glibc" if only_musl else ""
    fitting = [tag for tag in usual if (tag.interpreter, tag.abi) in accepted]
    if not fitting:
        text, hint = _wrong_abi(usual, request)
        return f"{head}: {text}{aside}", hint
    floors = [floor[0] for tag in fitting if (floor := glibc_floor(tag.platform))]
    if not floors:
        platforms = ", ".join(sorted({tag.platform for tag in fitting}))
        return f"{head}: its wheels are for {platforms}{aside}", "choose another version"
    lowest = ".".join(map(str, min(floors)))
    return (
        f"{head}: its wheels for {request.arch} need glibc {lowest} or newer{aside}",
        f"choose a platform with glibc {lowest} or newer, or let a component build it from source",
    )


def _wrong_abi(tags: list[Tag], request: PythonRequest) -> tuple[str, str]:
    """Return for which interpreters or ABIs wheels are that no accepted (interpreter, ABI) has."""
    own = f"cp{request.python.replace('.', '')}"
    shown = ", ".join(sorted({_shown_python(tag) for tag in tags}, key=_natural_order))
    if all(tag.interpreter == own for tag in tags):
        hint = f"choose a version that has wheels for the ABI {own}, or let a component build it from source"
    else:
        hint = "choose a platform with one of these Pythons"
    return f"its wheels for {request.arch} are for {shown}", hint


def _shown_python(tag: Tag) -> str:
    """Return the interpreter of a tag, with its ABI where that is another build of it."""
    if _FREE_THREADED.fullmatch(tag.abi):
        return f"{tag.interpreter} free-threaded (ABI {tag.abi})"
    usual = tag.abi in (tag.interpreter, "none", "abi3") or not tag.interpreter.startswith("cp3")
    return tag.interpreter if usual else f"{tag.interpreter} (ABI {tag.abi})"


def _shown_musl(tags: list[Tag]) -> str:
    return ", ".join(sorted({tag.platform.removesuffix(f"_{linux_arch(tag.platform)}") for tag in tags}))


def _shown_arch(tag: Tag) -> str:
    arch = linux_arch(tag.platform)
    return tag.platform if is_musl(tag.platform) or not arch else arch


def _natural_order(text: str) -> tuple[str, int, str]:
    word, _, rest = text.partition(" ")
    digits = word.lstrip("abcdefghijklmnopqrstuvwxyz")
    return word.removesuffix(digits), int(digits) if digits.isdecimal() else 0, rest
