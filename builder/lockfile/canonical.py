"""The canonical form of a lock: the order of its rows, the digest of its inputs, the first odd line. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from builder.model import ImageDigest, Sha256

__all__ = ["first_difference", "row_key", "summary_digest"]


def summary_digest(inputs: Iterable[tuple[str, str]]) -> ImageDigest:
    """Return the digest of a table of input digests."""
    text = "".join(f"{key} {value}\n" for key, value in sorted(inputs))
    return ImageDigest(f"sha256:{Sha256.of(text.encode())}")


def row_key(row: Any) -> tuple[str, ...]:
    """Return what a row is identified and ordered by."""
    kind: Any = type(row)
    parts = (getattr(row, name) for name in _key_fields(kind))
    return tuple(" ".join(part) if isinstance(part, tuple) else str(part) for part in parts)


@cache
def _key_fields(kind: type) -> tuple[str, ...]:
    names = ("component", "name", "suite", "version", "arch", "file", "origin", "build", "for_")
    return tuple(name for name in names if hasattr(kind, name))


def first_difference(canonical: bytes, found: bytes) -> int:
    """Return the number of the first line that is not the same, from 1."""
    lines = zip(canonical.split(b"\n"), found.split(b"\n"), strict=False)
    for number, (left, right) in enumerate(lines, start=1):
        if left != right:
            return number
    return min(canonical.count(b"\n"), found.count(b"\n")) + 1
