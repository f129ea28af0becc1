"""Origins and mirrors: where locked bytes may be had. A lock names none of these places."""

from __future__ import annotations

__all__ = ["LAYOUTS", "Layout", "Mirror", "Origin", "Origins", "checked_place"]

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, get_args
from urllib.parse import quote, urlsplit

from builder.errors import LockError, UsageError
from builder.io import Network, hidden, is_loopback
from builder.lockfile import DownloadedRow, OsPackage, Repository
from builder.model import shortened

Layout = Literal["warehouse", "simple", "pool", "flat", "snapshot"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_FOLDERS = {
    "warehouse": (re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}"), "xx/yy/<60 hexadecimal digits>"),
    "snapshot": (re.compile(r"[0-9]{8}T[0-9]{6}Z"), "a time such as 20251117T000000Z"),
}
_WHEEL_OR_SDIST = re.compile(r"(?P<project>[A-Za-z0-9._-]+?)-[0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A named place and its layout, which says how a row's folder and file make a path below `url`.

    * warehouse: `<url>/<xx>/<yy>/<60 hex>/<file>`
    * simple: `<url>/<folder>/<file>`, the folder being the normalised project name unless given
    * pool: `<url>/<file>`, where the file has folders of its own (`pool/main/…`)
    * flat: `<url>/<folder>/<file>`
    * snapshot: `<url>/<time>/<file>`
    """

    name: str
    url: str
    layout: Layout
    insecure: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UsageError(
                f"{self.name!r} is not an origin name", hint="use lower-case letters, digits, . _ -"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """URLs that begin with `prefix` may be had below each of `places`, tried in this order.

    A path segment `*` of the prefix stands for any one segment, so that a
    mirror without time stamps can stand in for a snapshot service.
    """

    prefix: str
    places: tuple[str, ...]

    def rest(self, url: str) -> str | None:
        """Return what follows the prefix in `url`, or None where it does not begin so."""
        pattern = "/".join("[^/]+" if part == "*" else re.escape(part) for part in self.prefix.split("/"))
        match = re.match(pattern, url)
        return url[match.end() :] if match else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """Origins by name, mirrors by prefix, hosts that are trusted without TLS, and the network's settings."""

    origins: tuple[Origin, ...] = ()
    mirrors: tuple[Mirror, ...] = ()
    insecure_hosts: tuple[str, ...] = ()
    network: Network = field(default_factory=Network, hash=False)
    heritage: str = ""
    """Where the archive of dead sources answers; empty for none."""

    def __post_init__(self) -> None:
        for origin in self.origins:
            if not origin.insecure:
                self._check_secure(origin.url, f"origins.{origin.name}.url")
        for mirror in self.mirrors:
            for place in mirror.places:
                self._check_secure(place, f'mirrors."{mirror.prefix}"')

    def origin(self, name: str) -> Origin:
        """Return the origin `name`; UsageError, with how to configure it, if it is unknown."""
        for origin in self.origins:
            if origin.name == name:
                return origin
        hint = f"add [origins.{name}] (url, layout) to origins.toml, or pass --origin {name}=LAYOUT+URL"
        raise UsageError(
            f"no origin {shortened(name)} is configured",
            hint=hint
            if _NAME.fullmatch(name) and len(name) <= 60
            else "lock again: nobody can configure an origin of this name",
        )

    def url(self, origin_name: str, path: str, file: str) -> str:
        """Return the first-hand URL of `file` in the folder `path` of an origin.

        `path` and `file` are plain text, as a lock has them; the URL is
        percent-encoded. LockError when they do not fit the origin's layout.
        """
        origin = self.origin(origin_name)
        folder = path or (_project_folder(file) if origin.layout == "simple" else "")
        for part in (folder, file) if folder else (file,):
            _check_relative(part, origin_name)
        form = _FOLDERS.get(origin.layout)
        if form is not None and not form[0].fullmatch(folder):
            raise LockError(
                f"has the folder {shortened(folder)}, but the {origin.layout} layout needs {form[1]}",
                place=_file_place(file),
            )
        if origin.layout not in {"pool", "snapshot"} and "/" in file:
            raise LockError(
                f"contains a folder, and the {origin.layout} layout has none", place=_file_place(file)
            )
        below = f"{folder}/{file}" if folder else file
        return origin.url + quote(below, safe="/~")

    def folders(self, row: DownloadedRow, repositories: Iterable[Repository]) -> tuple[str, ...]:
        """Return the folders below its origin that have the file of a row, the likeliest first.

        A snapshot service has an OS package at each time that the lock looked at
        its archive; the newest comes first, because it has what the others have.
        """
        if not isinstance(row, OsPackage):
            return (row.path,)
        if not any(origin.name == row.origin and origin.layout == "snapshot" for origin in self.origins):
            return ("",)
        seen = {repository.snapshot for repository in repositories if repository.origin == row.origin}
        return tuple(sorted(seen - {""}, reverse=True))

    def urls(self, origin_name: str, folders: Iterable[str], file: str) -> tuple[str, ...]:
        """Return every address at which to try a file, in order: all that fetches and renders takes them.

        UsageError for an origin that is not configured, LockError for a file
        that does not fit its layout or that no snapshot has.
        """
        first_hand = [self.url(origin_name, folder, file) for folder in folders]
        if not first_hand:
            raise LockError(f"no snapshot of {origin_name} is recorded", place=_file_place(file))
        return tuple(dict.fromkeys(place for url in first_hand for place in self.candidates(url)))

    def row_urls(self, row: DownloadedRow, repositories: Iterable[Repository]) -> tuple[str, ...]:
        """Return every address at which to try the file of a row, in order; errors as of `urls`."""
        return self.urls(row.origin, self.folders(row, repositories), row.file)

    def archive_url(self, origin_name: str, snapshot: str, file: str) -> str:
        """Return the first-hand URL of a file of a package archive, which only a snapshot service dates."""
        dated = self.origin(origin_name).layout == "snapshot"
        return self.url(origin_name, snapshot if dated else "", file)

    def candidates(self, url: str) -> tuple[str, ...]:
        """Return where to try `url`, in order: its mirrors, the longest prefix first, then itself."""
        found = [
            place + rest
            for mirror in sorted(self.mirrors, key=lambda mirror: (-len(mirror.prefix), mirror.prefix))
            if (rest := mirror.rest(url)) is not None
            for place in mirror.places
        ]
        return tuple(dict.fromkeys((*found, url)))

    def alternatives(self, url: str) -> tuple[str, ...]:
        """Return where to try `url`, a link of a page that may be a mirror's; there itself comes first.

        A link to a mirror's file leads to the file's own place and its other mirrors too, so that
        a mirror that has other bytes is passed over.
        """
        for mirror in self.mirrors:
            for place in mirror.places:
                if url.startswith(place) and "*" not in mirror.prefix:
                    first_hand = mirror.prefix + url.removeprefix(place)
                    return tuple(dict.fromkeys((url, *self.candidates(first_hand))))
        return self.candidates(url)

    def _check_secure(self, url: str, place: str) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme == "https" or host in self.insecure_hosts or is_loopback(host):
            return
        where = "set insecure = true in its table" if place.startswith("origins.") else "list it"
        raise UsageError(
            f"{url} is not https",
            place=place,
            hint=f"to allow it, {where} or add its host to [insecure] hosts",
        )


def checked_place(url: str, place: str) -> str:
    """Return `url` ending in one slash; UsageError at `place` unless it is a plain http(s) URL."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise UsageError(f"{hidden(url)!r} is not a URL", place=place) from None
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError(f"expected an http(s) URL, got {hidden(url)!r}", place=place)
    if "@" in parts.netloc:
        raise UsageError(
            "a URL here must not contain credentials: it ends up in Dockerfiles",
            place=place,
            hint="put them in ~/.netrc",
        )
    if parts.query or parts.fragment or re.search(r"[\s\x00-\x1f\x7f\"'<>\\^`{|}]|[^\x00-\x7f]", url):
        raise UsageError(f"expected a plain URL of a folder, got {hidden(url)!r}", place=place)
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}/"


def _check_relative(text: str, place: str) -> None:
    """Refuse what could name another place than below the origin; a lock's reader has refused it before."""
    wrong = any(part in ("", ".", "..") for part in text.split("/"))
    if wrong or "\\" in text or not text.isprintable():
        raise LockError(f"expected a relative path, got {shortened(text)}", place=place)


def _project_folder(file: str) -> str:
    """Return the normalised project name that a wheel's or sdist's file name begins with."""
    match = _WHEEL_OR_SDIST.match(file)
    if match is None:
        raise LockError(
            "is not named like a wheel or sdist, so its folder is not known", place=_file_place(file)
        )
    return re.sub(r"[-_.]+", "-", match["project"]).lower()


def _file_place(file: str) -> str:
    """Return a file's name as the place of an error: names come from locks, so they may be hostile."""
    return file if len(file) <= 255 and file.isprintable() else shortened(file)
