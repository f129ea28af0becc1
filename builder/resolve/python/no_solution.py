"""Why there is no solution, in the recipe's words (trap T1).

uv proves that there is none; its proof speaks of "all versions of" and leaves
out which side came from a constraint. So the exact pins are walked again:

1. Pins are gathered: constraints, roots and everything given, each with the
   sentence that says who holds it (a component, the base image, the recipe).
2. From the roots, breadth first, each distribution with an exact version is
   looked up: its metadata if a wheel fits the target, else why there is none.
   Every requirement met is noted with its asker. What has no exact version is
   not followed: only uv can choose one, and the culprit is near the roots.
3. uv's proof is searched for names that the walk did not judge: distributions
   that are not on the index, or that have no usable wheel.
4. The message names conflicts first (each side, then whether the wanted
   version ever existed), then what cannot be had, and gives one hint.

If the walk finds nothing, the message is uv's own proof in the recipe's words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from builder.errors import BuilderError, NoSolutionError
from builder.index import (
    CandidateWheel,
    IndexProject,
    inspect_sdist,
    parse_rfc3339,
    read_index_project,
    read_wheel_facts,
)
from builder.model import (
    admits,
    exact_version,
    glibc_floor,
    is_musl,
    linux_arch,
    normalized_name,
    printable,
    recipe_requirement,
    target_tags,
    uv_platform,
    wheel_rank,
    wheel_tags,
)
from builder.recipe import StandIn
from builder.resolve.python.graph import RequirementNode, active_requirements, requirement_extras
from builder.resolve.python.stand_in_wheels import stand_in_node
from builder.resolve.python.uv import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from packaging.requirements import Requirement
    from packaging.tags import Tag

    from builder.index import DistributionFile, IndexServices
    from builder.recipe import PythonRequest

__all__ = [
    "best_wheel_file",
    "explain_no_solution",
    "nearest_versions",
    "no_fitting_wheel",
    "why_unavailable",
]


_FREE_THREADED = re.compile(r"(?:cp3\d+|abi3)t")
"""ABI tags of CPython without the global lock (PEP 703): no wheel for them runs on the usual build."""

_CPYTHON = re.compile(r"(?:cp|py)3\d*")
_ANOTHER_VERSION = "choose another version"
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
        return _why_hidden(shown, in_time, request)
    if not any(item.wheel for item in in_time):
        return _source_only(shown, in_time[0], services)
    withdrawn = [replace(item, yanked=False) for item in in_time if item.yanked]
    if best_wheel_file(withdrawn, request):
        reasons = sorted({item.yanked_reason for item in withdrawn} - {""})
        why = f" ({'; '.join(map(printable, reasons))})" if reasons else ""
        return f"the index withdrew (yanked) every wheel of {shown} that fits{why}", _ANOTHER_VERSION
    return no_fitting_wheel(shown, [item.file for item in in_time if item.wheel], request)


def _why_hidden(
    shown: str, files: Sequence[DistributionFile], request: PythonRequest
) -> tuple[str, str] | None:
    """Return why uv cannot see a wheel that fits, or None when it can."""
    reach = uv_platform(request.arch, request.glibc).rpartition("manylinux_")[2].replace("_", ".")
    if not best_wheel_file(files, replace(request, glibc=reach)):
        text = (
            f"its wheels for {request.arch} need a glibc newer than {reach}, and uv names none newer for a "
            f"target with glibc {request.glibc}"
        )
        hint = "choose a version with wheels for an older glibc, or let a component build it from source"
        return f"{shown} has no wheel that uv can choose: {text}", hint
    if request.index_of(shown.partition(" ")[0]) is None and all(item.uploaded is None for item in files):
        return f"the index states no upload time for {shown}, so the date bound hides it", ""
    return None


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
            f"choose a version that has wheels for Linux on {request.arch}",
        )
    musl = [tag for tag in ours if is_musl(tag.platform)]
    usual = [tag for tag in ours if not is_musl(tag.platform)]
    if not usual:
        text = f"its wheels for {request.arch} are for musl ({_shown_musl(musl)})"
        builds = sorted({_shown_python(tag) for tag in musl})
        also = f" and {', '.join(builds)}" if all(map(_is_free_threaded, musl)) else ""
        return (
            f"{head}: {text}{also}, and the target has glibc {request.glibc}",
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
    usual = {
        tag.interpreter for tag in tags if tag.abi in (tag.interpreter, f"{tag.interpreter}m", "none", "abi3")
    }
    if not any(_CPYTHON.fullmatch(interpreter) for interpreter in usual - {own}):
        hint = f"choose a version that has wheels for the ABI {own}, or let a component build it from source"
    else:
        hint = "choose a platform with one of these Pythons"
    return f"its wheels for {request.arch} are for {shown}", hint


def _is_free_threaded(tag: Tag) -> bool:
    return _FREE_THREADED.fullmatch(tag.abi) is not None


def _shown_python(tag: Tag) -> str:
    """Return the interpreter of a tag, with its ABI where that is another build of it."""
    if _is_free_threaded(tag):
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


_MOST_DISTRIBUTIONS = 60
"""How many distributions are looked at: the culprit is near the roots."""

_FIXED_PLACE = "choose a version whose metadata names distributions only"
_ABSENT = re.compile(r"([A-Za-z0-9._-]+) was not found in the package registry")
_NO_WHEEL = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?(?:[<>=!~]=?[^\s]+)? has no (?:\w+ )?wheels")
_NO_WHEELS_AT_ALL = re.compile(r"[Aa]ll versions of ([A-Za-z0-9._-]+) have no (?:\w+ )?wheels")
_MARKER = re.compile(r"\{[^{}]*\}")  # uv adds the marker under which it looked


@dataclass(slots=True)
class _PinWalk:
    """What has been seen so far; lives for one explanation."""

    request: PythonRequest
    services: IndexServices
    asked: dict[str, list[tuple[Requirement, str]]] = field(default_factory=dict)
    """By distribution: each requirement and the sentence that says who has it."""
    pins: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By distribution: the version that the recipe gives it and the sentence that says so."""
    seen: set[tuple[str, str]] = field(default_factory=set)
    projects: dict[str, IndexProject | None] = field(default_factory=dict)
    missing: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By distribution: why it cannot be had, and a hint."""

    def project(self, name: str) -> IndexProject | None:
        if name not in self.projects:
            index = self.request.index_of(name)
            url = index.url if index else self.services.index_url
            self.projects[name] = read_index_project(self.services.client, url, name)
        return self.projects[name]


def explain_no_solution(request: PythonRequest, services: IndexServices, proof: str) -> NoSolutionError:
    """Return the error that says why uv found no solution for `request`; `proof` is uv's own text."""
    walk = _PinWalk(request, services)
    text = _MARKER.sub("", proof)
    _gather_pins(walk)
    lines: list[str] = []
    try:
        for root in map(recipe_requirement, request.roots):
            _note_requirement(walk, root, f"the recipe has the root {root}")
            _follow_pins(walk, normalized_name(root), ("", *sorted(requirement_extras(root))))
        _look_at_proof(walk, " ".join(text.split()))
        lines, hint = _message_lines(walk)
    except BuilderError as error:
        hint = f"run again when the index answers, to learn more: {error}"
    body = "".join(f"\n  {line}" for line in lines or _proof_lines(text))
    return NoSolutionError(f"no solution for {request.described()}:{body}", hint=hint)


def _canonical_name(name: str) -> str:
    return str(canonicalize_name(name))


def _gather_pins(walk: _PinWalk) -> None:
    for text in (*walk.request.constraints, *walk.request.roots):
        requirement = recipe_requirement(text)
        name, exact = normalized_name(requirement), exact_version(requirement.specifier)
        if exact:
            walk.pins[name] = (
                exact,
                _provider_sentence(walk.request, name, exact, f"the recipe binds {text}"),
            )
    for item in walk.request.given:
        name = _canonical_name(item.name)
        who = "base image" if isinstance(item, StandIn) and not item.build else "recipe"
        given = f"the {who} provides {name} {item.version}"
        walk.pins[name] = (item.version, _provider_sentence(walk.request, name, item.version, given))
    for text in walk.request.constraints:
        _note_requirement(walk, recipe_requirement(text), f"the recipe binds {text}")


def _provider_sentence(request: PythonRequest, name: str, version: str, otherwise: str) -> str:
    component = request.component_of(name)
    return f"component {component} provides {name} {version}" if component else otherwise


def _note_requirement(walk: _PinWalk, requirement: Requirement, who: str) -> None:
    walk.asked.setdefault(normalized_name(requirement), []).append((requirement, who))


def _follow_pins(walk: _PinWalk, name: str, extras: tuple[str, ...]) -> None:
    """Follow the requirements of `name` at its exact version, if it has one."""
    waiting = [(name, extra) for extra in extras]
    # Breadth first, so that the limit keeps what is near the roots.
    while waiting and len({name for name, _ in walk.seen}) < _MOST_DISTRIBUTIONS:
        here = waiting.pop(0)
        if here in walk.seen:
            continue
        walk.seen.add(here)
        node = _pinned_node(walk, here[0])
        if node is None:
            continue
        environment = walk.request.markers()
        for text, requirement in active_requirements(node, here[1], environment):
            owner = f"{node.name}[{here[1]}]" if here[1] else node.name
            who = f"{owner} {node.version} requires {text.partition(';')[0].strip()}"
            if requirement.url is not None:
                walk.missing[normalized_name(requirement)] = (
                    f"{who}: a fixed place, not the index",
                    _FIXED_PLACE,
                )
                continue
            _note_requirement(walk, requirement, who)
            waiting += [
                (normalized_name(requirement), extra)
                for extra in ("", *sorted(requirement_extras(requirement)))
            ]


def _pinned_version(walk: _PinWalk, name: str) -> str:
    if name in walk.pins:
        return walk.pins[name][0]
    exact = (exact_version(requirement.specifier) for requirement, _ in walk.asked.get(name, ()))
    return next((version for version in exact if version), "")


def _pinned_node(walk: _PinWalk, name: str) -> RequirementNode | None:
    for item in walk.request.given:
        if canonicalize_name(item.name) == name:
            return stand_in_node(item)
    version = _pinned_version(walk, name)
    return _published_node(walk, name, version) if version else None


def _published_node(walk: _PinWalk, name: str, version: str) -> RequirementNode | None:
    """Return the metadata of the best wheel of a version, or note why there is none."""
    project = walk.project(name)
    if project is None:
        walk.missing[name] = (f"{name} is not on the index", "")
        return None
    try:
        wanted = Version(version)
    except InvalidVersion:
        return None
    reason = why_unavailable(project, wanted, walk.request, walk.services)
    if reason:
        text, hint = reason
        askers = [
            who.partition(" requires ")[0] for _, who in walk.asked.get(name, ()) if " requires " in who
        ]
        if hint == _ANOTHER_VERSION and askers:
            hint = f"choose a version of {askers[0].partition(' ')[0]} that requires another {name}"
        walk.missing[name] = (text, hint)
        return None
    best = best_wheel_file(project.of(wanted, parse_rfc3339(walk.request.exclude_newer)), walk.request)
    if best is None or not best.sha256:
        return None
    wheel = CandidateWheel(
        file=best.file, url=best.url, sha256=best.sha256, metadata_sha256=best.metadata_sha256
    )
    facts = read_wheel_facts([(name, wheel)], walk.services)[name]
    return RequirementNode(name=name, version=str(best.version), requires=facts.requires, extras=facts.extras)


def _look_at_proof(walk: _PinWalk, text: str) -> None:
    """Look at what uv names and the walk, which follows exact pins only, did not judge."""
    for name in map(_canonical_name, _ABSENT.findall(text)):
        walk.missing.setdefault(name, (f"{name} is not on the index", ""))
    for name in map(_canonical_name, (*_NO_WHEEL.findall(text), *_NO_WHEELS_AT_ALL.findall(text))):
        project = None if name in walk.missing else walk.project(name)
        admitted = _admitted_versions(walk, project) if project else []
        if admitted:
            _published_node(walk, name, str(admitted[-1]))


def _admitted_versions(walk: _PinWalk, project: IndexProject) -> list[Version]:
    """Return the versions that fit every requirement met so far, oldest first; finals before others."""
    wanted = [requirement.specifier for requirement, _ in walk.asked.get(project.name, ())]
    known = project.versions(parse_rfc3339(walk.request.exclude_newer))
    fitting = [item for item in known if all(admits(specifier, str(item)) for specifier in wanted)]
    return [item for item in fitting if not item.is_prerelease] or fitting


def _message_lines(walk: _PinWalk) -> tuple[list[str], str]:
    """Return the lines of the message, conflicts first, and one hint."""
    lines: list[str] = []
    hint = ""
    for name in sorted(walk.asked):
        sides, advice = _conflict_sides(walk, name)
        if sides:
            lines += [*sides, *_existence_lines(walk, name)]
            hint = hint or advice
            walk.missing.pop(name, None)
    for name, (text, advice) in sorted(walk.missing.items()):
        askers = [who for _, who in walk.asked.get(name, ()) if " requires " in who]
        lines += [*askers[:1], text]
        hint = hint or advice
    return lines, hint


def _conflict_sides(walk: _PinWalk, name: str) -> tuple[list[str], str]:
    """Return the sentences of the sides that exclude each other and a hint, or nothing."""
    version = _pinned_version(walk, name)
    against = [item for item in walk.asked[name] if version and not admits(item[0].specifier, version)]
    if not against:
        return [], ""
    holder = walk.pins[name][1] if name in walk.pins else _pinning_requirer(walk, name)
    exact = exact_version(against[0][0].specifier)
    wanted = f"version {exact}" if exact else f"a version that fits {against[0][0].specifier}"
    component = walk.request.component_of(name)
    subject = f"component {component}" if component else name
    hint = f"give {subject} {wanted}, or change what requires it"
    return [*sorted({who for _, who in against} - {holder}), holder], hint


def _pinning_requirer(walk: _PinWalk, name: str) -> str:
    return next(who for requirement, who in walk.asked[name] if exact_version(requirement.specifier))


def _existence_lines(walk: _PinWalk, name: str) -> list[str]:
    """Return a sentence when the version that is asked for never existed."""
    project = walk.project(name)
    version = Version(_pinned_version(walk, name))
    if project is None:
        return [f"{name} is not on the index"]
    if project.of(version):
        return []
    bound = parse_rfc3339(walk.request.exclude_newer)
    return [f"{name} {version} never existed on the index; {nearest_versions(project, version, bound)}"]


def _proof_lines(proof: str) -> list[str]:
    """Return uv's proof without its headline and with the recipe's name for the roots."""
    _, headline, rest = proof.partition("No solution found when resolving dependencies")
    text = rest.lstrip(":") if headline else proof
    words = text.replace(f"{PROJECT} depends on", "the recipe has").replace(PROJECT, "the recipe")
    return [line.strip().removeprefix("cause: ") for line in words.splitlines() if line.strip()]
