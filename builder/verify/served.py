"""What a project page of an index says now, against the rows of a lock. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from builder.lockfile import Finding, PythonPackage, found, row_label

__all__ = ["judge_listed", "offers_attestations"]


def judge_listed(rows: Iterable[PythonPackage], page: Any) -> Iterator[Finding]:
    """Yield rows that a page (PEP 691, as parsed JSON) does not list, lists otherwise, or calls yanked.

    A page that states provenance (PEP 740) for any file states it for all that have it.
    """
    files = page.get("files") if isinstance(page, dict) else None
    if not isinstance(files, list):
        yield from (found("unknown", "the index gives no list of files", row=row_label(row)) for row in rows)
        return
    listed = {str(file.get("filename")): file for file in files if isinstance(file, dict)}
    offers = offers_attestations(page)
    for row in rows:
        file = listed.get(row.file)
        if file is None:
            yield found("gone", f"the index no longer lists {row.file}", row=row_label(row))
            continue
        yield from _file_findings(row, file, offers=offers)


def offers_attestations(page: Any) -> bool:
    """Whether a page says of any file if there is an attestation of it."""
    files = page.get("files") if isinstance(page, dict) else None
    return isinstance(files, list) and any(isinstance(f, dict) and "provenance" in f for f in files)


def _file_findings(row: PythonPackage, file: dict[str, Any], *, offers: bool) -> Iterator[Finding]:
    hashes = file.get("hashes")
    stated = str(hashes.get("sha256", "")) if isinstance(hashes, dict) else ""
    if not stated:
        yield found("unknown", "the index states no sha256", row=row_label(row))
    elif stated != row.sha256:
        yield found(
            "changed", f"the index states sha256 {stated[:80]}, locked is {row.sha256}", row=row_label(row)
        )
    yanked = file.get("yanked", False)
    if yanked:
        why = f": {yanked[:200]}" if isinstance(yanked, str) else ""
        yield found("yanked", f"the index calls {row.file} yanked{why}", row=row_label(row))
    if offers and not file.get("provenance"):
        yield found("unattested", "the index has no attestation for it", row=row_label(row))
