"""A small project of one wheel, and vendors' indexes in the shapes of PyTorch's and NVIDIA's own, on loopback.

They answer HTML without upload times; the former's files lie beside the project folders, the latter's in them.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from builder.cli import main
from builder.lockfile.lock import Lock
from builder.lockfile.reading import load_lock
from tests.local_index import LocalIndex, make_wheel

SMALL = Path(__file__).resolve().parents[1] / "faults/project"


@dataclass
class VendorIndex:
    """An index at `prefix`; its files lie in `folder`, which may name the `{project}`."""

    server: HTTPServer
    prefix: str
    folder: str
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.server.url_for(self.prefix)

    def wheel(self, name: str, version: str, tag: str, requires: tuple[str, ...] = ()) -> str:
        file = f"{name.replace('-', '_')}-{version}-{tag}.whl"
        data = make_wheel(name, version, requires=requires)
        self.files[self.folder.format(project=name) + file] = data
        return hashlib.sha256(data).hexdigest()

    def answer(self, request: Request) -> Response:
        if (data := self.files.get(request.path)) is not None:
            return Response(data, content_type="binary/octet-stream")
        project = request.path.removeprefix(self.prefix).strip("/").replace("-", "_")
        links = [
            f'<a href="{quote(path)}#sha256={hashlib.sha256(data).hexdigest()}">{path.rpartition("/")[2]}</a><br/>'
            for path, data in self.files.items()
            if path.rpartition("/")[2].startswith(f"{project}-")
        ]
        page = f"<!DOCTYPE html><html><body><h1>Links</h1>{''.join(links)}</body></html>"
        return Response(page, 200 if links else 404, content_type="text/html")


@dataclass
class Project:
    root: Path
    index: LocalIndex

    def write(self, path: str, text: str) -> None:
        (self.root / "recipes" / path).write_text(text)

    def change(self, path: str, *pairs: tuple[str, str]) -> None:
        text = (self.root / "recipes" / path).read_text()
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new, 1)
        self.write(path, text)

    def run(self, *words: str, verb: str = "lock") -> int:
        files = self.index.server.url_for("/default/files/")
        own = {"lock": ("--index-url", self.index.url), "fetch": ("--origin", f"pypi=warehouse+{files}")}
        places = ("--project", str(self.root), "--store", str(self.root / "cache/store"))
        return main([verb, "--quiet", *own.get(verb, ()), *places, *words])

    def lock(self, arch: str = "x86_64") -> Lock:
        path = self.root / f"lock/1.0/plain/tiny-{arch}.toml"
        return load_lock(path.read_bytes(), place=str(path))

    def rendered(self) -> str:
        assert self.run("--output", str(self.root / "out"), verb="render") == 0
        return next((self.root / "out").rglob("Dockerfile")).read_text()


def vendor(server: HTTPServer, prefix: str, folder: str) -> VendorIndex:
    found = VendorIndex(server=server, prefix=prefix, folder=folder)
    server.expect_request(re.compile(rf"^{prefix}.*")).respond_with_handler(found.answer)
    return found
