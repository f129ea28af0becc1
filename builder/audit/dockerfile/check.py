"""Which pins of a file hold: each with its status, what was found, and the evidence. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement

from builder.audit.align.evidence import Evidence, tag_version, version_of
from builder.audit.align.existence import existence, nearest
from builder.audit.align.published import Tags, UnaskedError
from builder.audit.align.verdict import Status
from builder.audit.dockerfile.names import is_pin, meant, names_a_ref
from builder.audit.dockerfile.pin import Kind, Pin
from builder.audit.dockerfile.variables import UNRESOLVED
from builder.errors import UsageError
from builder.resolve.python.names import admits, exact_version, name_of

__all__ = ["Finding", "check_pins"]

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_SHORT_COMMIT = re.compile(r"[0-9a-f]{7,39}")
_BRANCH = re.compile(
    r"(?i)(refs/heads/.*|origin/.*|head|main|master|trunk|devel(op)?|dev|latest|nightly|stable|v?\d+(\.\d+)*\.x|release/.*)"
)
_MOST = 2000
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the answer."""

    pin: Pin
    status: Status
    what: str
    """In one or two words, such as `holds`, `floating base`, `no such tag`, `unused`."""
    evidence: str


def check_pins(pins: Iterable[Pin], evidence: Evidence, release: str = "") -> tuple[Finding, ...]:
    """Judge every pin; with `release` also against what our locks of it hold. UsageError for too many."""
    found: list[Finding] = []
    given = tuple(pins)
    if len(given) > _MOST:
        raise UsageError(f"{len(given)} pins are too many to judge (at most {_MOST})")
    for pin in given:
        found += _judged(pin, evidence, release)
    found += _conflicts(given, evidence)
    return tuple(sorted(found, key=lambda item: item.pin.line))


def _judged(pin: Pin, evidence: Evidence, release: str) -> list[Finding]:
    rules: dict[Kind, Callable[[], Iterator[Finding]]] = {
        Kind.IMAGE: lambda: _image(pin),
        Kind.ARGUMENT: lambda: _argument(pin, evidence, release),
        Kind.GIT: lambda: _git(pin, evidence),
        Kind.DOWNLOAD: lambda: _download(pin),
        Kind.REQUIREMENT: lambda: _requirement(pin, evidence, release),
        Kind.PACKAGES: lambda: _packages(pin),
        Kind.COMMAND: lambda: iter(()),
    }
    try:
        found = list(rules[pin.kind]())
    except UnaskedError as error:
        found = [_finding(pin, Status.UNKNOWN, "not asked", str(error))]
    if pin.forgiven:
        found.append(_finding(pin, Status.DRIFT, "hidden failure", "the build goes on where it fails (`||`)"))
    return found


def _finding(pin: Pin, status: Status, what: str, text: str) -> Finding:
    return Finding(pin=pin, status=status, what=what, evidence=text)


def _open(pin: Pin) -> Finding:
    return _finding(pin, Status.UNKNOWN, "decided later", "what it is, only the build knows")


def _image(pin: Pin) -> Iterator[Finding]:
    if _DIGEST.search(pin.value):
        yield _finding(pin, Status.ALIGNED, "holds", "named by digest")
    elif not pin.value or UNRESOLVED in pin.value:
        yield _open(pin)
    else:
        name, _, tag = pin.value.rpartition(":")
        tagged = bool(name) and "/" not in tag
        text = f"the tag {tag} can be moved" if tagged else "no tag: whatever is newest"
        yield _finding(pin, Status.DRIFT, "floating base", f"{text}; name it by digest (@sha256:…)")


def _argument(pin: Pin, evidence: Evidence, release: str) -> Iterator[Finding]:
    if pin.unused:
        yield _finding(pin, Status.DRIFT, "unused", "nothing in the file uses it: its value has no effect")
    if not is_pin(pin.name):
        return
    if not pin.value or UNRESOLVED in pin.value:
        yield _finding(pin, Status.UNKNOWN, "decided later", "it has no default")
        return
    subject = meant(pin.name, evidence.names)
    if _COMMIT.fullmatch(pin.value):
        yield _finding(pin, Status.ALIGNED, "holds", "a commit")
        return
    tags = _tags(evidence, evidence.repository(subject)) if subject else None
    if _BRANCH.fullmatch(pin.value) or (tags and pin.value in tags.branches and pin.value not in tags.tags):
        yield _moves(pin)
        return
    if not subject:
        yield _finding(pin, Status.UNKNOWN, "not asked", "what it is a version of is not known here")
        return
    found = existence(evidence, subject, pin.value)
    if not found.exists:
        yield _finding(pin, Status.IMPOSSIBLE, "no such version", found.said)
        return
    said = f"{subject} {version_of(pin.value)} is {found.said}"
    if tags and pin.value not in tags.tags and names_a_ref(pin.name):
        said = f"{said}; as it is written it is no tag"
    different = _of_release(pin, subject, pin.value, evidence, release)
    yield different or _finding(pin, Status.ALIGNED, "holds", said)


def _of_release(pin: Pin, subject: str, version: str, evidence: Evidence, release: str) -> Finding | None:
    """Return what differs from our locks of the release, if there is one and anything does."""
    lock = evidence.locked(release, subject) if release else ""
    if not lock or any(version_of(item) == version_of(version) for item in lock.split(", ")):
        return None
    return _finding(pin, Status.DRIFT, "another version", f"our lock of {release} has {subject} {lock}")


def _tags(evidence: Evidence, url: str) -> Tags | None:
    try:
        return evidence.published.tags(url) if url else None
    except UnaskedError:
        return None


def _git(pin: Pin, evidence: Evidence) -> Iterator[Finding]:
    if UNRESOLVED in pin.name or UNRESOLVED in pin.value:
        yield _open(pin)
    elif not pin.value:
        yield _finding(
            pin, Status.DRIFT, "unpinned source", "whatever the default branch is when it is built"
        )
    elif _COMMIT.fullmatch(pin.value):
        yield _finding(pin, Status.ALIGNED, "holds", "a commit")
    else:
        yield _reference(pin, evidence)


def _reference(pin: Pin, evidence: Evidence) -> Finding:
    try:
        tags = evidence.published.tags(pin.name)
    except UnaskedError as error:
        if _BRANCH.fullmatch(pin.value):
            return _moves(pin)
        return _finding(pin, Status.UNKNOWN, "not asked", str(error))
    if pin.value in tags.tags:
        text = f"a tag ({tags.by}); tags can be moved, a commit cannot"
        return _finding(pin, Status.ALIGNED, "holds", text)
    if pin.value in tags.branches or _BRANCH.fullmatch(pin.value):
        return _moves(pin)
    return _absent(pin, tags)


def _moves(pin: Pin) -> Finding:
    return _finding(pin, Status.DRIFT, "branch", f"{pin.value} moves: name a tag or a commit")


def _absent(pin: Pin, tags: Tags) -> Finding:
    """Return what to think of a ref that is neither a tag nor a known branch."""
    if _SHORT_COMMIT.fullmatch(pin.value):
        return _finding(pin, Status.UNKNOWN, "not asked", "a shortened commit: write all 40 digits")
    spelled = {version: tag for tag in tags.tags if (version := tag_version(tag))}
    wanted = tag_version(pin.value.lstrip("v"))
    if wanted and spelled and wanted > max(spelled):
        return _finding(pin, Status.UNKNOWN, "not asked", f"newer than every tag ({tags.by})")
    near = f"; nearest: {nearest(wanted, spelled)}" if wanted and spelled else ""
    text = f"{pin.name} has no tag {pin.value} ({tags.by}){near}"
    return _finding(pin, Status.IMPOSSIBLE, "no such tag", text)


def _download(pin: Pin) -> Iterator[Finding]:
    if pin.checked:
        yield _finding(pin, Status.ALIGNED, "holds", "a checksum or a signature is checked with it")
        return
    text = "nothing checks what arrives"
    if pin.piped:
        text = "it goes straight into an interpreter, and nothing checks what arrives"
    yield _finding(pin, Status.DRIFT, "unpinned download", text)


def _packages(pin: Pin) -> Iterator[Finding]:
    names = pin.value.split()
    text = f"{len(names)} without a version: whatever the archive has when it is built"
    yield _finding(pin, Status.DRIFT, "unpinned packages", text)


def _requirement(pin: Pin, evidence: Evidence, release: str) -> Iterator[Finding]:
    if UNRESOLVED in pin.value:
        yield _open(pin)
        return
    try:
        requirement = Requirement(pin.value)
    except InvalidRequirement:
        yield _finding(pin, Status.IMPOSSIBLE, "no requirement", "pip cannot read it")
        return
    exact = exact_version(requirement.specifier)
    if not exact:
        today = "not bound by `==`" if pin.elsewhere else _today(requirement, evidence)
        yield _finding(pin, Status.DRIFT, "unpinned requirement", today)
        return
    found = existence(evidence, requirement.name, exact)
    if not found.exists and pin.elsewhere:
        text = f"another index is named, and it is not asked; on the default one {found.said}"
        yield _finding(pin, Status.UNKNOWN, "not asked", text)
        return
    if not found.exists:
        yield _finding(pin, Status.IMPOSSIBLE, "no such version", found.said)
        return
    different = _of_release(pin, name_of(requirement), exact, evidence, release)
    text = f"{found.said}{'' if pin.checked else '; no hash is given'}"
    yield different or _finding(pin, Status.ALIGNED, "holds", text)


def _today(requirement: Requirement, evidence: Evidence) -> str:
    try:
        known = evidence.project(requirement.name).versions()
    except UnaskedError as error:
        return f"not bound by `==`; {error}"
    fitting = [version for version in known if admits(requirement.specifier, str(version))]
    finals = [version for version in fitting if not version.is_prerelease]
    if not fitting:
        return "not bound by `==`, and no version fits"
    return f"not bound by `==`: today it is {(finals or fitting)[-1]}"


def _conflicts(pins: tuple[Pin, ...], evidence: Evidence) -> Iterator[Finding]:
    """Yield the pins that another pin's metadata excludes."""
    versions = dict(_exact_pins(pins, evidence))
    for pin in pins:
        requirement = _exact_requirement(pin)
        if requirement is None:
            continue
        version = exact_version(requirement.specifier)
        try:
            asked = evidence.requirements(requirement.name, version, requirement.extras)
        except UnaskedError:
            continue
        for item in asked:
            other = versions.get(name_of(item.requirement))
            if other and other[0].line != pin.line and not admits(item.requirement.specifier, other[1]):
                text = f"{item}, and line {pin.line} asks for that"
                yield _finding(other[0], Status.DRIFT, "conflict", text)


def _exact_requirement(pin: Pin) -> Requirement | None:
    if pin.kind is not Kind.REQUIREMENT or UNRESOLVED in pin.value:
        return None
    try:
        requirement = Requirement(pin.value)
    except InvalidRequirement:
        return None
    return requirement if exact_version(requirement.specifier) else None


def _exact_pins(pins: tuple[Pin, ...], evidence: Evidence) -> Iterator[tuple[str, tuple[Pin, str]]]:
    """Yield what each distribution is bound to, by an argument or by a requirement."""
    for pin in pins:
        requirement = _exact_requirement(pin)
        if requirement is not None:
            yield name_of(requirement), (pin, exact_version(requirement.specifier))
        elif pin.kind is Kind.ARGUMENT and is_pin(pin.name) and tag_version(pin.value):
            subject = meant(pin.name, evidence.names)
            for name in evidence.distributions(subject) if subject else ():
                yield name, (pin, str(tag_version(pin.value)))
