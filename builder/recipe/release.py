"""Release recipes: versions that belong together, their targets, and what upstream published itself. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from builder.model import Arch, Evidence, Sha256, Table, Target

__all__ = ["PublishedArtifact", "PublishedArtifactKind", "Release", "TargetRefusal", "TargetSet"]


class PublishedArtifactKind(StrEnum):
    """How something is published."""

    IMAGE = "image"
    CHART = "chart"
    CRATE = "crate"
    WHEEL = "wheel"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedArtifact:
    """One thing that upstream published as part of a release; no lock is made from it."""

    kind: PublishedArtifactKind
    name: str
    """A wheel's file name; an image's or chart's name with its tag; a crate's name and version."""
    sha256: Sha256 | None = None
    """Of the file, or of an image's index."""
    evidence: Evidence | None = None
    by: str = ""
    """Who published the digest, for evidence `declared`."""
    absent: str = ""
    """Why no digest is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSet:
    """Targets that a release is locked for."""

    framework: str
    platforms: tuple[str, ...]
    arches: tuple[Arch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRefusal:
    """Targets that cannot be, and why, in one line."""

    framework: str
    reason: str
    platforms: tuple[str, ...] = ()
    """Empty means every platform, also those to come."""
    arches: tuple[Arch, ...] = ()
    """Empty means both."""
    trap: str = ""
    unreached: bool = False
    """A place could not be reached when locks were made: `lock` tries, and says whether it still is so."""

    def holds(self, target: Target) -> bool:
        """Say whether it is about `target`, whose release is its own."""
        return (
            target.framework == self.framework
            and (not self.platforms or target.platform in self.platforms)
            and (not self.arches or target.arch in self.arches)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One Dynamo release as a bill of versions."""

    version: str
    date: str
    """The day of the release, such as 2026-08-28."""
    exclude_newer: str
    """RFC 3339 in UTC: no Python file and no tag after it counts."""
    components: Table
    """Component to version."""
    framework_components: Mapping[str, Table] = field(default_factory=dict)
    """By framework: component versions that hold for it instead of those of `components`."""
    python: Mapping[str, Table]
    """By framework, or `all`, or `installer` (pip): distribution to exact version."""
    extends: str = ""
    """Another release, whose versions, day and date bound hold where this one says nothing.

    Conditions on a release's version are judged by the version at the end of this chain.
    """
    replaces: bool = False
    """In a project: whether this file takes the place of the catalogue's file of the same name."""
    default: bool = False
    targets: tuple[TargetSet, ...] = ()
    refused: tuple[TargetRefusal, ...] = ()
    published: tuple[PublishedArtifact, ...] = ()
    """What upstream published as this release, each with its digest or why there is none."""
    evidence: Table = field(default_factory=Table)
    """Where each claim comes from, by key."""
