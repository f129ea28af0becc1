"""Access to registries: the answer to a refusal, which says whether it wants a token or a password."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from requests.auth import AuthBase

from builder.errors import FetchError
from builder.io import ADMISSIONS, Access, Client, Network, conceal
from builder.oci.docker_config import docker_authorisation

__all__ = ["AuthorisedClient", "RegistryAuth", "parse_challenge"]

_PARAMETER = re.compile(r'([A-Za-z_]+)\s*=\s*(?:"([^"]*)"|([^",\s]+))')
_LIMIT = 2**20  # bytes


class AuthorisedClient(Client):
    """A client that answers 401."""

    def __init__(self, auth: AuthBase, network: Network, access: Access | None = None) -> None:
        super().__init__(network=network, access=access)
        self._session.auth = auth


class RegistryAuth(AuthBase):
    """Answers 401 with a token of the named service, or with a password, for the given hosts and no other.

    A blob may be redirected to a file service: neither is for that.
    `plain_hosts` may name a service that is not https. The token service gets
    the registry's password, as docker gives it.
    """

    def __init__(self, hosts: frozenset[str], plain_hosts: frozenset[str], network: Network) -> None:
        self._network = network
        self._hosts = hosts
        self._plain_hosts = plain_hosts
        self._known: dict[str, str] = {}

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token that is known, and listen for a refusal."""
        host = urlsplit(str(request.url)).netloc
        if host in self._hosts:
            if host in self._known:
                request.headers["Authorization"] = self._known[host]
            request.register_hook("response", self._answer_refusal)  # type: ignore[no-untyped-call]
        return request

    def header(self, url: str) -> str | None:
        """Return what the host of `url` has accepted, or was said to accept."""
        return self._known.get(urlsplit(url).netloc)

    def obtain(self, url: str, challenge: str) -> bool:
        """Obtain what a refusal asks for; whether there is something to show now (FetchError)."""
        host = urlsplit(url).netloc
        header = self._authorisation_for(host, challenge) if host in self._hosts else None
        if header is None:
            return False
        self._known[host] = header
        return True

    def _answer_refusal(self, response: requests.Response, **options: Any) -> requests.Response:
        """Repeat a refused request with what was asked for, a few times; a streamed body cannot be."""
        repeatable = isinstance(response.request.body, bytes | str | None)
        for _ in range(ADMISSIONS):
            if response.status_code != requests.codes.unauthorized or not repeatable:
                break
            again = self._admitted_request(response)
            if again is None:
                break
            response = response.connection.send(again, **options)
        return response

    def _admitted_request(self, response: requests.Response) -> requests.PreparedRequest | None:
        """Return the refused request with what was asked for, or None where there is nothing else to show."""
        host = urlsplit(str(response.url)).netloc
        try:
            header = self._authorisation_for(host, response.headers.get("WWW-Authenticate", ""))
        except FetchError:
            response.close()  # nobody else will: the caller never sees it
            raise
        if header is None or header == response.request.headers.get("Authorization"):
            return None
        response.raw.read(_LIMIT)  # the connection is needed again; of an endless body it is not
        response.close()
        self._known[host] = header
        again = response.request.copy()
        again.headers["Authorization"] = header
        return again

    def _authorisation_for(self, host: str, asked: str) -> str | None:
        own = docker_authorisation(host) or self._network.credentials.header(f"https://{host}/")
        challenge = parse_challenge(asked)
        if challenge is not None and own is not None and own.startswith("Bearer "):
            return own
        if challenge is not None:
            return f"Bearer {self._fetch_token(challenge, own)}"
        return own if asked.strip().lower().startswith("basic") else None

    def _fetch_token(self, challenge: dict[str, str], own: str | None) -> str:
        realm = urlsplit(challenge["realm"])
        if realm.scheme != "https" and (realm.hostname or "") not in self._plain_hosts:
            raise FetchError(
                f"the token service {challenge['realm']} is not https",
                hint="add its host to [insecure] hosts",
            )
        query = urlencode([(key, challenge[key]) for key in ("service", "scope") if key in challenge])
        url = realm._replace(query="&".join(filter(None, (realm.query, query)))).geturl()
        try:
            own = own or self._network.credentials.header(url)
            with AuthorisedClient(_ForOneHost(realm.netloc, own), self._network) as client:
                answer = json.loads(client.get_bytes(url, limit=_LIMIT))
            token = answer.get("token") or answer["access_token"]
        except (ValueError, KeyError, AttributeError) as cause:
            raise FetchError("did not answer with a token", place=challenge["realm"]) from cause
        if not re.fullmatch(r"[!-~]+", str(token)):
            raise FetchError("answered with something that is not a token", place=challenge["realm"])
        conceal(str(token))
        return str(token)


class _ForOneHost(AuthBase):
    """A password for one host, also after redirects."""

    def __init__(self, host: str, header: str | None) -> None:
        self._host = host
        self._header = header

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._header is not None and urlsplit(str(request.url)).netloc == self._host:
            request.headers["Authorization"] = self._header
        return request


def parse_challenge(header: str) -> dict[str, str] | None:
    """Return the parameters of a `WWW-Authenticate: Bearer …` header; None for any other."""
    scheme, _, rest = header.strip().partition(" ")
    parameters = {match[1].lower(): match[2] or match[3] or "" for match in _PARAMETER.finditer(rest)}
    return parameters if scheme.lower() == "bearer" and parameters.get("realm") else None
