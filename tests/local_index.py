"""A small simple index on loopback: JSON or HTML, with or without dates, sizes, hashes, ranges."""

from __future__ import annotations

import hashlib
import html
import io
import json
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from builder.index.index_client import IndexClient
from builder.index.services import IndexServices
from builder.io.http import Client
from builder.io.network import Network
from builder.model.target import Arch
from builder.recipe.environment_requests import PythonRequest

EPOCH = (1980, 1, 1, 0, 0, 0)
JSON = "application/vnd.pypi.simple.v1+json"


def make_wheel(
    name: str,
    version: str,
    *,
    requires: tuple[str, ...] = (),
    extras: tuple[str, ...] = (),
    salt: str = "",
    padding: int = 0,
    licence: str = "",
    requires_python: str = "",
    metadata_version: str = "",
    metadata_name: str = "",
) -> bytes:
    """Return a wheel that has metadata; `salt` changes its bytes, `padding` adds that many before it."""
    stem = f"{name.replace('-', '_')}-{version}"
    metadata = (
        f"Metadata-Version: 2.1\nName: {metadata_name or name}\nVersion: {metadata_version or version}\n"
    )
    metadata += f"Requires-Python: {requires_python}\n" if requires_python else ""
    metadata += "".join(f"Requires-Dist: {item}\n" for item in requires)
    metadata += "".join(f"Provides-Extra: {item}\n" for item in extras)
    metadata += f"License-Expression: {licence}\n" if licence else ""
    files = {
        f"{stem}.dist-info/METADATA": metadata + f"\nSalt {salt}\n",
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{stem}.dist-info/RECORD": "",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        if padding:
            archive.writestr(zipfile.ZipInfo("padding.bin", EPOCH), b"\0" * padding)
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, EPOCH), text)
    return buffer.getvalue()


def make_sdist(name: str, version: str, files: dict[str, str]) -> bytes:
    """Return an sdist with `files` in its top folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for path, text in sorted(files.items()):
            entry = tarfile.TarInfo(f"{name}-{version}/{path}")
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def _metadata_member(wheel: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        return archive.read(next(entry for entry in archive.namelist() if entry.endswith("METADATA")))


@dataclass(kw_only=True)
class Listed:
    name: str
    file: str
    data: bytes
    uploaded: str
    requires_python: str = ""
    yanked: str | None = None


@dataclass(kw_only=True)
class LocalIndex:
    """One index; switches may be set at any time before it is asked."""

    server: HTTPServer
    prefix: str
    form: str = "json"
    dates: bool = True
    sizes: bool = True
    hashes: bool = True
    ranges: bool = True
    metadata_files: bool = False
    """Whether METADATA is served beside each wheel, and the page states its hash."""
    metadata_hashes: bool = True
    """Whether the page states the hash of a METADATA that it serves, or only that there is one."""
    metadata_lie: bytes = b""
    """What is served in place of each METADATA."""
    warehouse: bool = False
    files: list[Listed] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    asked_by_uv: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.server.url_for(f"/{self.prefix}/simple/")

    def wheel(
        self,
        name: str,
        version: str,
        *,
        tag: str = "py3-none-any",
        uploaded: str = "2025-01-01T00:00:00Z",
        yanked: str | None = None,
        **content: Any,
    ) -> str:
        """Add a wheel and return its SHA-256."""
        file = f"{name.replace('-', '_')}-{version}-{tag}.whl"
        return self.add(name, file, make_wheel(name, version, **content), uploaded, yanked=yanked)

    def sdist(
        self, name: str, version: str, files: dict[str, str], uploaded: str = "2025-01-01T00:00:00Z"
    ) -> str:
        stem = name.replace("-", "_")
        return self.add(name, f"{stem}-{version}.tar.gz", make_sdist(stem, version, files), uploaded)

    def add(
        self,
        name: str,
        file: str,
        data: bytes,
        uploaded: str = "2025-01-01T00:00:00Z",
        requires_python: str = "",
        yanked: str | None = None,
    ) -> str:
        self.files.append(
            Listed(
                name=name,
                file=file,
                data=data,
                uploaded=uploaded,
                requires_python=requires_python,
                yanked=yanked,
            )
        )
        return hashlib.sha256(data).hexdigest()

    def answer(self, request: Request) -> Response:
        line = f"{request.method} {request.path}"
        self.requests.append(line)
        if request.user_agent.string.startswith("uv/"):
            self.asked_by_uv.append(line)
        kind, _, rest = request.path.removeprefix(f"/{self.prefix}/").partition("/")
        return self._page(rest.strip("/")) if kind == "simple" else self._file(request, rest)

    def _page(self, name: str) -> Response:
        found = [item for item in self.files if item.name == name]
        if not found:
            return Response("no such project", 404)
        if self.form == "html":
            links = "".join(self._link(item) for item in found)
            return Response(f"<!DOCTYPE html><html><body>{links}</body></html>", content_type="text/html")
        page = {
            "meta": {"api-version": "1.1"},
            "name": name,
            "versions": [],
            "files": [self._entry(item) for item in found],
        }
        return Response(json.dumps(page), content_type=JSON)

    def _path(self, item: Listed) -> str:
        digest = hashlib.blake2b(item.data, digest_size=32).hexdigest()
        folder = f"{digest[:2]}/{digest[2:4]}/{digest[4:]}/" if self.warehouse else ""
        return f"/{self.prefix}/files/{folder}{item.file}"

    def _entry(self, item: Listed) -> dict[str, Any]:
        entry: dict[str, Any] = {"filename": item.file, "url": self._path(item), "hashes": {}}
        if self.hashes:
            entry["hashes"] = {"sha256": hashlib.sha256(item.data).hexdigest()}
        if self.dates:
            entry["upload-time"] = item.uploaded
        if item.requires_python:
            entry["requires-python"] = item.requires_python
        if item.yanked is not None:
            entry["yanked"] = item.yanked or True
        if self.metadata_files:
            entry["core-metadata"] = self._metadata_digest(item) or True
        if self.sizes:
            entry["size"] = len(item.data)
        return entry

    def _link(self, item: Listed) -> str:
        digest = f"#sha256={hashlib.sha256(item.data).hexdigest()}" if self.hashes else ""
        date = f' data-upload-time="{html.escape(item.uploaded)}"' if self.dates else ""
        python = html.escape(item.requires_python)
        date += f' data-requires-python="{python}"' if python else ""
        date += f' data-yanked="{html.escape(item.yanked)}"' if item.yanked is not None else ""
        if self.metadata_files:
            stated = "".join(f"sha256={value}" for value in self._metadata_digest(item).values()) or "true"
            date += f' data-dist-info-metadata="{stated}"'
        return f'<a href="{self._path(item)}{digest}"{date}>{item.file}</a>\n'

    def _metadata_digest(self, item: Listed) -> dict[str, str]:
        if not self.metadata_hashes or not item.file.endswith(".whl"):
            return {}
        return {"sha256": hashlib.sha256(_metadata_member(item.data)).hexdigest()}

    def _file(self, request: Request, path: str) -> Response:
        wanted = path.rpartition("/")[2]
        for item in self.files:
            if self.metadata_files and wanted == f"{item.file}.metadata":
                return Response(self.metadata_lie or _metadata_member(item.data))
            if wanted == item.file:
                return self._bytes(request, item.data)
        return Response("no such file", 404)

    def _bytes(self, request: Request, data: bytes) -> Response:
        asked = request.range if self.ranges else None
        headers = {"Accept-Ranges": "bytes"} if self.ranges else {}
        if asked is None:
            return Response(data, headers=headers, content_type="application/octet-stream")
        found = asked.range_for_length(len(data))
        if found is None:
            return Response("", 416)
        start, stop = found
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
        return Response(data[start:stop], 206, headers=headers, content_type="application/octet-stream")


class Indexes:
    """Makes indexes on one server."""

    def __init__(self, server: HTTPServer) -> None:
        self._server = server

    def __call__(self, prefix: str = "default", **switches: Any) -> LocalIndex:
        import re  # noqa: PLC0415 - needed for the server's matcher alone

        index = LocalIndex(server=self._server, prefix=prefix, **switches)
        self._server.expect_request(re.compile(rf"^/{prefix}/.*")).respond_with_handler(index.answer)
        return index


@pytest.fixture
def indexes(httpserver: HTTPServer) -> Indexes:
    return Indexes(httpserver)


@pytest.fixture
def index(indexes: Indexes) -> LocalIndex:
    """The default index of the test."""
    return indexes()


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(network=Network(), attempts=1) as opened:
        yield opened


@pytest.fixture
def warnings_seen() -> list[str]:
    return []


@pytest.fixture
def services(index: LocalIndex, client: Client, tmp_path: Path, warnings_seen: list[str]) -> IndexServices:
    """Fresh caches and the local default index."""
    return IndexServices(
        client=IndexClient(client),
        uv_cache=tmp_path / "uv",
        metadata=tmp_path / "metadata",
        index_url=index.url,
        warn=warnings_seen.append,
        workers=2,
    )


@pytest.fixture
def request_of() -> Any:
    """Return a maker of requests: roots and what differs from the usual."""

    def make(*roots: str, **changes: Any) -> PythonRequest:
        usual: dict[str, Any] = {
            "environment": "runtime",
            "roots": roots,
            "arch": Arch.X86_64,
            "glibc": "2.36",
            "python": "3.13",
            "exclude_newer": "2026-01-01T00:00:00Z",
        }
        return PythonRequest(**{**usual, **changes})

    return make
