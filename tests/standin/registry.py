"""A registry on loopback, by the distribution protocol, and the layers and package databases of its images."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
REPOSITORY = "lockwright-test/thing"


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Handler(BaseHTTPRequestHandler):
    """The distribution protocol over what `server.state` holds."""

    protocol_version = "HTTP/1.1"
    server: Any

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        state: State = self.server.state
        url = urlsplit(self.path)
        if url.path == "/token":
            state.asked.append(parse_qs(url.query))
            self.answer(200, json.dumps({"token": state.token}).encode(), Content_Type="application/json")
            return
        authorised = self.headers.get("Authorization") == f"Bearer {state.token}"
        if state.token and not authorised and not url.path.startswith("/files/"):
            realm = f'Bearer realm="{state.url}/token",service="test",scope="repository:{REPOSITORY}:pull"'
            self.answer(401, b"{}", WWW_Authenticate=realm)
            return
        if url.path.startswith("/files/"):
            state.leaked |= self.headers.get("Authorization") is not None
        *_, kind, reference = url.path.split("/")
        if kind == "manifests" and reference in state.manifests:
            media_type, body = state.manifests[reference]
            assert media_type in self.headers["Accept"]
            self.answer(200, body, Content_Type=media_type)
        elif kind == "blobs" and reference in state.blobs and state.redirect:
            self.answer(307, Location=f"{state.redirect}/files/blobs/{reference}")
        elif kind == "blobs" and reference in state.blobs:
            self.answer(200, state.blobs[reference])
        else:
            self.answer(404)

    def do_POST(self) -> None:
        self.answer(202, Location=f"{self.path}one")

    def do_PUT(self) -> None:
        state: State = self.server.state
        body = self.rfile.read(int(self.headers["Content-Length"]))
        url = urlsplit(self.path)
        if "/manifests/" in url.path:
            entry = (self.headers["Content-Type"], body)
            state.manifests[url.path.rpartition("/")[2]] = state.manifests[digest_of(body)] = entry
        else:
            state.blobs[parse_qs(url.query)["digest"][0]] = body
        self.answer(201)


@dataclass(slots=True)
class State:
    url: str
    token: str = ""
    redirect: str = ""
    leaked: bool = False
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)


@dataclass(slots=True)
class Registry:
    """A registry on loopback, to push to."""

    host: str
    state: State | None = None
    repository: str = REPOSITORY

    @property
    def base(self) -> str:
        return f"http://{self.host}/v2/{self.repository}"

    @property
    def image(self) -> str:
        return f"{self.host}/{self.repository}"

    def blob(self, data: bytes, media_type: str) -> dict[str, Any]:
        started = requests.post(f"{self.base}/blobs/uploads/", timeout=10)
        assert started.status_code == 202
        place = requests.compat.urljoin(f"{self.base}/blobs/uploads/", started.headers["Location"])
        done = requests.put(
            place,
            params={"digest": digest_of(data)},
            data=data,
            headers={"Content-Type": "application/octet-stream"},
            timeout=10,
        )
        assert done.status_code == 201
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}

    def manifest(self, table: dict[str, Any], media_type: str, tag: str = "") -> dict[str, Any]:
        body = json.dumps({"schemaVersion": 2, "mediaType": media_type, **table}).encode()
        done = requests.put(
            f"{self.base}/manifests/{tag or digest_of(body)}",
            data=body,
            headers={"Content-Type": media_type},
            timeout=10,
        )
        assert done.status_code == 201, done.text
        return {"mediaType": media_type, "digest": digest_of(body), "size": len(body)}

    def push(self, arch: str, *layers: bytes, tag: str = "", media_type: str = LAYER) -> dict[str, Any]:
        """Push an image of one architecture; return its descriptor with its platform."""
        config = json.dumps({"architecture": arch, "os": "linux", "rootfs": {"type": "layers"}}).encode()
        table = {
            "config": self.blob(config, CONFIG),
            "layers": [self.blob(layer, media_type) for layer in layers],
        }
        platform = {"os": "linux", "architecture": arch, **({"variant": "v8"} if arch == "arm64" else {})}
        return {**self.manifest(table, MANIFEST, tag), "platform": platform}

    def index(self, tag: str, *images: dict[str, Any]) -> str:
        found: str = self.manifest({"manifests": list(images)}, INDEX, tag)["digest"]
        return found


def serve(state: State) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    server.state = state  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


def layer(files: dict[str, bytes | None], *, zipped: bool = True) -> bytes:
    """A layer; a path ending in a slash is a directory, None a whiteout beside it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, content in files.items():
            folder, _, name = path.rstrip("/").rpartition("/")
            member = tarfile.TarInfo(path if content is not None else f"{folder}/.wh.{name}")
            if path.endswith("/"):
                member.type = tarfile.DIRTYPE
            member.size = len(content or b"")
            archive.addfile(member, io.BytesIO(content or b""))
    return gzip.compress(out.getvalue(), mtime=0) if zipped else out.getvalue()


def status(*packages: str, arch: str = "amd64", state: str = "installed") -> bytes:
    rows = (package.split("=") for package in packages)
    return "\n".join(
        f"Package: {name}\nStatus: install ok {state}\nArchitecture: {arch}\nVersion: {version}\n"
        for name, version in rows
    ).encode()
