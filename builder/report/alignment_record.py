"""What `align --format json` judged of documents' claims, read back for the page of evidence. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from builder.errors import UsageError
from builder.json_text import parse_json

__all__ = ["JudgedClaim", "read_judged_claims"]

_MOST_ROWS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedClaim:
    """One statement of a document beside what was published and what our lock holds."""

    source: str
    section: str
    quote: str
    release: str
    claim: str
    published: str
    lock: str
    status: str
    evidence: str


def read_judged_claims(data: bytes, *, place: str) -> tuple[JudgedClaim, ...]:
    """Read the rows of `align --format json` (UsageError for anything else, also for pins of files)."""
    try:
        return tuple(map(_judged_claim, _align_rows(parse_json(data))))
    except (ValueError, KeyError, TypeError, AttributeError) as cause:
        raise UsageError(
            "is not what `align --format json` says of claims",
            place=place,
            hint="write it with: python -m builder align --release all --format json",
        ) from cause


def _align_rows(value: Any) -> list[Any]:
    rows = value["rows"]
    if value["command"] != "align" or not isinstance(rows, list) or len(rows) > _MOST_ROWS:
        raise ValueError("another document")
    return rows


def _judged_claim(row: Any) -> JudgedClaim:
    names = JudgedClaim.__dataclass_fields__
    if set(row) != set(names):
        raise ValueError("other keys")
    # A field may be absent in the verdict: a claim without a lock has none.
    return JudgedClaim(**{name: "" if row[name] is None else str(row[name]) for name in names})
