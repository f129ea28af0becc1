"""What was published: the index's projects, the metadata of their files, the tags of repositories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from builder.index import IndexProject

__all__ = ["Metadata", "Published", "RepositoryTags", "UnaskedError"]


class UnaskedError(Exception):
    """Something could not be asked: its text says what and why. Nothing may be concluded from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What one version of a distribution says of itself."""

    requires: tuple[str, ...]
    extras: tuple[str, ...]
    python: str
    """Requires-Python, or empty."""
    kind: str
    """`wheel`, `sdist`, or `stub`: an sdist that downloads the real wheel (trap T5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryTags:
    """The tags and branches of one repository, and how they are known."""

    tags: tuple[str, ...]
    branches: tuple[str, ...]
    by: str


class Published(Protocol):
    """The questions that judging asks; each raises UnaskedError where there is no answer to be had."""

    def project(self, name: str) -> IndexProject | None:
        """Return a project of the index; None where the index has none of this name."""
        ...

    def metadata(self, name: str, version: str) -> Metadata:
        """Return what a version that is on the index says of itself."""
        ...

    def tags(self, url: str) -> RepositoryTags:
        """Return the tags of a git repository."""
        ...
