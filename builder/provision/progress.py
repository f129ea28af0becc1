"""The progress of a fetch on the console."""

from __future__ import annotations

from collections.abc import Sequence

from builder.console import Transfers
from builder.errors import BuilderError, DigestMismatchError
from builder.project import Project
from builder.store import Quiet, Request

__all__ = ["FetchProgress"]


class FetchProgress(Quiet):
    """Progress in bytes; what a place did not give is said once the file has been had from another."""

    def __init__(self, project: Project, shown: Transfers) -> None:
        self._console = project.console
        self._shown = shown
        self._positions: dict[str, int] = {}
        self._said: dict[str, list[str]] = {}

    def planned(self, requests: Sequence[Request]) -> None:
        """Say how much is to come."""
        self._shown.planned(len(requests), sum(request.size or 0 for request in requests))

    def advanced(self, request: Request, position: int) -> None:
        """Count bytes."""
        self._shown.advanced(position - self._positions.get(request.sha256, 0))
        self._positions[request.sha256] = position

    def finished(self, request: Request) -> None:
        """Say which file has arrived."""
        self._shown.advanced((request.size or 0) - self._positions.pop(request.sha256, 0))
        for text in self._said.pop(request.sha256, []):
            self._console.warning(text)
        self._shown.done(request.label)

    def failed(self, request: Request, error: BuilderError) -> None:
        """Remember wrong bytes: a place that has them deserves attention, one that has none does not."""
        if isinstance(error, DigestMismatchError):
            self._said.setdefault(request.sha256, []).append(f"{request.label}: {error}")
