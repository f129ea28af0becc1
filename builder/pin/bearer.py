"""Anonymous access to registries: the bearer token that a registry's refusal says how to get."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from requests.auth import AuthBase

from builder.errors import FetchError
from builder.io.http import Client

__all__ = ["Bearer", "parse_challenge"]

_PARAMETER = re.compile(r'([A-Za-z_]+)\s*=\s*(?:"([^"]*)"|([^",\s]+))')
_LIMIT = 2**20  # bytes


class Bearer(AuthBase):
    """Answers 401 with a token of the named service, for the given hosts and no other.

    A blob may be redirected to a file service: the token is not for that.
    `plain_hosts` may name a service that is not https. Credentials of
    `~/.netrc` are used at the token service where there are some.
    """

    def __init__(self, hosts: frozenset[str], plain_hosts: frozenset[str], tokens: Client) -> None:
        self._hosts = hosts
        self._plain_hosts = plain_hosts
        self._tokens = tokens
        self._known: dict[str, str] = {}

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token that is known, and listen for a refusal."""
        host = urlsplit(str(request.url)).netloc
        if host in self._hosts:
            if host in self._known:
                request.headers["Authorization"] = self._known[host]
            request.register_hook("response", self._answer)  # type: ignore[no-untyped-call]
        return request

    def _answer(self, response: requests.Response, **options: Any) -> requests.Response:
        """Repeat a refused request once, with a new token."""
        challenge = parse_challenge(response.headers.get("WWW-Authenticate", ""))
        if response.status_code != requests.codes.unauthorized or challenge is None:
            return response
        _ = response.content  # the connection is needed again
        response.close()
        host = urlsplit(str(response.url)).netloc
        self._known[host] = f"Bearer {self._token(challenge)}"
        again = response.request.copy()
        again.headers["Authorization"] = self._known[host]
        return response.connection.send(again, **options)

    def _token(self, challenge: dict[str, str]) -> str:
        realm = urlsplit(challenge["realm"])
        if realm.scheme != "https" and (realm.hostname or "") not in self._plain_hosts:
            raise FetchError(
                f"the token service {challenge['realm']} is not https",
                hint="add its host to [insecure] hosts",
            )
        query = urlencode([(key, challenge[key]) for key in ("service", "scope") if key in challenge])
        url = realm._replace(query="&".join(filter(None, (realm.query, query)))).geturl()
        try:
            answer = json.loads(self._tokens.get_bytes(url, limit=_LIMIT))
            token = answer.get("token") or answer["access_token"]
        except (ValueError, KeyError, AttributeError) as cause:
            raise FetchError("did not answer with a token", place=challenge["realm"]) from cause
        if not re.fullmatch(r"[!-~]+", str(token)):
            raise FetchError("answered with something that is no token", place=challenge["realm"])
        return str(token)


def parse_challenge(header: str) -> dict[str, str] | None:
    """Return the parameters of a `WWW-Authenticate: Bearer …` header; None for any other."""
    scheme, _, rest = header.strip().partition(" ")
    parameters = {match[1].lower(): match[2] or match[3] or "" for match in _PARAMETER.finditer(rest)}
    return parameters if scheme.lower() == "bearer" and parameters.get("realm") else None
