"""What a mirror answers to each path. Only GET and HEAD have an answer, and only what the catalogue names."""

from __future__ import annotations

__all__ = ["Offer", "routes"]

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler, StaticFileHandler

from builder.errors import UsageError
from builder.mirror import pages
from builder.mirror.catalog import Catalogue, MirroredImage
from builder.mirror.door import STALL
from builder.mirror.pages import guide, origins_file
from builder.origins import checked_place
from builder.store import Store

_OCTETS = "application/octet-stream"
_TEXT = "text/plain; charset=utf-8"
_PREFIX = "sha256:"
_VERSION = ("Docker-Distribution-API-Version", "registry/2.0")


@dataclass(slots=True)
class Offer:
    """What all answers share: the store, what is offered of it, the server's own URL, who listens."""

    store: Store
    catalogue: Catalogue
    base: str
    heard: Callable[[str], None]
    """Is told each answer, as one line."""
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while no answer is running."""
    _running: set[object] = field(default_factory=set)

    def began(self, request: object) -> None:
        """Hear that an answer has begun."""
        self._running.add(request)
        self.idle.clear()

    def ended(self, request: object) -> None:
        """Hear that an answer has ended, or that its client has gone."""
        self._running.discard(request)
        if not self._running:
            self.idle.set()


class _MirrorHandler(RequestHandler):
    """What every answer has in common."""

    offer: Offer

    def initialize(self, offer: Offer) -> None:
        self.offer = offer

    def prepare(self) -> None:
        self.offer.began(self)

    def on_finish(self) -> None:
        self.offer.ended(self)
        path = re.sub(r"[^!-~]", "?", self.request.uri or "")
        self.offer.heard(f"{self.get_status()} {self.request.method} {path}")

    def on_connection_close(self) -> None:
        self.offer.ended(self)

    def set_default_headers(self) -> None:
        self.set_header("Server", "lockwright")
        self.set_header("X-Content-Type-Options", "nosniff")

    def write_error(self, status_code: int, **_: Any) -> None:
        self.set_header("Content-Type", _TEXT)
        self.finish(f"{status_code} {self._reason}\n")

    def text(self, body: str, kind: str = _TEXT) -> None:
        """Answer with a small document."""
        self.set_header("Content-Type", kind)
        self.write(body)

    def base(self) -> str:
        """Return this server's URL as the client knows it."""
        try:
            return checked_place(f"{self.request.protocol}://{self.request.host}/", "Host")
        except UsageError:
            return self.offer.base

    async def head(self, *arguments: str) -> None:
        self.get(*arguments)

    def flush(self, include_footers: bool = False) -> asyncio.Future[None]:  # noqa: FBT001, FBT002 - tornado's
        """Send what was written; a client that takes too long over one piece of it is dropped."""
        sent = super().flush(include_footers)
        return asyncio.ensure_future(self._within_stall(sent))

    async def _within_stall(self, sent: asyncio.Future[None]) -> None:
        await asyncio.wait({sent}, timeout=STALL)
        if not sent.done():
            self.request.connection.stream.close()  # type: ignore[union-attr]
        with suppress(StreamClosedError):
            await sent


class _GuideHandler(_MirrorHandler):
    """`/`: how clients use this mirror."""

    def get(self) -> None:
        self.text(guide(self.base(), self.offer.catalogue))


class _OriginsHandler(_MirrorHandler):
    """`/origins.toml`: this mirror in the words of another lockwright."""

    def get(self) -> None:
        self.text(origins_file(self.base(), self.offer.catalogue), "application/toml")


class _ProjectsHandler(_MirrorHandler):
    """`/simple/`."""

    def get(self) -> None:
        kind = pages.media_type(self.request.headers.get("Accept", ""))
        self.set_header("Vary", "Accept")
        self.text(pages.project_list(self.offer.catalogue.projects, kind), kind)


class _ProjectHandler(_MirrorHandler):
    """`/simple/<name>/`; other spellings of the name are redirected to the normalised one."""

    def get(self, name: str, slash: str) -> None:
        normalised = re.sub(r"[-_.]+", "-", name).lower()
        files = self.offer.catalogue.projects.get(normalised)
        if files is None:
            raise HTTPError(404)
        if name != normalised or not slash:
            self.redirect(f"/simple/{normalised}/", permanent=True)
            return
        kind = pages.media_type(self.request.headers.get("Accept", ""))
        self.set_header("Vary", "Accept")
        self.text(pages.project_page(name, files, kind), kind)


class _FileHandler(_MirrorHandler, StaticFileHandler):
    """A file of the store, whole or in part."""

    sha256 = ""
    media_type = _OCTETS

    def initialize(self, offer: Offer) -> None:  # type: ignore[override]
        _MirrorHandler.initialize(self, offer)
        StaticFileHandler.initialize(self, str(offer.store.root))

    async def get(self, *arguments: str, include_body: bool = True) -> None:  # type: ignore[override]
        self.sha256 = self.find(*arguments)
        part = self.request.headers.get("If-Range")
        if part is not None and part != self.compute_etag():
            del self.request.headers["Range"]  # what the client has is of another file
        path = f"sha256/{self.sha256[:2]}/{self.sha256[2:]}"
        await StaticFileHandler.get(self, path, include_body=include_body)

    async def head(self, *arguments: str) -> None:
        await self.get(*arguments, include_body=False)

    def find(self, *arguments: str) -> str:
        """Return the SHA-256 that the path means, or end in 404."""
        raise NotImplementedError

    def compute_etag(self) -> str:
        return f'"{_PREFIX}{self.sha256}"'

    def get_content_type(self) -> str:
        return self.media_type

    def found(self, sha256: str | None) -> str:
        """Return a digest that the store has, or end in 404."""
        if sha256 is None or not self.offer.store.has(sha256):
            raise HTTPError(404)
        return sha256


class _ByDigest(_FileHandler):
    """`/sha256/<64 digits>` and `/sha256/ab/cdef…`: any file of the store."""

    def find(self, *arguments: str) -> str:
        return self.found("".join(arguments))


class _ByOrigin(_FileHandler):
    """`/origin/<name>/…`: a file under the path that its origin has."""

    def find(self, *arguments: str) -> str:
        return self.found(self.offer.catalogue.paths.get(f"origin/{arguments[0]}"))


class _RegistryHandler(_MirrorHandler):
    """`/v2/`: yes, this is a registry."""

    def get(self) -> None:
        self.set_header(*_VERSION)
        self.text("{}", "application/json")


class _ManifestHandler(_FileHandler):
    """`/v2/<name>/manifests/<tag or digest>`."""

    def find(self, *arguments: str) -> str:
        name, reference = arguments
        image = self.offer.catalogue.image(name, _named_registry(self), reference)
        if image is None:
            raise HTTPError(404)
        self._describe_manifest(image)
        return self.found(image.manifest.removeprefix(_PREFIX))

    def _describe_manifest(self, image: MirroredImage) -> None:
        self.media_type = image.media_type
        self.set_header(*_VERSION)
        self.set_header("Docker-Content-Digest", image.manifest)


class _BlobHandler(_FileHandler):
    """`/v2/<name>/blobs/<digest>`."""

    def find(self, *arguments: str) -> str:
        name, digest = arguments
        if not self.offer.catalogue.blob(name, _named_registry(self), digest):
            raise HTTPError(404)
        self.set_header(*_VERSION)
        self.set_header("Docker-Content-Digest", digest)
        return self.found(digest.removeprefix(_PREFIX))


class _UnknownHandler(_MirrorHandler):
    """Everything else."""

    def get(self) -> None:
        raise HTTPError(404)


def _named_registry(handler: RequestHandler) -> str:
    """Return the registry that a client of a mirror says it means."""
    return handler.get_query_argument("ns", "")


def routes(offer: Offer) -> list[tuple[str, type[RequestHandler], dict[str, Offer]]]:
    """Return the paths that have an answer."""
    image = r"[a-z0-9._:/-]+"
    table: list[tuple[str, type[RequestHandler]]] = [
        (r"/", _GuideHandler),
        (r"/origins\.toml", _OriginsHandler),
        (r"/simple/?", _ProjectsHandler),
        (r"/simple/([A-Za-z0-9._-]+)(/?)", _ProjectHandler),
        (r"/sha256/([0-9a-f]{64})", _ByDigest),
        (r"/sha256/([0-9a-f]{2})/([0-9a-f]{62})", _ByDigest),
        (r"/origin/(.+)", _ByOrigin),
        (r"/v2/?", _RegistryHandler),
        (rf"/v2/({image})/manifests/([A-Za-z0-9._:-]+)", _ManifestHandler),
        (rf"/v2/({image})/blobs/(sha256:[0-9a-f]{{64}})", _BlobHandler),
        (r".*", _UnknownHandler),
    ]
    return [(path, handler, {"offer": offer}) for path, handler in table]
