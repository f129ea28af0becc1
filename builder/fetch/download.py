"""Fill the store from the network: in parallel, from the first place that has the right bytes."""

from __future__ import annotations

__all__ = ["ADMISSIONS", "Access", "Progress", "Quiet", "Request", "fetch_all"]

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from builder.errors import BuilderError, DigestMismatchError
from builder.fetch.journal import journal, recover, sweep
from builder.fetch.store import Store
from builder.io.network import Network

ADMISSIONS = 4
"""How often a host is asked for something to show, for one file: another request may use up a token first."""


class Access(Protocol):
    """How a place is asked that refuses whoever does not show what it has given out: a registry."""

    def header(self, url: str) -> str | None:
        """Return the Authorization header to ask `url` with, where another than the host's own is known."""

    def obtain(self, url: str, challenge: str) -> bool:
        """Obtain what a refusal (`WWW-Authenticate`) asks for; whether `header` knows it now (FetchError)."""


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


def fetch_all(
    store: Store,
    requests: Sequence[Request],
    *,
    network: Network | None = None,
    jobs: int = 16,
    progress: Progress | None = None,
) -> None:
    """Bring every requested file into the store, at most `jobs` at a time.

    What the store has is not fetched again, and only bytes with the right
    digest enter it. A file that its first place does not have, or has wrong,
    is tried at the next. The other files are still fetched when one cannot
    be had, unless many cannot; the error then names each such file and what
    every place said: FetchError, or DigestMismatchError when the last place had wrong bytes.
    What another process is fetching into the same store is waited for. After
    a kill the next fetch goes on where this one stopped.
    """
    recover(store)
    missing: dict[str, Request] = {}
    for request in requests:
        if not store.has(request.sha256, request.size):
            missing.setdefault(request.sha256, request)
    # Large files first: a large one that starts last would run alone.
    order = sorted(missing.values(), key=lambda request: -(request.size or 0))
    watching = progress or Quiet()
    watching.planned(tuple(order))
    if not order:
        return
    from builder.fetch.queue import work  # noqa: PLC0415 - libcurl is not needed to find that all is there

    sweep(store)
    with journal(store, missing):
        failures = work(store, order, network=network or Network(), jobs=max(1, jobs), progress=watching)
    if failures:
        raise _joined([failures[sha256] for sha256 in missing if sha256 in failures])


def _joined(errors: Sequence[BuilderError]) -> BuilderError:
    """Return one error that says all of them; of the first one's class unless bytes were wrong somewhere."""
    if len(errors) == 1:
        return errors[0]
    wrong = [error for error in errors if isinstance(error, DigestMismatchError)]
    said = "".join(f"\n{error}" for error in errors)
    return type((wrong or errors)[0])(f"{len(errors)} files could not be fetched:{said}", hint=errors[0].hint)
