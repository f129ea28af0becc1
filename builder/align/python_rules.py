"""Rules about Pythons. Pure."""

from __future__ import annotations

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from builder.align.claims import Claim, Document
from builder.align.evidence import DYNAMO, Evidence
from builder.align.published import UnaskedError
from builder.align.verdict import Status, Verdict
from builder.model import exact_version, wheel_tags

__all__ = ["not_on_python", "python", "runs_on_python"]

_MINORS = tuple(f"3.{minor}" for minor in range(6, 20))


def _subject(claim: Claim, document: Document) -> tuple[str, str]:
    return claim.name or DYNAMO, claim.version or document.release_of(claim)


def _stated_python(evidence: Evidence, name: str, version: str) -> str:
    stated = {item.requires_python for item in evidence.files(name, version)} - {""}
    return min(stated) if stated else ""


def _admitted(specifier: str) -> frozenset[str]:
    try:
        found = SpecifierSet(specifier)
    except InvalidSpecifier:
        raise UnaskedError(f"{specifier!r} is not a range of versions") from None
    return frozenset(minor for minor in _MINORS if found.contains(minor))


def python(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Judge that the Pythons are exactly these."""
    name, version = _subject(claim, document)
    stated = _stated_python(evidence, name, version)
    lock = ", ".join(evidence.held(document.release_of(claim), "").pythons)
    said, column = f"{name} {version} states Requires-Python {stated or 'nothing'}", stated
    claimed, found = _admitted(claim.python), _admitted(stated)
    if claimed == found:
        return Verdict(status=Status.ALIGNED, evidence=said, published=column, lock=lock)
    parts = [f"not {_listed(claimed - found)}"] if claimed - found else []
    parts += [f"also {_listed(found - claimed)}"] if found - claimed else []
    text = f"{said}: {' and '.join(parts)}"
    return Verdict(status=Status.DRIFT, evidence=text, published=column, lock=lock)


def _listed(minors: frozenset[str]) -> str:
    ordered = [minor for minor in _MINORS if minor in minors]
    return (
        f"{ordered[0]} and newer" if len(ordered) > 3 and ordered[-1] == _MINORS[-1] else ", ".join(ordered)
    )


def runs_on_python(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Judge that a distribution can be installed on one Python."""
    name, version = _subject(claim, document)
    stated = _stated_python(evidence, name, version)
    lock = ", ".join(evidence.held(document.release_of(claim), "").pythons)
    admitted = claim.python in _admitted(stated)
    tags = {
        tag.interpreter
        for item in evidence.files(name, version)
        if item.wheel
        for tag in wheel_tags(item.file)
    }
    digits = claim.python.replace(".", "")
    fitting = (
        not tags
        or any(tag in {"py3", f"cp{digits}"} for tag in tags)
        or _has_stable_abi(evidence, name, version)
    )
    said = f"{name} {version} states Requires-Python {stated or 'nothing'}, and its wheels are for "
    text = f"{said}{', '.join(sorted(tags)) or 'none'}"
    status = Status.ALIGNED if admitted and fitting else Status.DRIFT
    return Verdict(status=status, evidence=text, published=stated, lock=lock)


def _has_stable_abi(evidence: Evidence, name: str, version: str) -> bool:
    files = evidence.files(name, version)
    return any(tag.abi == "abi3" for item in files if item.wheel for tag in wheel_tags(item.file))


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
    if claim.python not in _admitted(stated):
        return Verdict(status=Status.ALIGNED, evidence=said, published=stated)
    if not any(item.wheel for item in evidence.files(name, version)):
        text = f"{said}; none of the indexes asked here has its wheels"
        return Verdict(status=Status.UNKNOWN, evidence=text, published=stated)
    found = runs_on_python(claim, document, evidence)
    status = Status.DRIFT if found.status is Status.ALIGNED else Status.ALIGNED
    return Verdict(status=status, evidence=found.evidence, published=stated)
