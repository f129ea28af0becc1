"""The order of work: which file is asked for where and when, within the limits of each host.

One file tries its places in turn on its way into the store.
"""

from __future__ import annotations

import heapq
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from builder.errors import BuilderError, DigestMismatchError, FetchError
from builder.fetch.mismatch import explained
from builder.io import LARGEST_FILE, Download, DownloadStep, Ended, Exchanges, Network, Transfer
from builder.store import Partial, Progress, Request, Store, open_partial

__all__ = ["Arrival", "work"]


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
            self._transfer.restart()  # whatever was left there is not the beginning of this file
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
        """Return the error with what differs from a file that is known to be right."""
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


_ENOUGH_FAILURES = 8  # an air gap shows after a few files; waiting for hundreds helps nobody
_TICK = 0.5  # seconds between looks at what libcurl does not wake us for
_BUSY_PAUSE = 0.1  # seconds between looks at a file that another process fetches


def work(
    store: Store, requests: Sequence[Request], *, network: Network, jobs: int, progress: Progress
) -> dict[str, BuilderError]:
    """Fetch the files, `jobs` at a time; return those that could not be obtained, by digest.

    What has arrived of a file that is not complete stays for the next fetch, on an interrupt too.
    """
    with Exchanges(network) as exchanges:
        queue = _FetchQueue(
            store, requests, exchanges=exchanges, network=network, jobs=jobs, progress=progress
        )
        try:
            return queue.run()
        finally:
            queue.leave()


class _FetchQueue:
    """Files that wait for their turn, for another process, for a host, for the end of a pause, for bytes."""

    def __init__(
        self,
        store: Store,
        requests: Sequence[Request],
        *,
        exchanges: Exchanges,
        network: Network,
        jobs: int,
        progress: Progress,
    ) -> None:
        self._store = store
        self._exchanges = exchanges
        self._network = network
        self._jobs = jobs
        self._progress = progress
        self._new = deque(requests)
        self._busy: deque[Request] = deque()
        self._busy_until = 0.0
        self._ready: deque[tuple[Arrival, DownloadStep]] = deque()
        self._paused: list[tuple[float, int, Arrival, DownloadStep]] = []
        self._numbers = count()
        self._open: dict[Arrival, str] = {}
        self._lost: set[str] = set()
        self._hosts: Counter[str] = Counter()
        self._failures: dict[str, BuilderError] = {}

    def run(self) -> dict[str, BuilderError]:
        """Work until nothing is left to do."""
        while True:
            self._wake_paused()
            self._admit_files()
            self._start_exchanges()
            if not self._open and not self._busy and not self._new:
                return self._failures
            if len(self._failures) >= _ENOUGH_FAILURES:
                self._new.clear()
                self._busy.clear()
            for ended in self._exchanges.wait(self._time_to_wait()):
                self._settle_exchange(ended)

    def leave(self) -> None:
        """Close what is still open."""
        for arrival in self._open:
            arrival.leave()

    def _admit_files(self) -> None:
        """Begin with files while there is room."""
        while len(self._open) < self._jobs and (request := self._next_request()) is not None:
            if self._store.has(request.sha256, request.size):  # another process has brought it
                self._progress.finished(request)
                continue
            try:
                partial = open_partial(self._store, request.sha256)
            except BuilderError as error:
                self._failures[request.sha256] = error.within(request.label)
                continue
            if partial is None:
                self._busy.append(request)
                continue
            if self._store.has(request.sha256, request.size):  # published just before it was ours
                partial.discard()
                self._progress.finished(request)
                continue
            arrival = Arrival(
                request,
                partial,
                network=self._network,
                progress=self._progress,
                is_lost=self._lost.__contains__,
                lose=self._lost.add,
            )
            self._open[arrival] = ""
            self._take_step(arrival, arrival.first())

    def _next_request(self) -> Request | None:
        """Return the next file to look at: first those that no worker has looked at."""
        if self._new:
            return self._new.popleft()
        if not self._busy or time.monotonic() < self._busy_until:
            return None
        self._new, self._busy = self._busy, deque()
        self._busy_until = time.monotonic() + _BUSY_PAUSE
        return self._new.popleft()

    def _start_exchanges(self) -> None:
        """Send what may be sent: a host has only so many connections."""
        for _ in range(len(self._ready)):
            arrival, step = self._ready.popleft()
            host = urlsplit(step.url).netloc
            if self._hosts[host] >= self._network.limit(host):
                self._ready.append((arrival, step))
                continue
            self._hosts[host] += 1
            self._open[arrival] = host
            self._exchanges.start(step.url, arrival.headers(), arrival)

    def _settle_exchange(self, ended: Ended) -> None:
        arrival = cast("Arrival", ended.receiver)
        self._hosts[self._open[arrival]] -= 1
        self._take_step(arrival, arrival.after(ended))

    def _take_step(self, arrival: Arrival, step: DownloadStep) -> None:
        """Put a file where it waits for its next step."""
        if not step.url:
            del self._open[arrival]
            failure = arrival.end()
            if failure is not None:
                self._failures[arrival.request.sha256] = failure
        elif step.pause > 0:
            until = time.monotonic() + step.pause
            heapq.heappush(self._paused, (until, next(self._numbers), arrival, step))
        else:
            self._ready.append((arrival, step))

    def _wake_paused(self) -> None:
        while self._paused and self._paused[0][0] <= time.monotonic():
            _, _, arrival, step = heapq.heappop(self._paused)
            self._ready.append((arrival, step))

    def _time_to_wait(self) -> float:
        """Return how long to wait for bytes before something else may be due."""
        moments = [self._paused[0][0]] if self._paused else []
        if self._busy and len(self._open) < self._jobs:
            moments.append(self._busy_until)
        elif self._new and len(self._open) < self._jobs:
            return 0.0
        return max(0.0, min([_TICK, *(moment - time.monotonic() for moment in moments)]))
