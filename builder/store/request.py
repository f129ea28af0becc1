"""What is asked of a fetch: the files that the store should have, who may be asked, and who hears of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from builder.errors import BuilderError
from builder.io import Access

__all__ = ["Progress", "Quiet", "Request"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A file that the store should have: its digest, size in bytes where known, and where to try in order."""

    sha256: str
    size: int | None
    urls: tuple[str, ...]
    label: str
    known: Path | None = None
    """A file with the right bytes, to explain wrong ones by."""
    access: Access | None = None


class Progress(Protocol):
    """What is told about a fetch."""

    def planned(self, requests: Sequence[Request]) -> None:
        """Hear which files will be fetched: those the store has not."""

    def started(self, request: Request, url: str) -> None:
        """Hear that `url` is tried."""

    def advanced(self, request: Request, position: int) -> None:
        """Hear how many bytes have arrived; a restart makes it smaller."""

    def finished(self, request: Request) -> None:
        """Hear that the store has the file."""

    def failed(self, request: Request, error: BuilderError) -> None:
        """Hear that one place, named by the error, did not give the file."""


class Quiet:
    """The progress that nobody watches."""

    def planned(self, requests: Sequence[Request]) -> None:
        """Say nothing."""

    def started(self, request: Request, url: str) -> None:
        """Say nothing."""

    def advanced(self, request: Request, position: int) -> None:
        """Say nothing."""

    def finished(self, request: Request) -> None:
        """Say nothing."""

    def failed(self, request: Request, error: BuilderError) -> None:
        """Say nothing."""
