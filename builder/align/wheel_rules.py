"""Rules about what wheels are made for: glibc, CUDA, architectures, platforms, GPUs. Pure."""

from __future__ import annotations

import re

from packaging.utils import canonicalize_name

from builder.align.claims import Claim, Document
from builder.align.evidence import DYNAMO, RUNTIME, Evidence, version_of
from builder.align.published import UnaskedError
from builder.align.verdict import Status, Verdict
from builder.matrix import GENERATIONS
from builder.model import Arch, exact_version, glibc_floor, normalized_name, wheel_tags
from builder.recipe import Platform

__all__ = ["arch", "cuda", "cuda_floor", "glibc", "gpu", "platform"]

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
    floor = _own_floor(evidence, RUNTIME, release, wanted)
    if floor is None:
        text = f"{RUNTIME} {release} has no wheel for {wanted}"
        return Verdict(status=Status.IMPOSSIBLE, evidence=text, lock=lock)
    return Verdict(status=Status.ALIGNED, evidence=f"{RUNTIME} {release} has wheels for {wanted}", lock=lock)


def platform(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Judge that a release's wheels can be installed on a distribution."""
    release, wanted = document.release_of(claim), claim.arch or Arch.X86_64
    known = [item for item in evidence.library.platforms.values() if item.os == claim.os]
    if not known:
        raise UnaskedError(f"no recipe knows the glibc of {claim.os}")
    floor, who = _glibc_floor(evidence, RUNTIME, release, wanted)
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
