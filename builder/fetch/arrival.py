"""One file on its way from its places into the store."""

from __future__ import annotations

__all__ = ["Arrival"]

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from builder.errors import BuilderError, DigestMismatchError, FetchError
from builder.fetch.mismatch import explained
from builder.io import LARGEST_FILE, Download, DownloadStep, Network, Transfer
from builder.store import Partial, Progress, Request

_EXPLAINED = 4  # times the right size, and
_EXPLAINED_AT_LEAST = 2**26  # bytes: more of wrong bytes is not read


class Arrival(Download):
    """The download of one request into the store's arriving file `partial`.

    `is_lost(host)` says whether a host was found unreachable before, and is
    tried only once then; `lose(host)` is told of one that is.
    """

    def __init__(
        self,
        request: Request,
        partial: Partial,
        *,
        network: Network,
        progress: Progress,
        is_lost: Callable[[str], bool],
        lose: Callable[[str], None],
    ) -> None:
        transfer = Transfer(
            partial,
            place="",
            # To explain wrong bytes, all of them are needed: they may be more or fewer than promised.
            size=request.size if request.known is None else None,
            limit=LARGEST_FILE if request.known is None else _longest_explained(request.known),
            sha256=request.sha256,
            position=partial.position,
            received=partial.received,
            progress=lambda position: progress.advanced(request, position),
        )
        super().__init__(request.urls, transfer, network=network, label=request.label, access=request.access)
        self.request = request
        self._partial = partial
        self._progress = progress
        self._is_lost = is_lost
        self._lose = lose

    def first(self) -> DownloadStep:
        """Return the first step, which takes what an earlier process left as the beginning of the file."""
        size = self.request.size
        if size is not None and self._transfer.position >= size and not self._transfer.is_right():
            self._transfer.restart()  # whatever was left there, it is no beginning of the file
        return super().first()

    def end(self) -> BuilderError | None:
        """Keep a whole file, else leave what has arrived; return why the store does not have it, if so."""
        if self.failure is None:
            try:
                self._partial.keep()
            except OSError as cause:
                where = f" ({cause.filename2})" if cause.filename2 else ""
                self.failure = FetchError(
                    f"cannot be stored: {cause.strerror or cause}{where}", place=self.request.label
                )
        if self.failure is None:
            self._progress.finished(self.request)
        else:
            self.leave()
        return self.failure

    def leave(self) -> None:
        """Leave what has arrived for the next process."""
        self._partial.leave()

    def place_tried(self, place: str) -> None:
        """Tell the progress."""
        self._progress.started(self.request, place)

    def place_refused(self, error: BuilderError) -> None:
        """Tell the progress."""
        self._progress.failed(self.request, error)

    def explained(self, error: DigestMismatchError) -> BuilderError:
        """Return the error with what differs from the file that is known to be right, where there is one."""
        return explained(error, self.request.known, self._partial.path)

    def attempts_at(self, url: str) -> int:
        """Return how often `url` is tried: once where its host was unreachable for another file."""
        return 1 if self._is_lost(urlsplit(url).netloc) else super().attempts_at(url)

    def unreached(self, url: str) -> None:
        """Remember that the host cannot be reached."""
        self._lose(urlsplit(url).netloc)


def _longest_explained(known: Path) -> int:
    """Return how many bytes are read of a file that should be equal to `known`."""
    return _EXPLAINED * known.stat().st_size + _EXPLAINED_AT_LEAST
