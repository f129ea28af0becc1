"""The classes of risk, from the highest to the lowest, and the rules that several kinds of row share."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from builder.lockfile import BASE, RUNTIME
from builder.model import Evidence

__all__ = ["UPGRADES", "Risk", "Vouched", "enters", "evidence", "replaced", "voucher"]


class Risk(StrEnum):
    """How a change is to be taken; declared, and ordered by `rank`, from the highest risk down."""

    BYTES = "bytes"
    """The same version, other bytes."""
    EVIDENCE = "evidence"
    """Weaker evidence than before: another voucher, or no digest any more."""
    ORIGIN = "origin"
    """A new origin, index, repository or publisher."""
    TAG = "tag"
    """A tag that means another commit or image than before."""
    ACCELERATOR = "accelerator"
    """A build for another accelerator: another label, or another member of a family of names."""
    DOWNGRADE = "downgrade"
    """An older version, or two versions whose order cannot be known."""
    PRERELEASE = "prerelease"
    """A newer version that its publisher calls a pre-release: alpha, beta, release candidate, development."""
    NEW = "new"
    """A package that was not there, or that was not in the image."""
    SIGNATURE = "signature"
    """A signature was removed, or another key made the new one."""
    LICENCE = "licence"
    """Another licence, or none stated any more."""
    YANKED = "yanked"
    """The index has withdrawn the file."""
    SETTINGS = "settings"
    """Build steps, flags, environment, checks and settings: what is executed, and with what."""
    REMOVED = "removed"
    """A package was removed."""
    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"
    CONSEQUENCE = "consequence"
    """What follows from other changes, or says nothing about bytes."""

    @property
    def rank(self) -> int:
        """Return the place in the order of risk: 0 is the highest."""
        return _RANKS[self]

    @property
    def heading(self) -> str:
        """Return the heading for people."""
        return _HEADINGS[self]


UPGRADES = (Risk.MAJOR, Risk.MINOR, Risk.PATCH)
"""The classes of an ordinary upgrade."""

_RANKS = {risk: rank for rank, risk in enumerate(Risk)}
_HEADINGS = {
    Risk.BYTES: "Same version, other bytes",
    Risk.EVIDENCE: "Weaker evidence than before",
    Risk.ORIGIN: "New origin or index",
    Risk.TAG: "Tag moved",
    Risk.ACCELERATOR: "Built for another accelerator",
    Risk.DOWNGRADE: "Downgrade",
    Risk.PRERELEASE: "To a pre-release",
    Risk.NEW: "New package",
    Risk.SIGNATURE: "Signature removed or changed",
    Risk.LICENCE: "Licence changed",
    Risk.YANKED: "Yanked",
    Risk.SETTINGS: "Build steps, flags, environment, checks, settings",
    Risk.REMOVED: "Removed",
    Risk.MAJOR: "Upgrade, major",
    Risk.MINOR: "Upgrade, minor",
    Risk.PATCH: "Upgrade, patch",
    Risk.CONSEQUENCE: "Mere consequences",
}


class Vouched(Protocol):
    """A row that says who vouches for its digest."""

    @property
    def evidence(self) -> Evidence | None:
        """Return the kind of evidence."""

    @property
    def by(self) -> str:
        """Return who published the digest, for evidence `declared`."""


_STRENGTH = {None: 0, Evidence.DECLARED: 1, Evidence.INDEX: 2, Evidence.OBSERVED: 3}


def evidence(before: Evidence | None, after: Evidence | None) -> Risk:
    """Judge a changed evidence: only a weaker one is a risk."""
    return Risk.EVIDENCE if _STRENGTH[after] < _STRENGTH[before] else Risk.CONSEQUENCE


def voucher(old: Vouched, new: Vouched) -> Risk:
    """Judge another `by`: who vouches instead is a new origin, who vouches first goes with the evidence."""
    return Risk.ORIGIN if old.by else evidence(old.evidence, new.evidence)


def replaced(before: str, risk: Risk) -> Risk:
    """Return `risk` where a text that was stated is another or none now; stating it at last is none."""
    return risk if before else Risk.CONSEQUENCE


def enters(before: tuple[str, ...], after: tuple[str, ...]) -> bool:
    """Say whether a row was outside the image, and is in it now."""
    inside = {RUNTIME, BASE}
    return not inside & set(before) and bool(inside & set(after))
