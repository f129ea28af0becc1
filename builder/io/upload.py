"""HTTP requests that change something: no redirect is followed, and no body is kept in memory."""

from __future__ import annotations

__all__ = ["Sent", "Uploader"]

from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Self

import requests
import urllib3
from requests.auth import AuthBase

from builder.errors import FetchError
from builder.io.network import LONGEST_BODY_IGNORED, UPLOAD_TIMEOUT, Network
from builder.io.watchdog import watched_session
from builder.json_text import parse_json
from builder.redact import redacted

_LOG_IN = "log in: docker login, DOCKER_AUTH_CONFIG, LOCKWRIGHT_AUTH or ~/.netrc"
_SAID = 300  # characters of it that are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An answer: its status, and its headers with names in lower case."""

    status: int
    headers: Mapping[str, str]


class Uploader:
    """One connection pool for writing; a context manager. FetchError for what a server refuses."""

    def __init__(self, auth: AuthBase, network: Network) -> None:
        self._network = network
        self._session = watched_session(network, auth)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def send(
        self,
        method: str,
        url: str,
        *,
        body: bytes | BinaryIO = b"",
        media_type: str = "",
        accept: tuple[int, ...],
    ) -> Sent:
        """Send one request and return its answer; FetchError unless its status is in `accept`."""
        headers = {"Content-Type": media_type} if media_type else {}
        proxy = self._network.proxy_for(url)
        try:
            answer = self._session.request(
                method,
                url,
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=(self._network.connect_timeout, UPLOAD_TIMEOUT),
                stream=True,
                proxies={"http": proxy, "https": proxy} if proxy else {},
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as cause:
            raise FetchError(f"cannot be written to: {redacted(str(cause))}", place=redacted(url)) from cause
        if answer.status_code not in accept:
            hint = _LOG_IN if answer.status_code in {401, 403} else ""
            with answer:
                said = f"HTTP {answer.status_code} {_registry_reason(answer)}".rstrip()
            raise FetchError(said, place=redacted(url), hint=hint)
        with answer:
            answer.raw.read(LONGEST_BODY_IGNORED)  # so that the connection can be used again
        return Sent(
            status=answer.status_code, headers={name.lower(): value for name, value in answer.headers.items()}
        )


def _registry_reason(answer: requests.Response) -> str:
    """Return why a registry refuses, in words that its protocol has a place for: no page of HTML."""
    try:
        errors = parse_json(answer.raw.read(LONGEST_BODY_IGNORED, decode_content=True))["errors"]
        lines = [f"{error['code']}: {error.get('message', '')}" for error in errors]
    except (urllib3.exceptions.HTTPError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""
    said = redacted(", ".join(lines))
    return "".join(c if c.isprintable() else " " for c in said[:_SAID]).strip()
