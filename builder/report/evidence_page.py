"""Evidence: who vouches for the digests of each release: observed, stated by an index, or declared. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from builder.lockfile import Lock
from builder.report.alignment_record import JudgedClaim
from builder.report.tables import ReportTable, TableCell, TableColumn, text_row

__all__ = ["EvidencePage", "evidence_page"]

_Digest = tuple[str, str, str, str, str, str]
"""Release, section, name, version, evidence, and who declared it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePage:
    """What the template of evidence shows."""

    counts: ReportTable
    declared: ReportTable
    signers: ReportTable
    claims: ReportTable | None
    """None if no result of `align` was named."""


def evidence_page(locks: Iterable[Lock], claims: Sequence[JudgedClaim] = ()) -> EvidencePage:
    """Return who vouches for the digests of the locks, each row of a release counted once."""
    known = list(locks)
    digests = sorted({digest for lock in known for digest in _lock_digests(lock)})
    return EvidencePage(
        counts=_counts_table(digests),
        declared=_declared_table(digests),
        signers=_signers_table(known),
        claims=_claims_table(claims) if claims else None,
    )


def _lock_digests(lock: Lock) -> Iterator[_Digest]:
    release = lock.release
    signed = {row.origin for row in lock.repositories if row.signed_by}
    for image in lock.images:
        yield release, "images", image.name, image.tag, image.evidence.value, image.by
    for source in lock.sources:
        yield release, "sources", source.component, source.version, source.evidence.value, ""
    for archive in lock.archives:
        yield release, "archives", archive.file, archive.version, archive.evidence.value, archive.by
    for row in lock.python:
        evidence = row.evidence.value if row.evidence else "built here, no digest"
        yield release, "python", row.name, f"{row.version} {row.file}", evidence, row.by
    for package in lock.os_packages:
        by = "signed index" if package.origin in signed else "unsigned index"
        yield release, "os-packages", package.name, f"{package.version} {package.arch}", by, ""


def _counts_table(digests: Iterable[_Digest]) -> ReportTable:
    counts = Counter((release, section, evidence) for release, section, _, _, evidence, _ in digests)
    return ReportTable(
        name="counts",
        caption="Rows by evidence",
        columns=(
            TableColumn("release", choice=True),
            TableColumn("section", choice=True),
            TableColumn("evidence", choice=True),
            TableColumn("rows", number=True),
        ),
        rows=tuple(
            text_row(*key, TableCell(str(count), value=count)) for key, count in sorted(counts.items())
        ),
    )


def _declared_table(digests: Iterable[_Digest]) -> ReportTable:
    return ReportTable(
        name="declared",
        caption="Digests that somebody declared",
        columns=(
            TableColumn("release", choice=True),
            TableColumn("section", choice=True),
            TableColumn("name"),
            TableColumn("version"),
            TableColumn("declared by", choice=True),
        ),
        rows=tuple(
            text_row(release, section, name, version.strip(), by or "not named")
            for release, section, name, version, evidence, by in digests
            if evidence == "declared"
        ),
    )


def _signers_table(locks: Iterable[Lock]) -> ReportTable:
    found: dict[tuple[str, ...], int] = {}
    for lock in locks:
        for row in lock.repositories:
            for signer in row.signed_by or ("no certificate",):
                key = (lock.release, row.origin, row.suite, row.date, signer)
                found[key] = found.get(key, 0) + 1
    return ReportTable(
        name="signers",
        caption="Who signed the indexes of OS packages",
        columns=(
            TableColumn("release", choice=True),
            TableColumn("origin", choice=True),
            TableColumn("suite", choice=True),
            TableColumn("date"),
            TableColumn("certificate"),
            TableColumn("locks", number=True),
        ),
        rows=tuple(
            text_row(*key, TableCell(str(count), value=count)) for key, count in sorted(found.items())
        ),
    )


def _claims_table(claims: Iterable[JudgedClaim]) -> ReportTable:
    return ReportTable(
        name="claims",
        caption="What documents claim, what was published, what the locks hold",
        columns=(
            TableColumn("claim"),
            TableColumn("verdict", choice=True),
            TableColumn("release", choice=True),
            TableColumn("published"),
            TableColumn("lock"),
            TableColumn("why"),
            TableColumn("document", choice=True),
            TableColumn("section"),
        ),
        rows=tuple(
            text_row(
                TableCell(
                    one.claim or one.quote or one.section,
                    notes=(one.quote,) if one.claim and one.quote else (),
                ),
                one.status,
                one.release,
                one.published,
                one.lock,
                one.evidence,
                one.source,
                one.section,
            )
            for one in claims
        ),
    )
