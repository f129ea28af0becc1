"""Fill the store from the network: in parallel, from the first place that has the right bytes."""

from __future__ import annotations

__all__ = ["Progress", "Quiet", "Request", "fetch_all"]

import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from builder.errors import BuilderError, DigestMismatchError, FetchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from builder.fetch.store import Store
    from builder.io.http import Client

_ENOUGH_FAILURES = 8  # an air gap shows after a few files; waiting for hundreds helps nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A file that the store should have: its digest, size in bytes where known, and where to try in order."""

    sha256: str
    size: int | None
    urls: tuple[str, ...]
    label: str


class Progress(Protocol):
    """What is told about a fetch; calls never overlap, and come from other threads."""

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


class _StoppedError(Exception):
    """Raised in a transfer when the others were interrupted."""


class _Fetch:
    """One run of `fetch_all`: what its threads share."""

    def __init__(self, store: Store, client: Client, progress: Progress) -> None:
        self._store = store
        self._client = client
        self._progress = progress
        self._telling = threading.Lock()
        self.stopped = threading.Event()

    def one(self, request: Request) -> None:
        """Store the file of `request` from its first place that has it; the last place's error otherwise."""
        errors: list[BuilderError] = []
        for url in request.urls:
            try:
                self._from(request, url)
            except (FetchError, DigestMismatchError) as error:
                errors.append(error)
                with self._telling:
                    self._progress.failed(request, error)
                continue
            with self._telling:
                self._progress.finished(request)
            return
        raise _unobtained(request, errors)

    def _from(self, request: Request, url: str) -> None:
        self._check_stopped()
        with self._telling:
            self._progress.started(request, url)

        def heard(position: int) -> None:
            self._check_stopped()
            with self._telling:
                self._progress.advanced(request, position)

        with self._store.incoming() as arriving:
            self._client.download(
                url, arriving.file, sha256=request.sha256, size=request.size, progress=heard
            )
            arriving.keep(request.sha256)

    def _check_stopped(self) -> None:
        if self.stopped.is_set():
            raise _StoppedError


def fetch_all(
    store: Store,
    requests: Sequence[Request],
    *,
    client: Client,
    jobs: int = 8,
    progress: Progress | None = None,
) -> None:
    """Bring every requested file into the store, `jobs` at a time.

    What the store has is not fetched again, and only bytes with the right
    digest enter it. A file that its first place does not have, or has wrong,
    is tried at the next. The other files are still fetched when one cannot
    be had, unless many cannot; the error then names each such file and what
    every place said: FetchError, or DigestMismatchError when the last place had wrong bytes.
    """
    missing: dict[str, Request] = {}
    for request in requests:
        if not store.has(request.sha256, request.size):
            missing.setdefault(request.sha256, request)
    # Large files first: a large one that starts last would run alone.
    order = sorted(missing.values(), key=lambda request: -(request.size or 0))
    fetch = _Fetch(store, client, progress or Quiet())
    (progress or Quiet()).planned(tuple(order))
    with ThreadPoolExecutor(max_workers=max(1, jobs), thread_name_prefix="fetch") as pool:
        try:
            failures = _work(pool, fetch, order, max(1, jobs))
        except BaseException:  # an interrupt ends the running transfers at their next chunk
            fetch.stopped.set()
            client.abort()
            raise
    if failures:
        raise _joined([failures[sha256] for sha256 in missing if sha256 in failures])


def _work(
    pool: ThreadPoolExecutor, fetch: _Fetch, order: Iterable[Request], jobs: int
) -> dict[str, BuilderError]:
    """Keep `jobs` transfers running; return the failures by digest."""
    waiting = iter(order)
    running: dict[Future[None], Request] = {}
    failures: dict[str, BuilderError] = {}
    while True:
        while len(running) < jobs and len(failures) < _ENOUGH_FAILURES and (request := next(waiting, None)):
            running[pool.submit(fetch.one, request)] = request
        if not running:
            return failures
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            request = running.pop(future)
            try:
                future.result()
            except (FetchError, DigestMismatchError) as error:
                failures[request.sha256] = error


def _unobtained(request: Request, errors: Sequence[BuilderError]) -> BuilderError:
    """Return the last place's error, saying what each place said."""
    if not errors:
        hint = "Configure its origin or a mirror in origins.toml"
        return FetchError("no place is known that has it", place=request.label, hint=hint)
    last = errors[-1]
    if len(errors) == 1:
        return last.within(request.label)
    said = "".join(f"\n  {error}" for error in errors)
    return type(last)(f"none of {len(errors)} places has it:{said}", place=request.label, hint=last.hint)


def _joined(errors: Sequence[BuilderError]) -> BuilderError:
    """Return one error that says all of them; of the first one's class unless bytes were wrong somewhere."""
    if len(errors) == 1:
        return errors[0]
    wrong = [error for error in errors if isinstance(error, DigestMismatchError)]
    said = "".join(f"\n{error}" for error in errors)
    return type((wrong or errors)[0])(f"{len(errors)} files could not be fetched:{said}", hint=errors[0].hint)
