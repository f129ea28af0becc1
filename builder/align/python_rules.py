"""Rules about Pythons. Pure."""

from __future__ import annotations

from dataclasses import replace

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from builder.align.claims import Claim, Document
from builder.align.evidence import DYNAMO, Evidence
from builder.align.published import UnaskedError
from builder.align.verdict import Status, Verdict
from builder.model import exact_version, wheel_tags

__all__ = ["not_on_python", "only_on_python", "python", "runs_on_python"]

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
    except InvalidSpecifier:
        raise UnaskedError(f"{specifier!r} is not a range of versions") from None
    return frozenset(
        minor for minor in _MINORS if any(found.contains(f"{minor}.{patch}") for patch in _PATCHES)
    )


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
