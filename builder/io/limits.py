"""The limits of HTTP exchanges, for both libraries: attempts, pauses, timeouts, redirects, sizes. Pure."""

from __future__ import annotations

__all__ = [
    "ATTEMPTS",
    "CONNECTIONS",
    "CONNECT_TIMEOUT",
    "LARGEST_DOCUMENT",
    "LARGEST_FILE",
    "LONGEST_BODY_IGNORED",
    "LOWEST_SPEED",
    "NETWORK_HINT",
    "REDIRECTS",
    "STALL_TIMEOUT",
    "UPLOAD_TIMEOUT",
    "pause_before_retry",
]

ATTEMPTS = 5
"""Tries of one request at one place."""

REDIRECTS = 8
"""Redirects of one request that are followed."""

CONNECTIONS = 8
"""Connections to one host at once, unless the origins file says otherwise."""

CONNECT_TIMEOUT = 10.0
"""Seconds until a connection must be there."""

STALL_TIMEOUT = 60.0
"""Seconds after which a connection that is silent, or slower than `LOWEST_SPEED`, is given up."""

LOWEST_SPEED = 1000
"""Bytes a second; a slower connection is given up like one that stalls."""

UPLOAD_TIMEOUT = 300.0
"""Seconds in which a registry must answer an upload: it hashes what it was sent before it says anything."""

LARGEST_DOCUMENT = 256 * 2**20
"""Bytes of an index page or an answer in JSON; the largest package index known is a third of it."""

LARGEST_FILE = 64 * 2**30
"""Bytes of a file whose size nobody has promised."""

LONGEST_BODY_IGNORED = 2**16
"""Bytes of a page that comes with an error or a redirect; beyond it the connection is closed."""

NETWORK_HINT = "check the network and the proxy, or name a mirror"

_FIRST_PAUSE = 0.5  # seconds, doubled after each attempt
_LONGEST_PAUSE = 60.0  # seconds; a server that asks for more is asked again after this


def pause_before_retry(attempt: int, asked: float | None) -> float:
    """Return the seconds to wait after failed attempt `attempt` (from 1).

    That is what the server `asked` for, within bounds; else exponential backoff.
    """
    return min(_FIRST_PAUSE * 2 ** (attempt - 1) if asked is None else asked, _LONGEST_PAUSE)
