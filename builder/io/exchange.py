"""What an HTTP answer means: its status, its pause, and where a redirect may lead. Loads no HTTP library."""

from __future__ import annotations

__all__ = [
    "IDENTITY",
    "REDIRECT_STATUS",
    "NoRangesError",
    "NotFoundError",
    "check_status",
    "redirect_target",
    "retry_after",
    "tls_hint",
]

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

from builder.errors import FetchError
from builder.io.network import is_loopback
from builder.io.transfer import TransientError
from builder.mail_date import parse_mail_date
from builder.redact import redacted

if TYPE_CHECKING:
    from collections.abc import Container

REDIRECT_STATUS = frozenset({301, 302, 303, 307, 308})
IDENTITY = {"Accept-Encoding": "identity"}
"""The header that asks for a file as it is stored: a digest speaks of those bytes."""

_OK_STATUS = frozenset({200, 206})
_NO_RANGE = 416
_TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_MISSING_STATUS = frozenset({404, 410})
_REFUSED_STATUS = frozenset({401, 403, 407})
_HOST = re.compile(r"[A-Za-z0-9._:-]+")
_ASCII = "".join(map(chr, range(0x21, 0x7F)))


class NotFoundError(FetchError):
    """The server has nothing at this URL (404 or 410)."""


class NoRangesError(FetchError):
    """The server gave the whole file, or nothing, when asked for a part of it."""


def retry_after(header: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for, from now; None when it says nothing usable."""
    if header is None:
        return None
    seconds = header.strip()  # also of separators such as U+001E, which float() does not know
    if re.fullmatch(r"[0-9]{1,9}", seconds):
        return float(seconds)
    try:
        moment = parse_mail_date(header)
    except ValueError:
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def check_status(status: int, pause: str | None, place: str) -> None:
    """Return for an answer with a body worth reading; `pause` is its Retry-After.

    TransientError when another attempt may succeed, FetchError otherwise.
    """
    if status in _OK_STATUS:
        return
    if status == _NO_RANGE:
        raise NoRangesError("the server does not have that range", place=place)
    if status in _TRANSIENT_STATUS:
        raise TransientError(f"HTTP {status}", retry_after(pause))
    if status in _MISSING_STATUS:
        raise NotFoundError(f"HTTP {status}", place=place)
    hint = "put credentials for this host in ~/.netrc or LOCKWRIGHT_AUTH" if status in _REFUSED_STATUS else ""
    raise FetchError(f"HTTP {status}", place=place, hint=hint)


def redirect_target(url: str, location: str, place: str, plain_hosts: Container[str] = ()) -> str:
    """Return the next URL, with credentials only for the host and port that they were given for.

    FetchError for what is no http(s) URL, for http after https, and for http
    at another host that is neither this machine nor among `plain_hosts`.
    """
    if not location:
        raise FetchError("redirected without a target", place=place)
    try:
        here = urlsplit(url)
        # Servers write what should be percent-encoded, as it is: spaces, and UTF-8 that came here as Latin-1.
        there = urlsplit(urljoin(url, quote(location, safe=_ASCII, encoding="latin-1", errors="replace")))
        same_host = here.hostname == there.hostname
        _ = there.port
    except ValueError as cause:
        raise FetchError("redirected to something that is not a URL", place=place) from cause
    if there.scheme in ("http", "https") and not _HOST.fullmatch(there.hostname or ""):
        raise FetchError("redirected to something that is not a URL", place=place)
    plain = there.scheme == "http"
    allowed = same_host or is_loopback(there.hostname or "") or (there.hostname or "") in plain_hosts
    if there.scheme not in ("http", "https") or (plain and (here.scheme == "https" or not allowed)):
        raise FetchError(f"redirected to {redacted(there.geturl())}, which is not https", place=place)
    host = there.netloc.rpartition("@")[2]
    same = here.scheme == there.scheme and here.netloc.rpartition("@")[2] == host
    return there._replace(netloc=here.netloc if same else host, fragment="").geturl()


_OTHER_HOST = re.compile(
    r"(?i)(hostname|ip address) mismatch|doesn't match|does not match|no alternative certificate subject name"
)


def tls_hint(reason: str) -> str:
    """Return what to do when TLS failed for a reason in the words of OpenSSL, urllib3 or libcurl."""
    if _OTHER_HOST.search(reason):
        return "correct the address, or ask whoever runs the server for a certificate of this host"
    if "has expired" in reason or "not yet valid" in reason:
        return "set the clock of this machine, or ask whoever runs the server for a new certificate"
    return "name your certificate authorities in SSL_CERT_FILE, REQUESTS_CA_BUNDLE or origins.toml"
