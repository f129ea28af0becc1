"""What a report is made from: values that other packages computed. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from builder.attest import SignedRebuild
from builder.diff import Report
from builder.lockfile import Examined, Lock, Proof
from builder.matrix import Cell
from builder.report.alignment_record import JudgedClaim
from builder.report.build_record import BuildRecord

__all__ = ["ReleaseDate", "ReportFacts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseDate:
    """A release and the day that its recipe gives it."""

    version: str
    date: str
    """As YYYY-MM-DD; the age is told by the browser, so that a page does not depend on its day of making."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFacts:
    """Everything that the pages show, as `matrix`, `verify` and `diff` found it."""

    version: str
    """Of this program."""
    selection: str
    """The options that chose the targets; empty if nothing was named."""
    releases: tuple[ReleaseDate, ...] = ()
    """The newest first."""
    cells: tuple[Cell, ...] = ()
    """Of the support matrix; none without recipes."""
    locks: tuple[Examined, ...]
    proofs: tuple[Proof, ...]
    """What `verify` proves without a network."""
    builds: tuple[BuildRecord, ...] = ()
    """Builds whose records were named."""
    claims: tuple[JudgedClaim, ...] = ()
    """What `align` judged of documents, if its result was named."""
    rebuilds: tuple[SignedRebuild, ...] = ()
    """Statements of rebuilds, if a folder of them was named."""
    change: Report | None = None
    """What `diff` finds, if the report is compared with something."""

    def readable(self) -> Mapping[str, Lock]:
        """Return the locks that could be read, by the name of their file."""
        return {one.name: one.lock for one in self.locks if one.lock is not None}

    def finding_counts(self) -> dict[str, int]:
        """Return how many findings each lock has, by the name of its file."""
        return dict(Counter(finding.lock for proof in self.proofs for finding in proof.findings))
