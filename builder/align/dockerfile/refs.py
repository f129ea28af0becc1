"""Whether the versions and refs of arguments (`FLASHINF_REF`) and git commands hold. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from builder.align import (
    Evidence,
    RepositoryTags,
    Status,
    UnaskedError,
    existence_anywhere,
    nearest,
    tag_version,
    version_of,
)
from builder.align.dockerfile.pin import Pin, PinFinding, PinKind, decided_later, finding, of_release
from builder.align.dockerfile.variables import UNRESOLVED

__all__ = ["is_pin", "judged_argument", "judged_git", "meant", "names_a_ref"]

_SUFFIX = re.compile(r"_?(REF|VERSION|VER|TAG|COMMIT|BRANCH|SHA|RELEASE)$", re.IGNORECASE)
_REF = re.compile(r"_?(REF|TAG|BRANCH)$", re.IGNORECASE)
_SHORTEST = 5
"""So many letters of a name's beginning are enough, where one name alone begins so."""
_MISSING = 3
"""At most so many letters of a name may be missing at its end."""
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_SHORT_COMMIT = re.compile(r"[0-9a-f]{7,39}")
_BRANCH = re.compile(
    r"(?i)(refs/heads/.*|origin/.*|head|main|master|trunk|devel(op)?|dev|latest|nightly|stable|v?\d+(\.\d+)*\.x|release/.*)"
)
_LIKE_A_VERSION = re.compile(r"v*\d+(\.\w+)*([-_.]?(rc|dev|post)\d*)?")
"""Refs of such names are recorded, branches too (NAMED_LIKE_A_VERSION): what is not recorded is not there."""


def is_pin(name: str) -> bool:
    """Whether an argument's name says that its value is a version or a ref."""
    return bool(_SUFFIX.search(name))


def names_a_ref(name: str) -> bool:
    """Whether an argument's name says that its value is a ref of git as it is written."""
    return bool(_REF.search(name))


def meant(name: str, known: Iterable[str]) -> str:
    """Return which of the `known` names an argument is about by its whole name, or nothing.

    The name may leave out up to three letters at its end (FLASHINF), or words at its beginning (OFI_NCCL is
    aws-ofi-nccl): each if one known name alone fits. NIXL_UCX and OFI_NCCL do not mean UCX and NCCL: they may
    be the versions of something else that is named after it.
    """
    words = [word for word in re.split(r"[_-]+", _SUFFIX.sub("", name).lower()) if word]
    letters = "".join(words)
    by_letters = {item.replace("-", "").lower(): item for item in sorted(known)}
    if letters in by_letters:
        return by_letters[letters]
    if len(letters) < _SHORTEST:
        return ""
    near = [
        item
        for key, item in by_letters.items()
        if key.startswith(letters) and len(key) - len(letters) <= _MISSING
    ]
    near += [
        item
        for item in by_letters.values()
        if len(words) > 1 and item.lower().endswith(f"-{'-'.join(words)}")
    ]
    return near[0] if len(near) == 1 else ""


def judged_argument(pin: Pin, evidence: Evidence, release: str) -> Iterator[PinFinding]:
    """Judge an argument by what the file does with it, and where it does nothing by its name."""
    if pin.name == "#":
        text = "Docker knows no comment behind an ARG: it declares each of these words as an argument"
        yield finding(pin, Status.DRIFT, "comment after ARG", text)
        return
    for judged in pin.judged:
        yield finding(pin, judged.status, judged.what, judged.text)
    if pin.judged:
        return
    if pin.unused:
        text = "nothing in the file uses it: its value has no effect"
        if pin.named_at:
            text = f"line {pin.named_at} is of a stage that does not declare it: this value is not seen there"
        yield finding(pin, Status.DRIFT, "unused", text)
    if not is_pin(pin.name):
        return
    if not pin.value or UNRESOLVED in pin.value:
        yield finding(pin, Status.UNKNOWN, "decided later", "it has no default")
        return
    found = _argument_finding(pin, evidence)
    different = None
    if found.status is Status.ALIGNED and release and (subject := meant(pin.name, evidence.names)):
        different = of_release(pin, subject, pin.value, evidence, release)
    yield different or found


def _argument_finding(  # noqa: C901, PLR0911 - one return a kind of evidence
    pin: Pin, evidence: Evidence
) -> PinFinding:
    """Judge the value of an argument that names a version or a ref."""
    if _COMMIT.fullmatch(pin.value):
        return finding(pin, Status.ALIGNED, "holds", "a commit")
    if pin.only_image:
        text = "it names the tag of an image; registries are not asked"
        return finding(pin, Status.UNKNOWN, "not asked", text)
    taken = [use for use in pin.uses if use.kind is PinKind.GIT and UNRESOLVED not in use.name + use.value]
    if taken:
        # What git takes is the proof, whatever the name of the argument is.
        judged = [replace(next(iter(judged_git(use, evidence))), pin=pin) for use in taken]
        worst = max(judged, key=lambda item: _WEIGHTS[item.status])
        if worst.status is not Status.IMPOSSIBLE or any(use.value == pin.value for use in taken):
            return worst  # else the fault is what the command puts before the value
    subject = _required_name(pin) or meant(pin.name, evidence.names)
    tags = _tags_or_none(evidence, evidence.repository(subject)) if subject else None
    if _BRANCH.fullmatch(pin.value) or (tags and pin.value in tags.branches and pin.value not in tags.tags):
        return _moving_finding(pin)
    if not subject:
        return finding(pin, Status.UNKNOWN, "not asked", "it is not known here what it is a version of")
    if any(use.kind is PinKind.PACKAGES for use in pin.uses):
        text = "it is the version of a package of another archive, which is not asked"
        return finding(pin, Status.UNKNOWN, "not asked", text)
    packages = [use for use in pin.uses if use.kind in (PinKind.DOWNLOAD, PinKind.IMAGE)]
    try:
        found = existence_anywhere(evidence, subject, pin.value)
    except UnaskedError as error:
        return finding(pin, Status.UNKNOWN, "not asked", str(error))
    # A repository's tags prove what an index alone does not, if the file names another index.
    other_index = pin.elsewhere and tags is None
    if not found.exists and (packages or other_index or _is_packaging(pin.value)):
        text = f"it may be a version of another index or archive, which is not asked; {found.said}"
        return finding(pin, Status.UNKNOWN, "not asked", text)
    if not found.exists:
        return finding(pin, Status.IMPOSSIBLE, "no such version", found.said)
    if tags and names_a_ref(pin.name) and pin.value not in tags.tags and found.uploaded is None:
        # A script may put the `v` before it that the tag has, so nothing is proven.
        near = nearest_tags(pin.value, tags)
        text = f"no tag is written like that ({tags.by}){near}; what uses it is not read"
        return finding(pin, Status.UNKNOWN, "not asked", text)
    said = f"{subject} {version_of(pin.value)} is {found.said}"
    return finding(pin, Status.ALIGNED, "holds", said)


def _required_name(pin: Pin) -> str:
    """Return the distribution that a requirement takes in exactly this version from the default index."""
    for use in pin.uses:
        if use.kind is PinKind.REQUIREMENT and not (use.elsewhere or use.binders or UNRESOLVED in use.value):
            name, equals, version = use.value.partition("==")
            if equals and version.split(";")[0].strip() == pin.value.removeprefix("v"):
                return name.partition("[")[0].strip()
    return ""


_WEIGHTS = {Status.ALIGNED: 0, Status.UNKNOWN: 1, Status.DRIFT: 2, Status.IMPOSSIBLE: 3}


def _is_packaging(value: str) -> bool:
    """Whether a version is one of a distribution's packages, such as 2.27.5-1+cuda12.8."""
    return bool(re.search(r"-\d|\+|~|\.(el|fc|amzn)\d", value))


def nearest_tags(value: str, tags: RepositoryTags) -> str:
    """Return the tags around a version as a clause, or nothing."""
    spelled = {version: tag for tag in tags.tags if (version := tag_version(tag))}
    wanted = tag_version(value.lstrip("v"))
    return f"; nearest: {nearest(wanted, spelled)}" if wanted and spelled else ""


def _tags_or_none(evidence: Evidence, url: str) -> RepositoryTags | None:
    try:
        return evidence.published.tags(url) if url else None
    except UnaskedError:
        return None


def judged_git(pin: Pin, evidence: Evidence) -> Iterator[PinFinding]:
    """Judge what a git command asks for."""
    if pin.judged:
        yield from (finding(pin, item.status, item.what, item.text) for item in pin.judged)
    elif UNRESOLVED in pin.name or UNRESOLVED in pin.value:
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
    value = pin.value.removeprefix("refs/").removeprefix("tags/")
    if value in tags.tags:
        text = f"a tag ({tags.by}); tags can be moved, a commit cannot"
        return finding(pin, Status.ALIGNED, "holds", text)
    if value.removeprefix("origin/").removeprefix("heads/") in tags.branches or _BRANCH.fullmatch(pin.value):
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
    text = f"{url} has no tag {pin.value} ({tags.by}){nearest_tags(pin.value, tags)}"
    if not tags.all_branches and not _LIKE_A_VERSION.fullmatch(pin.value):
        return finding(pin, Status.UNKNOWN, "not asked", f"{text}; its branches are not recorded")
    return finding(pin, Status.IMPOSSIBLE, "no such tag", text)
