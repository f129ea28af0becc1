"""One file on its way from its places into the store."""

from __future__ import annotations

__all__ = ["Arrival", "Step"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from builder.errors import BuilderError, DigestMismatchError, FetchError
from builder.fetch.mismatch import explained
from builder.io import (
    REDIRECT_STATUS,
    REDIRECTS,
    Ended,
    Network,
    NoRangesError,
    Transfer,
    TransientError,
    check_status,
    redacted,
    redirect_target,
)
from builder.store import ADMISSIONS, Partial, Progress, Request

_ATTEMPTS = 5
_FIRST_PAUSE = 0.5  # seconds, doubled after each attempt
_LONGEST_PAUSE = 60.0  # seconds; a server that asks for more is asked again after this
_FILE_LIMIT = 64 * 2**30  # bytes
_GAIN = 2**20  # bytes; an attempt that brings so many is no failed one
_EXPLAINED = 4  # times the right size: more of wrong bytes is not read
_REFUSED = 401
_HINT = "Check the network and the proxy, or name a mirror"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What to do next about a file: ask `url` after `pause` seconds, or nothing any more."""

    url: str = ""
    pause: float = 0.0


class Arrival:
    """The state of one request over all its places, attempts and redirects: where its bytes are received.

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
        self.request = request
        self.failure: BuilderError | None = None
        self._partial = partial
        self._network = network
        self._progress = progress
        self._is_lost = is_lost
        self._lose = lose
        self._places = iter(request.urls)
        self._place = self._url = ""
        self._attempt = self._redirects = self._begun_at = 0
        self._asked_anew = False
        self._admissions = 0
        self._authorisation: str | None = None
        self._errors: list[BuilderError] = []
        self._transfer = Transfer(
            partial,
            place="",
            # Wrong bytes that shall be explained are needed whole, whatever their number.
            size=request.size if request.known is None else None,
            limit=_FILE_LIMIT if request.known is None else _EXPLAINED * request.known.stat().st_size + 2**26,
            sha256=request.sha256,
            position=partial.position,
            received=partial.received,
            progress=lambda position: progress.advanced(request, position),
        )

    def first(self) -> Step:
        """Return the first step; a file that was complete when its process was killed needs none."""
        if self._transfer.is_right():
            return self._complete()
        if self.request.size is not None and self._transfer.position >= self.request.size:
            self._transfer.restart()  # whatever was left there, it is no beginning of the file
        return self._next_place()

    def headers(self) -> dict[str, str]:
        """Return the headers to ask with: the bytes as they are stored, or the rest of them."""
        access = self.request.access
        self._authorisation = access.header(self._url) if access is not None else None
        shown = {"Authorization": self._authorisation} if self._authorisation is not None else {}
        return {"Accept-Encoding": "identity", **shown, **self._transfer.resume_headers()}

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Take the head of an answer."""
        self._admissions = 0  # what was shown may grow too old before the file is whole
        self._transfer.begin(status, headers)

    def take(self, chunk: bytes) -> None:
        """Take a piece of the file."""
        self._transfer.take(chunk)

    def after(self, ended: Ended) -> Step:
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
            return self._again(TransientError(cause.cause, 0))
        except TransientError as cause:
            if self._transfer.is_right():
                return self._complete()
            if ended.unreached and self._attempt + 1 >= self._attempts():
                self._lose(urlsplit(self._url).netloc)
            return self._again(cause)
        except BuilderError as cause:
            return self._refused(cause)
        return self._complete()

    def leave(self) -> None:
        """Leave what has arrived for the next process."""
        self._partial.leave()

    def _attempts(self) -> int:
        return 1 if self._is_lost(urlsplit(self._url).netloc) else _ATTEMPTS

    def _led_on(self, ended: Ended) -> Step | None:
        """Return where an answer leads that is neither the file nor an end."""
        if ended.status in REDIRECT_STATUS:
            return self._redirected(ended)
        if ended.status == _REFUSED and self._admit(ended.headers.get("www-authenticate", "")):
            return Step(url=self._url)
        return None

    def _admit(self, challenge: str) -> bool:
        """Whether there is something else to show than what was refused.

        A token may be good for one request, and another file's request may use it first: so a place is
        asked for more than one.
        """
        access = self.request.access
        if access is None:
            return False
        known = access.header(self._url)
        if known is not None and known != self._authorisation:
            return True  # another file's refusal has led to it
        if self._admissions == ADMISSIONS:
            return False
        self._admissions += 1
        return access.obtain(self._url, challenge) and access.header(self._url) != self._authorisation

    def _redirected(self, ended: Ended) -> Step:
        self._redirects += 1
        if self._redirects > REDIRECTS:
            raise FetchError(f"more than {REDIRECTS} redirects", place=redacted(self._place))
        self._url = redirect_target(
            self._url, ended.headers.get("location", ""), redacted(self._place), self._network.plain_hosts
        )
        return Step(url=self._url)

    def _again(self, cause: TransientError) -> Step:
        """Return another attempt at the same place, or go to the next one."""
        position = self._transfer.position
        self._attempt = 1 if position - self._begun_at >= _GAIN else self._attempt + 1
        self._begun_at = position
        if self._attempt >= self._attempts():
            tried = f" ({self._attempt} attempts)" if self._attempt > 1 else ""
            return self._refused(FetchError(f"{cause}{tried}", place=redacted(self._place), hint=_HINT))
        pause = _FIRST_PAUSE * 2 ** (self._attempt - 1) if cause.pause is None else cause.pause
        self._url, self._redirects = self._place, 0
        return Step(url=self._url, pause=min(pause, _LONGEST_PAUSE))

    def _complete(self) -> Step:
        """Keep the file if it is the right one."""
        try:
            self._transfer.finish()
        except DigestMismatchError as error:
            if self._transfer.resumed and not self._asked_anew:
                self._asked_anew = True
                self._transfer.restart()  # two answers, put together, were no file: ask for the whole
                self._url, self._redirects = self._place, 0
                return Step(url=self._place)
            return self._refused(explained(error, self.request.known, self._partial.path))
        try:
            self._partial.keep()
        except OSError as cause:
            where = f" ({cause.filename2})" if cause.filename2 else ""
            self.failure = FetchError(
                f"cannot be stored: {cause.strerror or cause}{where}", place=self.request.label
            )
            self.leave()
            return Step()
        self._progress.finished(self.request)
        return Step()

    def _refused(self, error: BuilderError) -> Step:
        """Note what a place said, and go to the next one."""
        if isinstance(error, DigestMismatchError):
            self._transfer.restart()
        self._errors.append(error)
        self._progress.failed(self.request, error)
        return self._next_place()

    def _next_place(self) -> Step:
        place = next(self._places, None)
        if place is None:
            self.failure = _unobtained(self.request, self._errors)
            self.leave()
            return Step()
        self._place = self._url = place
        self._transfer.move(redacted(place))
        self._attempt = self._redirects = 0
        self._begun_at = self._transfer.position
        self._asked_anew = False
        self._admissions = 0
        self._progress.started(self.request, place)
        return Step(url=place)


def _unobtained(request: Request, errors: list[BuilderError]) -> BuilderError:
    """Return the last place's error, saying what each place said."""
    if not errors:
        hint = "Configure its origin or a mirror in origins.toml"
        return FetchError("no place is known that has it", place=request.label, hint=hint)
    last = errors[-1]
    if len(errors) == 1:
        return last.within(request.label)
    said = "".join(f"\n  {error}" for error in errors)
    return type(last)(f"none of {len(errors)} places has it:{said}", place=request.label, hint=last.hint)
