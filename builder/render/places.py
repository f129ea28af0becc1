"""Where rows are to be had: a pure value that the caller fills from its configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote

from builder.errors import LockError, UsageError
from builder.lockfile import Archive, Image, OsPackage, PythonPackage, Repository
from builder.render import quoting as spelling

__all__ = ["Layout", "Place", "Places"]

Layout = Literal["warehouse", "simple", "pool", "flat", "snapshot"]
"""How a row's folder and file make a path below a place.

* warehouse, flat: `<url>/<folder>/<file>`
* simple: the same; without a folder, the normalised project name
* pool: `<url>/<file>`, the file having folders of its own
* snapshot: `<url>/<time stamp>/<file>`
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The base of an origin's files, and their layout."""

    url: str
    layout: Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Places by the name of their origin, and prefixes that are replaced, in order, the first that fits.

    Images are mirrored too: `docker.io/library/` to `registry.example/`. A
    mirror of exactly a snapshot place is an ordinary archive: it has no folder
    per time stamp.
    """

    places: Mapping[str, Place] = field(default_factory=dict)
    mirrors: tuple[tuple[str, str], ...] = ()

    def python_url(self, row: PythonPackage) -> str:
        """Return the URL of a wheel (UsageError when its origin has no place)."""
        return self._url(row.origin, row.path, row.file)

    def archive_url(self, row: Archive) -> str:
        """Return the URL of an archive (UsageError when its origin has no place)."""
        return self._url(row.origin, row.path, row.file)

    def os_url(self, row: OsPackage, repository: Repository | None) -> str:
        """Return the URL of an OS package; `repository` says at which time a snapshot has it."""
        place = self._place(row.origin)
        if place.layout != "snapshot":
            return self._url(row.origin, "", row.file)
        base = _slash(place.url)
        mirrored = self._mirrored(base)
        if mirrored != base and base in dict(self.mirrors):
            return _slash(mirrored) + quote(_below(row.file), safe="/")
        if repository is None or not repository.snapshot:
            raise LockError(f"no snapshot of {row.origin} is recorded", place=row.file)
        return self._url(row.origin, repository.snapshot, row.file)

    def image_reference(self, image: Image) -> str:
        """Return the name and digest of a published image."""
        return self._mirrored(f"{image.name}@{image.digest}")

    def _place(self, origin: str) -> Place:
        place = self.places.get(spelling.file_name(origin))
        if place is None:
            raise UsageError(
                f"no place is known for the origin {spelling.shown(origin)}",
                hint=f"give it: --origin {origin}=URL, or render with --inputs store",
            )
        return place

    def _url(self, origin: str, folder: str, file: str) -> str:
        place = self._place(origin)
        if place.layout == "simple" and not folder:
            folder = re.sub(r"[-_.]+", "-", file.partition("-")[0]).lower()
        path = f"{folder}/{file}" if folder else file
        return self._mirrored(_slash(place.url) + quote(_below(path), safe="/"))

    def _mirrored(self, url: str) -> str:
        for prefix, replacement in self.mirrors:
            if url.startswith(prefix):
                return replacement + url[len(prefix) :]
        return url


def _slash(url: str) -> str:
    return f"{url.rstrip('/')}/"


def _below(path: str) -> str:
    """Return `path` if it stays below its place."""
    if any(part in {"", ".", ".."} for part in path.split("/")):
        raise LockError(f"{spelling.shown(path)} is not a path below an origin")
    return spelling.line(path)
