"""Registries of container images: passwords, tokens, and the distribution protocol, read and written.

Manifests are read by tag and digest, and blobs by digest. A registry answers an
anonymous request with a refusal that says whether it wants a token or a
password; passwords are those that docker keeps, and none is ever shown. What is
written are blobs that the registry lacks, streamed from the store, and a
manifest over them.
"""

from __future__ import annotations

import base64
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self
from urllib.parse import quote, urlencode, urljoin, urlsplit

import requests
from requests.auth import AuthBase

from builder.errors import DigestMismatchError, FetchError, RecipeError
from builder.io import (
    ADMISSIONS,
    ATTEMPTS,
    Access,
    Client,
    Network,
    Uploader,
    conceal,
    download_file,
    first_answer,
    redacted,
    user_home,
)
from builder.json_text import parse_json
from builder.model import ImageDigest, Sha256
from builder.oci.manifests import (
    LARGEST_MANIFEST,
    MANIFEST_TYPES,
    Descriptor,
    ImageConfig,
    ImageIndex,
    ImageManifest,
    parse_config,
    parse_manifest,
)
from builder.origins import Origins

__all__ = ["AuthorisedClient", "Push", "Registry", "RegistryAuth", "docker_authorisation", "parse_challenge"]


_DOCKER_HUB = {"registry-1.docker.io": "https://index.docker.io/v1/"}


def docker_authorisation(host: str, *, environ: Mapping[str, str] | None = None) -> str | None:
    """Return the Authorization header for the registry at `host` (with its port), or None.

    In order: `DOCKER_AUTH_CONFIG` (the text of a docker configuration), and
    `config.json` in `DOCKER_CONFIG` or `~/.docker`. What cannot be read is
    passed over: the registry says what is missing.
    """
    source = os.environ if environ is None else environ
    folder = source.get("DOCKER_CONFIG")
    home = user_home()
    places = [Path(folder)] if folder else [] if home is None else [home / ".docker"]
    texts = (_read_config(place / "config.json") for place in places)
    for text in (source.get("DOCKER_AUTH_CONFIG", ""), *texts):
        found = _from_docker(text, host)
        if found is not None:
            return found
    return None


def _read_config(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _from_docker(text: str, host: str) -> str | None:
    try:
        rows = parse_json(text)["auths"]
        row = next(rows[name] for name in (host, f"https://{host}", _DOCKER_HUB.get(host)) if name in rows)
        secret = str(row["auth"])
        user, colon, password = base64.b64decode(secret, validate=True).decode("utf-8").partition(":")
    except (ValueError, KeyError, TypeError, StopIteration):
        return None
    if not user or not colon:
        return None
    conceal(secret, password)
    return f"Basic {secret}"


_PARAMETER = re.compile(r'([A-Za-z_]+)\s*=\s*(?:"([^"]*)"|([^",\s]+))')
_LIMIT = 2**20  # bytes


class AuthorisedClient(Client):
    """A client that answers 401."""

    def __init__(
        self, auth: AuthBase, network: Network, access: Access | None = None, *, attempts: int = ATTEMPTS
    ) -> None:
        super().__init__(network=network, access=access, attempts=attempts)
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
        try:
            realm = urlsplit(challenge["realm"])
            _ = realm.port
        except ValueError as cause:
            raise FetchError(
                f"names a token service that is not a URL: {challenge['realm'][:200]!a}"
            ) from cause
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
                answer = parse_json(client.get_bytes(url, limit=_LIMIT))
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


_ACCEPT = ", ".join(MANIFEST_TYPES)
_LARGEST = 64 * 2**30  # bytes
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_API_HOSTS = {"docker.io": "registry-1.docker.io"}
_NAME = re.compile(r"(?P<host>[A-Za-z0-9.-]+(?::[0-9]+)?|\[[0-9a-f:]+\](?::[0-9]+)?)/(?P<path>[a-z0-9._/-]+)")


_TAGS_OF_A_PAGE = 1000
_LARGEST_TAG_LIST = 16 * 2**20  # bytes


def _tags_of_page(data: bytes, place: str) -> list[str]:
    try:
        value = parse_json(data)
    except ValueError:
        value = None
    tags = value.get("tags") or [] if isinstance(value, dict) else None
    if not isinstance(tags, list) or not all(isinstance(tag, str) and tag for tag in tags):
        raise FetchError("is not a list of tags of a registry", place=redacted(place))
    return tags


class Registry:
    """One image name (`docker.io/library/debian`) in its registry or a mirror of it; a context manager.

    `base` is the URL of the name in the registry itself, `auth` the answer to
    its refusals, `network` how to get there.
    RecipeError for a name without a registry, FetchError for what cannot be
    had, DigestMismatchError for bytes that are not those of their digest.
    """

    def __init__(self, name: str, origins: Origins, *, attempts: int = ATTEMPTS) -> None:
        match = _NAME.fullmatch(name)
        if match is None or not re.search(r"[.:]|^localhost$", match["host"]):
            raise RecipeError(
                f"{name!r} is not an image name with its registry", hint="write docker.io/library/debian"
            )
        host = _API_HOSTS.get(match["host"], match["host"])
        plain = frozenset({*_LOOPBACK, *origins.insecure_hosts})
        scheme = "http" if urlsplit(f"//{host}").hostname in plain else "https"
        base = f"{scheme}://{host}/v2/{match['path']}/"
        self.name = name
        self.base = base
        self._bases = origins.candidates(base)
        self.network = origins.network
        hosts = frozenset(urlsplit(b).netloc for b in self._bases)
        self.auth = RegistryAuth(hosts, plain, self.network)
        self._client = AuthorisedClient(self.auth, self.network, access=self.auth, attempts=attempts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def manifest(self, reference: str) -> tuple[ImageDigest, ImageManifest | ImageIndex]:
        """Return the manifest or index of a tag or digest with its digest; one by digest is verified."""
        body = self.manifest_bytes(reference)
        parsed = parse_manifest(body, place=f"{self.name} {reference}")
        return ImageDigest(f"sha256:{Sha256.of(body)}"), parsed

    def manifest_bytes(self, reference: str) -> bytes:
        """Return the bytes of the manifest or index of a tag or digest; those of a digest are verified."""

        def ask(base: str) -> bytes:
            url = f"{base}manifests/{reference}"
            body = self._client.get_bytes(url, accept=_ACCEPT, limit=LARGEST_MANIFEST)
            digest = f"sha256:{Sha256.of(body)}"
            if ":" in reference and digest != reference:
                raise DigestMismatchError(f"expected {reference}, got {digest}", place=url)
            return body

        return first_answer(self._bases, ask, place=f"{self.name} {reference}")

    def tags(self) -> tuple[str, ...]:
        """Return every tag of the name, sorted, however many pages the registry gives (FetchError)."""

        def ask(base: str) -> tuple[str, ...]:
            found: set[str] = set()
            last = ""
            while True:
                url = f"{base}tags/list?n={_TAGS_OF_A_PAGE}" + (
                    f"&last={quote(last, safe='')}" if last else ""
                )
                page = _tags_of_page(self._client.get_bytes(url, limit=_LARGEST_TAG_LIST), url)
                # One that ignores `last` gives the same page again.
                if not set(page) - found:
                    return tuple(sorted(found))
                found.update(page)
                last = page[-1]

        return first_answer(self._bases, ask, place=f"{self.name} tags")

    def config(self, part: Descriptor) -> ImageConfig:
        """Return the configuration of an image, verified."""
        with tempfile.TemporaryFile() as file:
            self.blob(part, file, limit=LARGEST_MANIFEST)
            file.seek(0)
            return parse_config(file.read(), place=f"{self.name}@{part.digest}")

    def blob(self, part: Descriptor, sink: BinaryIO, *, limit: int = _LARGEST) -> None:
        """Write a blob of at most `limit` bytes to a seekable sink, verified by digest and size."""
        self.fetch_blob(part.digest, sink, size=part.size, limit=limit)

    def fetch_blob(
        self, digest: ImageDigest, sink: BinaryIO, *, size: int | None = None, limit: int = _LARGEST
    ) -> None:
        """Write the blob with this digest to a seekable sink, verified, and by its size where given."""
        download_file(
            self.blob_urls(digest),
            sink,
            network=self.network,
            sha256=digest.removeprefix("sha256:"),
            size=size,
            limit=limit,
            label=f"{self.name} {digest}",
            access=self.auth,
        )

    def blob_urls(self, digest: ImageDigest) -> tuple[str, ...]:
        """Return where a blob may be had, in order; `auth` says how to ask."""
        return tuple(f"{base}blobs/{digest}" for base in self._bases)


_OCTETS = "application/octet-stream"
_ATTEMPTS = 3


class Push:
    """One image name in its registry, to be written to; a context manager.

    FetchError for what the registry refuses.
    """

    def __init__(self, registry: Registry) -> None:
        self._base = registry.base
        self._uploader = Uploader(registry.auth, registry.network)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._uploader.close()

    def blob(self, digest: ImageDigest, opened: Callable[[], BinaryIO]) -> bool:
        """Upload a blob unless the registry has it; return whether it was sent.

        `opened` opens it again for each attempt. The registry verifies the digest.
        """
        if self._uploader.send("HEAD", f"{self._base}blobs/{digest}", accept=(200, 404)).status == 200:
            return False
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._upload_blob(digest, opened)
            except FetchError:
                if attempt == _ATTEMPTS:
                    raise
            else:
                break
        return True

    def manifest(self, reference: str, body: bytes, media_type: str) -> None:
        """Put a manifest under a tag or digest."""
        url = f"{self._base}manifests/{reference}"
        self._uploader.send("PUT", url, body=body, media_type=media_type, accept=(201,))

    def _upload_blob(self, digest: ImageDigest, opened: Callable[[], BinaryIO]) -> None:
        start = f"{self._base}blobs/uploads/"
        answer = self._uploader.send("POST", start, accept=(202,))
        try:
            place = urlsplit(urljoin(start, answer.headers.get("location", "")))
            _ = place.port
        except ValueError as cause:
            raise FetchError("wants the bytes at something that is not a URL", place=start) from cause
        if place.scheme != "https" and place.scheme != urlsplit(start).scheme:
            raise FetchError(
                f"wants the bytes at {redacted(place.geturl())}, which is not https", place=start
            )
        query = "&".join(filter(None, (place.query, f"digest={quote(digest)}")))
        with opened() as file:
            url = place._replace(query=query).geturl()
            self._uploader.send("PUT", url, body=file, media_type=_OCTETS, accept=(201,))
