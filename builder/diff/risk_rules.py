"""What changes of the fields mean that several kinds of row share."""

from __future__ import annotations

from typing import Protocol

from builder.diff.risk import Risk
from builder.lockfile import BASE, RUNTIME
from builder.model import Evidence

__all__ = ["Vouched", "enters", "evidence", "replaced", "voucher"]


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
