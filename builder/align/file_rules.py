"""Rules about what files are made for: Pythons, glibc, CUDA, architectures, platforms, GPUs. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from builder.align.claims import Claim, Document
from builder.align.evidence import DYNAMO, DYNAMO_RUNTIME, Evidence, Status, UnaskedError, Verdict, version_of
from builder.matrix import GENERATIONS
from builder.model import Arch, exact_version, glibc_floor, normalized_name, wheel_tags
from builder.recipe import Platform

__all__ = [
    "arch",
    "cuda",
    "cuda_floor",
    "glibc",
    "gpu",
    "not_on_python",
    "only_on_python",
    "platform",
    "python",
    "runs_on_python",
]

_CUDA_RUNTIME = re.compile(r"nvidia-cuda-runtime(?:-cu\d+)?|cuda-toolkit")
_VARIANT = re.compile(r".*-cu(\d+)")


def _glibc_floor(
    evidence: Evidence, name: str, version: str, arch: Arch | None = None
) -> tuple[tuple[int, int], str]:
    """Return the glibc that a version needs and whose wheels say so, following exact pins and families."""
    own = _own_floor(evidence, name, version, arch)
    if own:
        return own, f"wheels of {name} {version}"
    bound = [
        (normalized_name(item.requirement), exact_version(item.requirement.specifier))
        for item in evidence.requirements(name, version, ())
    ]
    family = [(other, version) for other in evidence.distributions(name) if other != canonicalize_name(name)]
    for other, exact in (*bound, *family):
        if exact and (floor := _own_floor(evidence, other, exact, arch)):
            return floor, f"wheels of {other} {exact}, which it brings,"
    raise UnaskedError(f"no wheel of {name} {version} names a glibc version")


def _own_floor(evidence: Evidence, name: str, version: str, arch: Arch | None) -> tuple[int, int] | None:
    project = evidence.published.project(name)
    files = project.of(version_of(version)) if project else ()
    floors = [
        found[0]
        for item in files
        if item.wheel
        for tag in wheel_tags(item.file)
        if (found := glibc_floor(tag.platform)) and (arch is None or found[1] == arch)
    ]
    return min(floors) if floors else None


def glibc(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Judge the lowest glibc of a distribution's wheels."""
    floor, who = _glibc_floor(evidence, claim.name, claim.version)
    shown = ".".join(map(str, floor))
    status = Status.ALIGNED if shown == claim.glibc.lstrip(">= ") else Status.DRIFT
    lock = evidence.locked(document.release_of(claim), claim.name)
    return Verdict(status=status, evidence=f"{who} need glibc {shown}", published=f">={shown}", lock=lock)


def cuda(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Judge the CUDA of a framework by the libraries that its metadata leads to.

    Our lock's libraries decide nothing: where upstream leaves a choice, the lock shows ours.
    """
    release = document.release_of(claim)
    lock = ", ".join(evidence.held(release, "").cuda.get(claim.framework, ()))
    found, who = _cuda_of_metadata(claim.framework, release, evidence)
    if not found:
        ours = f"; our lock has the libraries of CUDA {lock}, which does not decide" if lock else ""
        text = f"nothing that {claim.framework} of {release} binds names a CUDA runtime{ours}"
        return Verdict(status=Status.UNKNOWN, evidence=text, lock=lock)
    claimed = ".".join(claim.cuda.split(".")[:2])  # a patch version is known of none, and 13 is right of 13.0
    same = any(f"{minor}.".startswith(f"{claimed}.") for minor in found.split(", "))
    status = Status.ALIGNED if same else Status.DRIFT
    return Verdict(status=status, evidence=who, published=found, lock=lock)


def _cuda_of_metadata(framework: str, release: str, evidence: Evidence) -> tuple[str, str]:
    """Follow the exact pins of an extra of ai-dynamo to a CUDA runtime."""
    waiting = [
        (normalized_name(item.requirement), exact_version(item.requirement.specifier))
        for item in evidence.requirements(DYNAMO, release, (framework,))
        if item.who.endswith(f"extra {framework},")
    ]
    seen: set[str] = set()
    while waiting:
        name, version = waiting.pop(0)
        if not version or name in seen or len(seen) > 40:
            continue
        seen.add(name)
        if _CUDA_RUNTIME.fullmatch(name):
            minor = ".".join(version.split(".")[:2])
            return minor, f"{framework} of {release} leads by exact pins to {name} {version}"
        try:
            inner = evidence.requirements(name, version, ()) if _leads_on(name, framework) else []
        except UnaskedError:
            continue
        waiting += [(normalized_name(i.requirement), exact_version(i.requirement.specifier)) for i in inner]
    return "", ""


def _leads_on(name: str, framework: str) -> bool:
    """Whether a distribution is on the way from a framework to its CUDA runtime."""
    return name.replace("-", "").startswith(framework.replace("-", "")[:4]) or name in {
        "torch",
        "tensorrt-llm",
    }


def cuda_floor(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Judge the lowest CUDA of a distribution by the variants of its wheels (-cu12, -cu13)."""
    names = [name for name in evidence.distributions(claim.name) if _VARIANT.fullmatch(name)]
    required = [
        normalized_name(item.requirement) for item in evidence.requirements(claim.name, claim.version)
    ]
    majors = set()
    for name in {*names, *required}:
        variant = _VARIANT.fullmatch(name)
        project = evidence.published.project(name) if variant else None
        if variant and project and project.of(version_of(claim.version)):
            majors.add(int(variant[1][:2]))
    if not majors:
        raise UnaskedError(f"no wheel of {claim.name} {claim.version} names a CUDA version")
    lowest = min(majors)
    shown = ", ".join(map(str, sorted(majors)))
    text = f"{claim.name} {claim.version} has wheels for CUDA {shown} and for no other"
    claimed = claim.cuda.lstrip(">= ")
    status = Status.ALIGNED if claimed.partition(".")[0] == str(lowest) else Status.DRIFT
    lock = evidence.locked(document.release_of(claim), claim.name)
    return Verdict(status=status, evidence=text, published=f">={lowest}", lock=lock)


def arch(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Judge that a release is published for an architecture."""
    release = document.release_of(claim)
    lock = ", ".join(evidence.held(release, "").arches)
    wanted = claim.arch or Arch.X86_64
    floor = _own_floor(evidence, DYNAMO_RUNTIME, release, wanted)
    if floor is None:
        text = f"{DYNAMO_RUNTIME} {release} has no wheel for {wanted}"
        return Verdict(status=Status.IMPOSSIBLE, evidence=text, lock=lock)
    return Verdict(
        status=Status.ALIGNED, evidence=f"{DYNAMO_RUNTIME} {release} has wheels for {wanted}", lock=lock
    )


def platform(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Judge that a release's wheels can be installed on a distribution."""
    release, wanted = document.release_of(claim), claim.arch or Arch.X86_64
    known = [item for item in evidence.library.platforms.values() if item.os == claim.os]
    if not known:
        raise UnaskedError(f"no recipe knows the glibc of {claim.os}")
    floor, who = _glibc_floor(evidence, DYNAMO_RUNTIME, release, wanted)
    lock = "locked" if claim.os in evidence.held(release, "").systems else ""
    need = ".".join(map(str, floor))
    text = f"{claim.os} has glibc {known[0].glibc}, {who} for {wanted} need {need}"
    fitting = _version_numbers(known[0]) >= floor
    status = Status.ALIGNED if fitting else Status.IMPOSSIBLE
    return Verdict(status=status, evidence=text, published=f"glibc >={need}", lock=lock)


def _version_numbers(item: Platform) -> tuple[int, ...]:
    return tuple(int(part) for part in item.glibc.split("."))


def gpu(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Leave a GPU generation unknown: no metadata names one, and nothing here unpacks wheels.

    What our own recipes build native code for says nothing about what upstream supports.
    """
    release = document.release_of(claim)
    found = evidence.held(release, "").capabilities
    mine = ", ".join(f"sm_{item}" for item in found if GENERATIONS.get(item) == claim.gpu)
    ours = f"; our recipes build for {mine}, which does not decide what upstream supports" if mine else ""
    text = f"nothing published with {release} names GPU generations{ours}"
    return Verdict(status=Status.UNKNOWN, evidence=text, lock=", ".join(found))


_MINORS = tuple(f"3.{minor}" for minor in range(6, 20))


_PATCHES = range(31)
"""A minor version is admitted if one of its patch versions is: >=3.12.1 admits 3.12."""


def _claimed_distribution(claim: Claim, document: Document) -> tuple[str, str]:
    return claim.name or DYNAMO, claim.version or document.release_of(claim)


def _stated_python(evidence: Evidence, name: str, version: str) -> str:
    """Return the Requires-Python of a version, or nothing (UnaskedError if its files differ)."""
    stated = {item.requires_python for item in evidence.files(name, version)}
    if len(stated) > 1:
        shown = " and ".join(sorted(item or "nothing" for item in stated))
        raise UnaskedError(f"the files of {name} {version} state different Requires-Python: {shown}")
    return stated.pop() if stated else ""


def _admitted_minors(specifier: str) -> frozenset[str]:
    try:
        found = SpecifierSet(specifier)
        return frozenset(
            minor for minor in _MINORS if any(found.contains(f"{minor}.{patch}") for patch in _PATCHES)
        )
    except ValueError:  # InvalidSpecifier is one, and so is what a number of more than 4,300 digits ends in
        raise UnaskedError(f"{specifier[:80]!r} is not a range of versions") from None


def python(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Judge that the Pythons are exactly these."""
    name, version = _claimed_distribution(claim, document)
    stated = _stated_python(evidence, name, version)
    lock = ", ".join(evidence.held(document.release_of(claim), "").pythons)
    if not stated:
        raise UnaskedError(f"{name} {version} states no Requires-Python")
    said, column = f"{name} {version} states Requires-Python {stated}", stated
    claimed, found = _admitted_minors(claim.python), _admitted_minors(stated)
    if claimed == found:
        return Verdict(status=Status.ALIGNED, evidence=said, published=column, lock=lock)
    parts = [f"not {_minor_list(claimed - found)}"] if claimed - found else []
    parts += [f"also {_minor_list(found - claimed)}"] if found - claimed else []
    text = f"{said}: {' and '.join(parts)}"
    return Verdict(status=Status.DRIFT, evidence=text, published=column, lock=lock)


def _minor_list(minors: frozenset[str]) -> str:
    ordered = [minor for minor in _MINORS if minor in minors]
    return (
        f"{ordered[0]} and newer" if len(ordered) > 3 and ordered[-1] == _MINORS[-1] else ", ".join(ordered)
    )


def runs_on_python(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Judge that a distribution can be installed on one Python: by Requires-Python and its wheels' names."""
    name, version = _claimed_distribution(claim, document)
    stated = _stated_python(evidence, name, version)
    lock = ", ".join(evidence.held(document.release_of(claim), "").pythons)
    tags = _python_tags(evidence, name, version)
    if not stated and not tags:
        raise UnaskedError(f"{name} {version} states no Requires-Python and has no wheels")
    installable = claim.python in _installable_minors(stated, tags)
    status = Status.ALIGNED if installable else Status.DRIFT
    return Verdict(
        status=status, evidence=_metadata_text(name, version, stated, tags), published=stated, lock=lock
    )


def only_on_python(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Judge that a distribution is supported on one Python and on no other.

    If it cannot be installed there, the statement is wrong; if it can be installed there only, it is
    right. If others admit it too, nothing decides: what a publisher supports may be less.
    """
    first = runs_on_python(claim, document, evidence)
    if first.status is not Status.ALIGNED:
        return first
    name, version = _claimed_distribution(claim, document)
    others = _installable_minors(first.published, _python_tags(evidence, name, version)) - {claim.python}
    if not others:
        return first
    also = f"it can be installed on {_minor_list(others)} too, and nothing says what is supported"
    text = f"{first.evidence}; {also}"
    return replace(first, status=Status.UNKNOWN, evidence=text)


_WheelTag = tuple[str, str]
"""Interpreter and ABI of a wheel, such as ("cp310", "abi3")."""


def _python_tags(evidence: Evidence, name: str, version: str) -> frozenset[_WheelTag]:
    return frozenset(
        (tag.interpreter, tag.abi)
        for item in evidence.files(name, version)
        if item.wheel
        for tag in wheel_tags(item.file)
    )


def _metadata_text(name: str, version: str, stated: str, tags: frozenset[_WheelTag]) -> str:
    shown = ", ".join(sorted({interpreter for interpreter, _ in tags})) or "none"
    return f"{name} {version} states Requires-Python {stated or 'nothing'}, and its wheels are for {shown}"


def _installable_minors(stated: str, tags: frozenset[_WheelTag]) -> frozenset[str]:
    """Return the Pythons that Requires-Python admits and that a wheel fits; without wheels, the former."""
    return frozenset(
        minor for minor in _admitted_minors(stated) if not tags or any(_tag_fits(minor, tag) for tag in tags)
    )


def _tag_fits(minor: str, tag: _WheelTag) -> bool:
    """Say whether a wheel's tag is for a Python: py3 for each, cp312 for one, cp310-abi3 for it and newer."""
    interpreter, abi = tag
    digits = int(minor.replace(".", ""))
    wanted = interpreter.removeprefix("cp")
    if abi == "abi3" and wanted.isdecimal():
        return digits >= int(wanted)
    return interpreter in {"py3", f"cp{digits}", f"py{digits}"}


def not_on_python(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Judge that a distribution cannot be installed on one Python."""
    name, version = claim.name, claim.version
    if not version:
        asked = evidence.asked_of(document.release_of(claim), evidence.distributions(name))
        version = next((exact_version(item.requirement.specifier) for item in asked), "")
        if not version:
            raise UnaskedError(f"{document.release_of(claim)} binds no version of {name}")
    stated = _stated_python(evidence, name, version)
    said = f"{name} {version} states Requires-Python {stated or 'nothing'}"
    if claim.python not in _admitted_minors(stated):
        return Verdict(status=Status.ALIGNED, evidence=said, published=stated)
    if not any(item.wheel for item in evidence.files(name, version)):
        text = f"{said}; none of the indexes asked here has its wheels"
        return Verdict(status=Status.UNKNOWN, evidence=text, published=stated)
    found = runs_on_python(claim, document, evidence)
    status = Status.DRIFT if found.status is Status.ALIGNED else Status.ALIGNED
    return Verdict(status=status, evidence=found.evidence, published=stated)
