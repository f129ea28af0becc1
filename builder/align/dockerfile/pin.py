"""A pin of a hand-written file, and what is found about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from builder.align import Evidence, Status, version_of

__all__ = [
    "Judgement",
    "Pin",
    "PinFinding",
    "PinKind",
    "PinLedger",
    "aligned",
    "decided_later",
    "drift",
    "finding",
    "of_release",
    "text_excerpt",
    "unknown",
]

_LONGEST_EXCERPT = 60


class PinKind(StrEnum):
    """What is pinned."""

    IMAGE = "image"
    ARGUMENT = "argument"
    GIT = "git"
    DOWNLOAD = "download"
    REQUIREMENT = "requirement"
    PACKAGES = "packages"
    FILE = "file"
    """A requirements file or a project's folder that is named, not read."""
    RESOLVER = "resolver"
    """A command that chooses versions while the image is built."""
    COMMAND = "command"
    """A step of a build that is of interest only because its failure is hidden."""
    SHELL = "shell"
    """Text or commands of a RUN that were not understood."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a reader of commands itself says of a pin."""

    status: Status
    what: str
    text: str


def aligned(text: str) -> Judgement:
    """Return a judgement that something holds."""
    return Judgement(Status.ALIGNED, "holds", text)


def drift(what: str, text: str) -> Judgement:
    """Return a judgement that something moves."""
    return Judgement(Status.DRIFT, what, text)


def unknown(what: str, text: str) -> Judgement:
    """Return a judgement that the file does not decide."""
    return Judgement(Status.UNKNOWN, what, text)


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
    replaced: bool = False
    """Whether that index is asked instead of the default one, not besides."""
    reason: str = ""
    """How much was not understood, and why."""
    judged: tuple[Judgement, ...] = ()
    """What the reader of the command says of it, instead of what its kind decides."""
    besides: tuple[Judgement, ...] = ()
    """Further findings at the same place, such as a check that is switched off."""
    note: str = ""
    """What its evidence does not cover, as a clause."""
    binders: tuple[str, ...] = ()
    """Files of constraints, or a local index, which may bind a requirement that is not bound here."""
    uses: tuple[Pin, ...] = ()
    """Pins that take the value of an argument."""
    only_image: bool = False
    """Whether an argument only names images."""


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


class PinLedger:
    """The pins of a file while it is read: what a later line does to an earlier pin changes it here."""

    def __init__(self) -> None:
        self.pins: list[Pin] = []

    def add(self, pin: Pin) -> int:
        """Add a pin; return its number."""
        self.pins.append(pin)
        return len(self.pins) - 1

    def replace(self, number: int, pin: Pin) -> None:
        """Put another pin in the place of one."""
        self.pins[number] = pin


def decided_later(pin: Pin) -> PinFinding:
    """Return that a pin is not in the file."""
    return finding(pin, Status.UNKNOWN, "decided later", "only the build knows its value")


def of_release(pin: Pin, subject: str, version: str, evidence: Evidence, release: str) -> PinFinding | None:
    """Return what differs from our locks of the release, if there is one and anything does."""
    lock = evidence.locked(release, subject) if release else ""
    if not lock or any(version_of(item) == version_of(version) for item in lock.split(", ")):
        return None
    return finding(pin, Status.DRIFT, "another version", f"our lock of {release} has {subject} {lock}")


def text_excerpt(text: str) -> str:
    """Return the beginning of a text as one line of at most 60 characters."""
    line = " ".join(text[: 4 * _LONGEST_EXCERPT].split())
    return line if len(line) <= _LONGEST_EXCERPT else f"{line[: _LONGEST_EXCERPT - 1]}…"
