"""What a row says that an image holds: a path, and how its bytes are known. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from builder.model import FileFact

__all__ = ["FileClaim", "Ground", "fits"]


class Ground(StrEnum):
    """Why a file counts as explained, the strongest first."""

    BYTES = "bytes"
    """Its SHA-256 is that of the locked file's member."""
    LIST = "list"
    """It agrees with a list in the image itself (RECORD, md5sums), whose own bytes nobody vouches for."""
    PLACE = "place"
    """A build of the lock installs below this folder, in one layer; the bytes are not compared."""
    RULE = "rule"
    """A program of the lock is known to write this path; the bytes are not compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileClaim:
    """One path that a row explains; empty digests accept any content."""

    path: str
    ground: Ground
    sha256: str = ""
    md5: str = ""
    target: str = ""
    """Of a symbolic link."""
    mode: int | None = None


def fits(claim: FileClaim, fact: FileFact) -> Iterator[str]:
    """Yield how a file differs from what is claimed of it."""
    if claim.target:
        if fact.kind != "symlink" or fact.target != claim.target:
            yield f"it should be a link to {claim.target}"
    elif (claim.sha256 and fact.sha256 != claim.sha256) or (
        not claim.sha256 and claim.md5 and fact.md5 and fact.md5 != claim.md5
    ):
        yield "its bytes differ"
    elif claim.mode is not None and fact.mode & 0o6000 & ~claim.mode:
        yield f"it runs with its owner's rights: mode {fact.mode:04o}"
