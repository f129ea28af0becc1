"""A pin of a hand-written file, and what is found about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from builder.align import Evidence, Status, version_of

__all__ = ["Pin", "PinFinding", "PinKind", "decided_later", "finding", "of_release"]


class PinKind(StrEnum):
    """What is pinned."""

    IMAGE = "image"
    ARGUMENT = "argument"
    GIT = "git"
    DOWNLOAD = "download"
    REQUIREMENT = "requirement"
    PACKAGES = "packages"
    FILE = "file"
    """A requirements file that is named, not read."""
    COMMAND = "command"
    """A step of a build that is of interest only because its failure is hidden."""
    SHELL = "shell"
    """Text of a RUN that was not understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A pin, or the place where one is missing."""

    line: int
    kind: PinKind
    name: str
    """An argument, an instruction or program, or a repository's address."""
    value: str
    """An image, a default, a ref, a URL, a requirement, or names of packages."""
    checked: bool = False
    """Whether a checksum or a signature is checked with it, or a hash is given."""
    piped: bool = False
    """Whether a download goes straight into an interpreter."""
    forgiven: bool = False
    """Whether a failure is hidden."""
    unused: bool = False
    """Whether nothing uses an argument."""
    named_at: int = 0
    """The line that names an unused argument in a stage which does not declare it, or 0."""
    elsewhere: bool = False
    """Whether another index than the default one is named for a requirement."""
    reason: str = ""
    """How much text was not understood, and why."""

    def replaced(self, *, unused: bool, named_at: int) -> Pin:
        """Return it marked as unused, or as used."""
        return replace(self, unused=unused, named_at=named_at if unused else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinFinding:
    """One line of the answer."""

    pin: Pin
    status: Status
    what: str
    """In one or two words, such as `holds`, `floating base`, `no such tag`, `unused`."""
    evidence: str


def finding(pin: Pin, status: Status, what: str, text: str) -> PinFinding:
    """Return a finding of a pin."""
    return PinFinding(pin=pin, status=status, what=what, evidence=text)


def decided_later(pin: Pin) -> PinFinding:
    """Return that a pin is not in the file."""
    return finding(pin, Status.UNKNOWN, "decided later", "only the build knows its value")


def of_release(pin: Pin, subject: str, version: str, evidence: Evidence, release: str) -> PinFinding | None:
    """Return what differs from our locks of the release, if there is one and anything does."""
    lock = evidence.locked(release, subject) if release else ""
    if not lock or any(version_of(item) == version_of(version) for item in lock.split(", ")):
        return None
    return finding(pin, Status.DRIFT, "another version", f"our lock of {release} has {subject} {lock}")
