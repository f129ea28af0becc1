"""A stand-in for places that cannot be reached: indexes, archives and registries on loopback.

It serves names, versions and requirements of `published.toml` alone, and keeps what it was asked for and does
not have: that is what a command on it lacks. Archives have the layout of the real ones and keys of their own.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import re
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from packaging.metadata import parse_email
from pysequoia import Tsk
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from builder.index import IndexClient, default_index_url, read_index_project
from builder.model import Arch
from builder.recipe import Library, Platform
from tests.local_index import make_wheel
from tests.standin.rpm_repository import TinyRepo
from tests.standin.signed_archive import SignedArchive
from tests.standin.vendor_index import VendorIndex, vendor

__all__ = [
    "PublishedWheel",
    "StandIn",
    "check_source",
    "published_digest",
    "published_wheels",
    "read_published",
    "read_stub",
]

PUBLISHED = Path(__file__).with_name("published.toml")
_PYTHON = re.compile(r"Programming Language :: Python :: 3\.(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedWheel:
    """A wheel of which somebody published name, version and requirements."""

    name: str
    version: str
    index: str
    files: tuple[str, ...]
    requires: tuple[str, ...]
    extras: tuple[str, ...] = ()
    source: str
    """Who published name, version and file."""
    requires_source: str
    """Who published the requirements."""


def published_digest() -> str:
    """Return what tells one list of what is published from another."""
    return hashlib.sha256(PUBLISHED.read_bytes()).hexdigest()[:16]


def read_published() -> Mapping[str, Any]:
    """Return the tables of `published.toml`."""
    return tomllib.loads(PUBLISHED.read_text())


def published_wheels() -> tuple[PublishedWheel, ...]:
    """Return the wheels that the file itself lists; ValueError for one without a source."""
    found = []
    for row in read_published()["wheels"]:
        check_source(row)
        found.append(
            PublishedWheel(
                name=row["name"],
                version=row["version"],
                index=row["index"],
                files=(row["file"],),
                requires=tuple(row["requires"]),
                source=row["source"],
                requires_source=row.get("requires-source", ""),
            )
        )
    return tuple(found)


def check_source(row: Mapping[str, object]) -> None:
    """Refuse a name, or requirements of it, that nobody is said to have published (ValueError)."""
    if not str(row.get("source", "")).strip():
        raise ValueError(f"an invented name: {row.get('name')} has no source")
    if row.get("requires") and not str(row.get("requires-source", "")).strip():
        raise ValueError(f"invented requirements: those of {row.get('name')} have no source")


def read_stub(client: IndexClient, name: str, version: str, index: str) -> PublishedWheel | None:
    """Return the wheel of which a stub sdist on the default index says what it is.

    None if there is no stub, or if it states no requirements: nobody published them then.
    """
    project = read_index_project(client, default_index_url(), name)
    files = [item for item in project.files if str(item.version) == version] if project else []
    sdists = [item for item in files if not item.wheel]
    if not sdists:
        return None
    data = client.get_bytes(sdists[0].url, sha256=sdists[0].sha256)
    with tarfile.open(fileobj=BytesIO(data)) as archive:
        member = next(one for one in archive if one.name.count("/") == 1 and one.name.endswith("/PKG-INFO"))
        stream = archive.extractfile(member)
        raw, _ = parse_email(stream.read() if stream else b"")
    if not raw.get("requires_dist"):
        return None
    minors = sorted({match[1] for text in raw.get("classifiers", ()) if (match := _PYTHON.fullmatch(text))})
    stem = f"{name.replace('-', '_')}-{version}"
    source = f"PKG-INFO of {sdists[0].file} (sha256 {sdists[0].sha256}) on the default index"
    return PublishedWheel(
        name=name,
        version=version,
        index=index,
        files=tuple(f"{stem}-cp3{minor}-cp3{minor}-linux_{arch}.whl" for minor in minors for arch in Arch),
        requires=tuple(raw.get("requires_dist", ())),
        extras=tuple(raw.get("provides_extra", ())),
        source=source,
        requires_source=source,
    )


def _metadata_of(data: bytes) -> tuple[str, str, tuple[str, ...]]:
    """Return name, version and requirements that a served wheel states."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        member = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        raw, _ = parse_email(archive.read(member))
    return str(raw.get("name")), str(raw.get("version")), tuple(raw.get("requires_dist", ()))


@dataclass(slots=True)
class StandIn:
    """The servers, what they hold, and what they were asked for in vain."""

    server: HTTPServer
    key: Tsk = field(default_factory=lambda: Tsk.generate("Stand-in <stand-in@example.invalid>"))
    indexes: dict[str, VendorIndex] = field(default_factory=dict)
    published: dict[str, PublishedWheel] = field(default_factory=dict)
    """What somebody published, by the name of the file that is served for it."""
    archives: dict[str, SignedArchive] = field(default_factory=dict)
    rpm_files: dict[str, bytes] = field(default_factory=dict)
    lacking: list[str] = field(default_factory=list)
    """What commands asked for and nobody published."""
    unpublished: dict[tuple[str, str], str] = field(default_factory=dict)
    """What nobody published, by the name and version of the wheel that lacks it."""
    mirrors: list[str] = field(default_factory=list)
    """Values of `--mirror`: real places and those of the stand-in."""

    def serve_indexes(self, wheels: Iterable[PublishedWheel]) -> None:
        """Serve the indexes of `published.toml` with these wheels."""
        for name, url in tomllib.loads(PUBLISHED.read_text())["indexes"].items():
            folder = f"/{name}/{{project}}/" if name == "nvidia" else f"/{name}/"
            self.indexes[name] = vendor(self.server, f"/{name}/", folder)
            self.mirrors.append(f"{url}={self.indexes[name].url}")
        for wheel in wheels:
            check_source(
                {
                    "name": wheel.name,
                    "source": wheel.source,
                    "requires": wheel.requires,
                    "requires-source": wheel.requires_source,
                }
            )
            for file in wheel.files:
                self.published[file] = wheel
                data = make_wheel(
                    wheel.name, wheel.version, requires=wheel.requires, extras=wheel.extras, salt=file
                )
                index = self.indexes[wheel.index]
                index.files[index.folder.format(project=wheel.name) + file] = data

    def serve_debian_archive(self, origin_url: str, name: str, platforms: Iterable[Platform]) -> None:
        """Serve the suites of an archive in Debian's layout, signed with the stand-in's key: no list, no package."""
        now = datetime.now(UTC)
        prefix = f"/archive-{name}/"
        archive = SignedArchive(
            server=self.server,
            date=now - timedelta(hours=1),
            until=now + timedelta(days=1),
            key=self.key,
            prefix=prefix,
        )
        self.archives[name] = archive
        self.server.expect_request(re.compile(f"{prefix}.*")).respond_with_handler(archive.answer)
        suites = {
            row.suite: row.components for one in platforms for row in one.repositories if row.origin == name
        }
        for suite, components in suites.items():
            parts = {f"{component}/{arch.debian}": b"" for component in components for arch in Arch}
            archive.publish(suite, parts)
        self.mirrors.append(f"{origin_url}*/={self.server.url_for(prefix)}")

    def serve_rpm_archive(self, origin_url: str, name: str, platforms: Iterable[Platform]) -> None:
        """Serve the repositories of an RPM archive, signed with the stand-in's key: no list, no package."""
        prefix = f"/rpm-{name}/"
        files = self.rpm_files
        for row in (row for one in platforms for row in one.repositories if row.origin == name and row.path):
            for arch in Arch:
                folder = row.path.replace("{arch:rpm}", arch.rpm)
                published = TinyRepo(key=self.key).publish()
                files |= {f"{prefix}{folder}/{path}": data for path, data in published.items()}

        def answer(request: Request) -> Response:
            data = files.get(request.path)
            return Response(status=404) if data is None else Response(data)

        self.server.expect_request(re.compile(f"{prefix}.*")).respond_with_handler(answer)
        self.mirrors.append(f"{origin_url}={self.server.url_for(prefix)}")

    def serve_registry(self, hosts: Iterable[str]) -> None:
        """Answer for registries: no image is there, and what was asked for is noted."""

        def answer(request: Request) -> Response:
            match = re.fullmatch(r"/registry/([^/]+)/v2/(.+)/manifests/(.+)", request.path)
            if match is not None:
                host = match[1].replace("registry-1.docker.io", "docker.io")
                self.lacking.append(f"the list of what is in {host}/{match[2]}:{match[3]}")
            return Response(json.dumps({"errors": []}), 404, content_type="application/json")

        self.server.expect_request(re.compile("/registry/.*")).respond_with_handler(answer)
        for host in hosts:
            self.mirrors.append(f"https://{host}/={self.server.url_for(f'/registry/{host}/')}")

    def served_names(self) -> list[tuple[str, str, str]]:
        """Return name and version of what the indexes serve, with their sources, sorted."""
        rows = {
            (one.name, one.version, "; ".join(dict.fromkeys((one.source, one.requires_source))))
            for one in self.published.values()
        }
        return sorted(rows)

    def invented_names(self) -> list[str]:
        """Return what is served, read from the bytes, and no source names: it must be empty.

        Wheels by name, version and requirements; packages of archives by name: no source lists any.
        """
        served = {
            path.rpartition("/")[2]: data
            for index in self.indexes.values()
            for path, data in index.files.items()
        }
        found = []
        for file, data in served.items():
            name, version, requires = _metadata_of(data)
            row = self.published.get(file)
            if row is None or (row.name, row.version) != (name, version):
                found.append(file)
            else:
                found += [f"{file}: requires {text}" for text in requires if text not in row.requires]
        for archive in self.archives.values():
            for path, data in archive.served.items():
                if path.endswith("/Packages.xz"):
                    found += re.findall(r"^Package: (.+)$", lzma.decompress(data).decode(), re.MULTILINE)
        for path, data in self.rpm_files.items():
            if path.endswith("-primary.xml.gz"):
                found += re.findall(r"<name>(.*?)</name>", gzip.decompress(data).decode())
        return sorted(found)

    def replace_keys(self, recipes: Path, library: Library) -> None:
        """Put the stand-in's key in the place of the keys of the archives that it stands for."""
        certificate = str(self.key.extract_certificate()).encode()
        for name in {
            key for one in library.platforms.values() for row in one.repositories for key in row.keys
        }:
            if not name.startswith("debian-"):
                (recipes / "keys" / name).write_bytes(certificate)
