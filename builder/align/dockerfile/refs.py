"""Whether the versions and refs of arguments (`FLASHINF_REF`) and git commands hold. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from builder.align import (
    Evidence,
    RepositoryTags,
    Status,
    UnaskedError,
    existence,
    nearest,
    tag_version,
    version_of,
)
from builder.align.dockerfile.pin import Pin, PinFinding, decided_later, finding, of_release
from builder.align.dockerfile.variables import UNRESOLVED

__all__ = ["is_pin", "judged_argument", "judged_git", "meant", "names_a_ref"]

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_SHORT_COMMIT = re.compile(r"[0-9a-f]{7,39}")
_BRANCH = re.compile(
    r"(?i)(refs/heads/.*|origin/.*|head|main|master|trunk|devel(op)?|dev|latest|nightly|stable|v?\d+(\.\d+)*\.x|release/.*)"
)


def judged_argument(pin: Pin, evidence: Evidence, release: str, refs: frozenset[str]) -> Iterator[PinFinding]:
    """Judge an argument; `refs` are what the file's git commands ask for."""
    if pin.name == "#":
        text = "Docker knows no comment behind an ARG: it declares each of these words as an argument"
        yield finding(pin, Status.DRIFT, "comment after ARG", text)
        return
    if pin.unused:
        text = "nothing in the file uses it: its value has no effect"
        if pin.named_at:
            text = f"line {pin.named_at} is of a stage that does not declare it: there it is empty"
        yield finding(pin, Status.DRIFT, "unused", text)
    if not is_pin(pin.name):
        return
    if not pin.value or UNRESOLVED in pin.value:
        yield finding(pin, Status.UNKNOWN, "decided later", "it has no default")
        return
    subject = meant(pin.name, evidence.names)
    tags = _tags_or_none(evidence, evidence.repository(subject)) if subject else None
    moving = _branch_finding(pin, tags)
    if moving:
        yield moving
        return
    found = _tag_finding(pin, subject, tags, evidence, refs)
    different = found.status is Status.ALIGNED and of_release(pin, subject, pin.value, evidence, release)
    yield different or found


def _branch_finding(pin: Pin, tags: RepositoryTags | None) -> PinFinding | None:
    """Return what is to be said of a commit or a branch, or None for anything else."""
    if _COMMIT.fullmatch(pin.value):
        return finding(pin, Status.ALIGNED, "holds", "a commit")
    if _BRANCH.fullmatch(pin.value) or (tags and pin.value in tags.branches and pin.value not in tags.tags):
        return _moving_finding(pin)
    return None


def _tag_finding(
    pin: Pin, subject: str, tags: RepositoryTags | None, evidence: Evidence, refs: frozenset[str]
) -> PinFinding:
    if not subject:
        return finding(pin, Status.UNKNOWN, "not asked", "it is not known here what it is a version of")
    strange = tags is not None and pin.value not in tags.tags and names_a_ref(pin.name)
    if tags and strange and tag_version(pin.value) is None:
        return _absent_finding(pin, evidence.repository(subject), tags)
    found = existence(evidence, subject, pin.value)
    if not found.exists:
        return finding(pin, Status.IMPOSSIBLE, "no such version", found.said)
    if tags and strange and found.uploaded is None and not _names_a_tag(pin.value, tags, refs):
        return _absent_finding(pin, evidence.repository(subject), tags)
    said = f"{subject} {version_of(pin.value)} is {found.said}"
    return finding(pin, Status.ALIGNED, "holds", said)


def _names_a_tag(value: str, tags: RepositoryTags, refs: frozenset[str]) -> bool:
    """Whether the file takes the version of `value` by the tag that there is, such as v1.20.0 for 1.20.0."""
    return any(ref in tags.tags and tag_version(ref) == tag_version(value) for ref in refs)


def _tags_or_none(evidence: Evidence, url: str) -> RepositoryTags | None:
    try:
        return evidence.published.tags(url) if url else None
    except UnaskedError:
        return None


def judged_git(pin: Pin, evidence: Evidence) -> Iterator[PinFinding]:
    """Judge what a git command asks for."""
    if UNRESOLVED in pin.name or UNRESOLVED in pin.value:
        yield decided_later(pin)
    elif not pin.value:
        yield finding(pin, Status.DRIFT, "unpinned source", "the build takes the default branch of its day")
    elif _COMMIT.fullmatch(pin.value):
        yield finding(pin, Status.ALIGNED, "holds", "a commit")
    else:
        yield _version_finding(pin, evidence)


def _version_finding(pin: Pin, evidence: Evidence) -> PinFinding:
    try:
        tags = evidence.published.tags(pin.name)
    except UnaskedError as error:
        if _BRANCH.fullmatch(pin.value):
            return _moving_finding(pin)
        return finding(pin, Status.UNKNOWN, "not asked", str(error))
    if pin.value in tags.tags:
        text = f"a tag ({tags.by}); tags can be moved, a commit cannot"
        return finding(pin, Status.ALIGNED, "holds", text)
    if pin.value in tags.branches or _BRANCH.fullmatch(pin.value):
        return _moving_finding(pin)
    return _absent_finding(pin, pin.name, tags)


def _moving_finding(pin: Pin) -> PinFinding:
    return finding(pin, Status.DRIFT, "branch", f"{pin.value} moves: name a tag or a commit")


def _absent_finding(pin: Pin, url: str, tags: RepositoryTags) -> PinFinding:
    """Return what to think of a ref that is neither a tag nor a known branch."""
    if _SHORT_COMMIT.fullmatch(pin.value):
        return finding(pin, Status.UNKNOWN, "not asked", "a shortened commit: write all 40 digits")
    spelled = {version: tag for tag in tags.tags if (version := tag_version(tag))}
    wanted = tag_version(pin.value.lstrip("v"))
    if wanted and spelled and wanted > max(spelled):
        return finding(pin, Status.UNKNOWN, "not asked", f"newer than every tag ({tags.by})")
    near = f"; nearest: {nearest(wanted, spelled)}" if wanted and spelled else ""
    text = f"{url} has no tag {pin.value} ({tags.by}){near}"
    return finding(pin, Status.IMPOSSIBLE, "no such tag", text)


_SUFFIX = re.compile(r"_?(REF|VERSION|VER|TAG|COMMIT|BRANCH|SHA|RELEASE)$", re.IGNORECASE)
_REF = re.compile(r"_?(REF|TAG|BRANCH)$", re.IGNORECASE)
_SHORTEST = 5
"""So many letters of a name's beginning are enough, where one name alone begins so."""


def is_pin(name: str) -> bool:
    """Whether an argument's name says that its value is a version or a ref."""
    return bool(_SUFFIX.search(name))


def names_a_ref(name: str) -> bool:
    """Whether an argument's name says that its value is a ref of git as it is written."""
    return bool(_REF.search(name))


def meant(name: str, known: Iterable[str]) -> str:
    """Return which of the `known` names an argument is about, or nothing."""
    words = [word for word in re.split(r"[_-]+", _SUFFIX.sub("", name).lower()) if word]
    by_letters = {item.replace("-", ""): item for item in sorted(known)}
    # The last words count most: NIXL_UCX_REF is UCX's.
    for start in range(len(words)):
        letters = "".join(words[start:])
        if letters in by_letters:
            return by_letters[letters]
        beginning = [item for key, item in by_letters.items() if key.startswith(letters)]
        if len(letters) >= _SHORTEST and len(beginning) == 1:
            return beginning[0]
    return ""
