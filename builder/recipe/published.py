"""What a release publishes itself: listed beside what we lock, with its digest or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from builder.model import Evidence, Sha256

__all__ = ["Published", "PublishedKind"]


class PublishedKind(StrEnum):
    """How something is published."""

    IMAGE = "image"
    CHART = "chart"
    CRATE = "crate"
    WHEEL = "wheel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One thing that upstream published as part of a release; no lock is made from it."""

    kind: PublishedKind
    name: str
    """A wheel's file name; an image's or chart's name with its tag; a crate's name and version."""
    sha256: Sha256 | None = None
    """Of the file, or of an image's index."""
    evidence: Evidence | None = None
    by: str = ""
    """Who published the digest, for evidence `declared`."""
    absent: str = ""
    """Why no digest is known."""
