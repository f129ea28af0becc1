"""The download of one file: over its places, attempts and redirects, until its bytes are the right ones.

A `Download` is a state machine. It never touches the network: it says which
URL to ask next (`Step`), receives the bytes that libcurl brings, and decides
after each exchange what to do. So one thread drives thousands of them
(`builder.fetch`), and `download_file` drives a single one.

What ends an exchange, and what follows:

- a redirect: the same request at the new URL, at most `REDIRECTS` times;
- a refusal (401) of a place with an `Access`: the same URL with what that obtained;
- a failure that may pass: the same place after a pause, at most `ATTEMPTS`
  times; an attempt that brought a mebibyte counts as progress, not as failure;
- anything else, wrong bytes included: the next place.
"""

from __future__ import annotations

__all__ = ["ADMISSIONS", "Access", "Download", "DownloadStep", "download_file"]

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from builder.errors import BuilderError, DigestMismatchError, FetchError
from builder.io.exchange import IDENTITY, REDIRECT_STATUS, NoRangesError, check_status, redirect_target
from builder.io.network import ATTEMPTS, LARGEST_FILE, NETWORK_HINT, REDIRECTS, pause_before_retry
from builder.io.places import joined_error
from builder.io.transfer import Sink, Transfer, TransientError
from builder.redact import redacted

if TYPE_CHECKING:
    from builder.io.curl import Ended
    from builder.io.network import Network

ADMISSIONS = 4
"""How often a host is asked for something to show, for one file: another request may use up a token first."""

_GAIN = 2**20  # bytes; an attempt that brings this many does not count as failed
_REFUSED = 401
_TICK = 0.5  # seconds between looks at an interrupt


class Access(Protocol):
    """How a place is asked that refuses whoever does not show what it has given out: a registry."""

    def header(self, url: str) -> str | None:
        """Return the Authorization header to ask `url` with, where another than the host's own is known."""

    def obtain(self, url: str, challenge: str) -> bool:
        """Obtain what a refusal (`WWW-Authenticate`) asks for; whether `header` knows it now (FetchError)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadStep:
    """What to do next about a file: ask `url` after `pause` seconds, or nothing any more."""

    url: str = ""
    pause: float = 0.0


class Download:
    """The state of one file over all its places; `transfer` receives its bytes.

    `label` names the file in errors. A subclass hears what happens
    (`place_tried`, `place_refused`) and may explain wrong bytes (`explained`).
    `attempts_at` says how often a URL is tried, `unreached` is told of a host
    that could not be connected to.
    """

    def __init__(
        self,
        places: Sequence[str],
        transfer: Transfer,
        *,
        network: Network,
        label: str = "",
        access: Access | None = None,
        attempts: int | None = None,
    ) -> None:
        self.failure: BuilderError | None = None
        self.digest = ""
        """The SHA-256 of the whole file once the last step is done; empty where there is a `failure`."""
        self._transfer = transfer
        self._network = network
        self._label = label
        self._access = access
        self._most_attempts = ATTEMPTS if attempts is None else attempts
        self._places = iter(places)
        self._place = self._url = ""
        self._attempt = self._redirects = self._begun_at = 0
        self._asked_anew = False
        self._admissions = 0
        self._authorisation: str | None = None
        self._errors: list[BuilderError] = []

    def first(self) -> DownloadStep:
        """Return the first step; a file that was complete when its process was killed needs none."""
        return self._finish_file() if self._transfer.is_right() else self._next_place()

    def headers(self) -> dict[str, str]:
        """Return the headers to ask with: the bytes as they are stored, or the rest of them."""
        self._authorisation = self._access.header(self._url) if self._access is not None else None
        shown = {"Authorization": self._authorisation} if self._authorisation is not None else {}
        return {**IDENTITY, **shown, **self._transfer.resume_headers()}

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Take the head of an answer."""
        self._admissions = 0  # what was shown may grow too old before the file is whole
        self._transfer.begin(status, headers)

    def take(self, chunk: bytes) -> None:
        """Take a piece of the file."""
        self._transfer.take(chunk)

    def after(self, ended: Ended) -> DownloadStep:
        """Return what to do after an exchange."""
        try:
            if ended.error is not None:
                raise ended.error
            step = self._led_on(ended)
            if step is not None:
                return step
            check_status(ended.status, ended.headers.get("retry-after"), redacted(self._place))
            self._transfer.check_whole()
        except NoRangesError as cause:
            self._transfer.restart()
            return self._retry_or_next(TransientError(cause.cause, 0))
        except TransientError as cause:
            if self._transfer.is_right():
                return self._finish_file()
            if ended.unreached and self._attempt + 1 >= self.attempts_at(self._url):
                self.unreached(self._url)
            return self._retry_or_next(cause)
        except BuilderError as cause:
            return self._note_refusal(cause)
        return self._finish_file()

    def place_tried(self, place: str) -> None:
        """Hear that `place` is asked."""

    def place_refused(self, error: BuilderError) -> None:
        """Hear that one place, named by the error, did not give the file."""

    def explained(self, error: DigestMismatchError) -> BuilderError:
        """Return the error for wrong bytes with what can be said about them."""
        return error

    def attempts_at(self, url: str) -> int:
        """Return how often `url` is tried."""
        _ = url
        return self._most_attempts

    def unreached(self, url: str) -> None:
        """Hear that no connection to the host of `url` came about, however often it was tried."""

    def _led_on(self, ended: Ended) -> DownloadStep | None:
        """Return where an answer leads that is neither the file nor an end."""
        if ended.status in REDIRECT_STATUS:
            return self._follow_redirect(ended)
        if ended.status == _REFUSED and self._admits_challenge(ended.headers.get("www-authenticate", "")):
            return DownloadStep(url=self._url)
        return None

    def _admits_challenge(self, challenge: str) -> bool:
        """Whether there is something else to show than what was refused.

        A token may be good for one request, and another file's request may use it first: so a place is
        asked for more than one.
        """
        if self._access is None:
            return False
        known = self._access.header(self._url)
        if known is not None and known != self._authorisation:
            return True  # another file's refusal has led to it
        if self._admissions == ADMISSIONS:
            return False
        self._admissions += 1
        obtained = self._access.obtain(self._url, challenge)
        return obtained and self._access.header(self._url) != self._authorisation

    def _follow_redirect(self, ended: Ended) -> DownloadStep:
        self._redirects += 1
        if self._redirects > REDIRECTS:
            raise FetchError(f"more than {REDIRECTS} redirects", place=redacted(self._place))
        self._url = redirect_target(
            self._url, ended.headers.get("location", ""), redacted(self._place), self._network.plain_hosts
        )
        return DownloadStep(url=self._url)

    def _retry_or_next(self, cause: TransientError) -> DownloadStep:
        """Return another attempt at the same place, or go to the next one."""
        position = self._transfer.position
        self._attempt = 1 if position - self._begun_at >= _GAIN else self._attempt + 1
        self._begun_at = position
        if self._attempt >= self.attempts_at(self._url):
            tried = f" ({self._attempt} attempts)" if self._attempt > 1 else ""
            return self._note_refusal(
                FetchError(f"{cause}{tried}", place=redacted(self._place), hint=NETWORK_HINT)
            )
        self._url, self._redirects = self._place, 0
        return DownloadStep(url=self._url, pause=pause_before_retry(self._attempt, cause.pause))

    def _finish_file(self) -> DownloadStep:
        """End here if the file is the right one."""
        try:
            self.digest = self._transfer.finish()
        except DigestMismatchError as error:
            if self._transfer.resumed and not self._asked_anew:
                self._asked_anew = True
                self._transfer.restart()  # two answers, put together, were no file: ask for the whole
                self._url, self._redirects = self._place, 0
                return DownloadStep(url=self._place)
            return self._note_refusal(self.explained(error))
        return DownloadStep()

    def _note_refusal(self, error: BuilderError) -> DownloadStep:
        """Note what a place said, and go to the next one."""
        if isinstance(error, DigestMismatchError):
            self._transfer.restart()
        self._errors.append(error)
        self.place_refused(error)
        return self._next_place()

    def _next_place(self) -> DownloadStep:
        place = next(self._places, None)
        if place is None:
            self.failure = joined_error(self._errors, place=self._label)
            return DownloadStep()
        self._place = self._url = place
        self._transfer.move(redacted(place))
        self._attempt = self._redirects = 0
        self._begun_at = self._transfer.position
        self._asked_anew = False
        self._admissions = 0
        self.place_tried(place)
        return DownloadStep(url=place)


def download_file(
    places: Sequence[str],
    sink: Sink,
    *,
    network: Network,
    sha256: str | None = None,
    size: int | None = None,
    limit: int = LARGEST_FILE,
    label: str = "",
    access: Access | None = None,
    attempts: int | None = None,
    sleep: Callable[[float], object] = time.sleep,
    is_aborted: Callable[[], bool] = bool,
    progress: Callable[[int], None] | None = None,
) -> str:
    """Write a file from the first of `places` that has it to the empty, seekable `sink`; return its SHA-256.

    FetchError when no place gives it, or when it has more than `limit` bytes
    and its `size` is unknown; DigestMismatchError when some place had another
    `sha256` or `size`. What `sink` holds is worthless then. A broken
    transfer is resumed where the server's ETag or the digest proves that the
    file is the same. `progress` hears the number of bytes so far; what it
    raises ends the download, and so does `is_aborted`.
    """
    from builder.io.curl import Exchanges  # noqa: PLC0415 - libcurl is loaded for a download, not for its rules

    transfer = Transfer(sink, place="", size=size, limit=limit, sha256=sha256, progress=progress)
    one = Download(places, transfer, network=network, label=label, access=access, attempts=attempts)
    step = one.first()
    with Exchanges(network) as exchanges:
        while step.url:
            if step.pause:
                sleep(step.pause)
            exchanges.start(step.url, one.headers(), one)
            ended: list[Ended] = []
            while not ended:
                if is_aborted():
                    raise FetchError("was interrupted", place=redacted(step.url))
                ended = exchanges.wait(_TICK)
            step = one.after(ended[0])
    if one.failure is not None:
        raise one.failure
    return one.digest
