"""One thing that a file pins or leaves open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

__all__ = ["Kind", "Pin"]


class Kind(StrEnum):
    """What is pinned."""

    IMAGE = "image"
    ARGUMENT = "argument"
    GIT = "git"
    DOWNLOAD = "download"
    REQUIREMENT = "requirement"
    PACKAGES = "packages"
    COMMAND = "command"
    """A step of a build that is of interest only because its failure is hidden."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A pin, or the place where one is missing."""

    line: int
    kind: Kind
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
    elsewhere: bool = False
    """Whether another index than the default one is named for a requirement."""

    def replaced(self, *, unused: bool) -> Pin:
        """Return it marked as unused, or as used."""
        return replace(self, unused=unused)
