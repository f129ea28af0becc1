"""Published images from a registry that wants tokens, and sends for its blobs to another host that breaks off."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from builder.console import Console
from builder.errors import FetchError
from builder.project import Project
from builder.redact import redacted
from builder.store.store import Store
from tests.commands.fetching import fetch_into
from tests.oci.test_images import put_image
from tests.provision.test_published_images import EVERYTHING, project_of

USER_TOKEN = "password-of-a-robot-4417"


class Registry:
    """A registry on loopback whose tokens are good for a few requests; its blobs are on another host."""

    def __init__(self, made: Store, *, uses: int = 10**6) -> None:
        self.made = made
        self.uses = uses
        self.stolen = 0
        """How many tokens, from the first on, somebody else has used up before they are shown."""
        self.tokens: list[str] = []
        self.left: dict[str, int] = {}
        self.log: list[tuple[str, str, str]] = []
        """Host, path and range of each request for a blob's bytes."""
        self.cut: dict[str, int] = {}
        """How many bytes of a blob are sent, once."""
        self.leaked: list[str] = []
        self._servers = [
            ThreadingHTTPServer(("127.0.0.1", 0), type("Of", (Answer,), {"registry": self, "role": role}))
            for role in ("api", "cdn")
        ]
        for server in self._servers:
            threading.Thread(target=server.serve_forever).start()
        self.host, self.cdn = (f"127.0.0.1:{server.server_address[1]}" for server in self._servers)

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


class Answer(BaseHTTPRequestHandler):
    """What the two hosts answer."""

    protocol_version = "HTTP/1.1"
    registry: ClassVar[Registry]
    role: ClassVar[str]

    def do_GET(self) -> None:
        given = self.headers.get("Authorization", "")
        if self.role == "cdn":
            self.registry.leaked += [given] if given else []
            self._blob(self.path.rpartition("/")[2])
        else:
            self._api(given)

    def _api(self, given: str) -> None:
        if self.path.startswith("/token"):
            number = len(self.registry.tokens)
            token = f"token-of-the-registry-{number}"
            self.registry.tokens.append(given)
            self.registry.left[token] = self.registry.uses if number >= self.registry.stolen else 0
            self._send(200, json.dumps({"token": token}).encode())
        elif self.registry.left.get(given.removeprefix("Bearer "), 0) < 1:
            challenge = f'Bearer realm="http://{self.registry.host}/token",service="it",scope="pull"'
            self._send(401, b"", {"WWW-Authenticate": challenge})
        else:
            self.registry.left[given.removeprefix("Bearer ")] -= 1
            digest = self.path.rpartition("sha256:")[2]
            if "/manifests/" in self.path:
                self._send(200, self.registry.made.read(digest))
            else:
                self._send(307, b"", {"Location": f"http://{self.registry.cdn}/data/{digest}"})

    def _blob(self, digest: str) -> None:
        asked = self.headers.get("Range", "")
        self.registry.log.append((self.role, digest, asked))
        data = self.registry.made.read(digest)
        start = int((re.findall(r"\d+", asked) or ["0"])[0])
        headers = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if asked else {}
        self._send(206 if asked else 200, data[start:], headers, self.registry.cut.pop(digest, None))

    def _send(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, cut: int | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:cut])
        self.close_connection = cut is not None

    def log_message(self, *_: Any) -> None:
        pass


def outputs(project: Project) -> tuple[Project, io.StringIO]:
    out = io.StringIO()
    return dataclasses.replace(project, console=Console(out, io.StringIO())), out


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    made = Registry(Store(tmp_path / "made"))
    yield made
    made.close()


def fetch_images(project: Project, **more: Any) -> int:
    return fetch_into(project, EVERYTHING, images=True, **more)


@pytest.mark.parametrize("uses", [10**6, 1])
def test_tokens_are_obtained_and_shown_to_the_registry_alone(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uses: int
) -> None:
    registry.uses = uses
    manifest = put_image(registry.made)
    monkeypatch.setenv("LOCKWRIGHT_AUTH", f"{registry.host}=robot:{USER_TOKEN}")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    project, err = project_of(tmp_path, f"{registry.host}/library/base", manifest)
    assert fetch_images(project) == 0
    assert list(project.store.digests()) == list(registry.made.digests())
    assert registry.tokens
    assert all(given.startswith("Basic ") for given in registry.tokens)
    assert registry.leaked == []
    assert USER_TOKEN not in err.getvalue()
    assert redacted(f"{USER_TOKEN} token-of-the-registry-0") == "*** ***"


@pytest.mark.parametrize(("stolen", "obtained"), [(3, True), (10**6, False)])
def test_a_token_that_another_request_used_up_is_replaced_a_few_times(
    registry: Registry, tmp_path: Path, stolen: int, obtained: bool
) -> None:
    manifest = put_image(registry.made)
    project, _ = project_of(tmp_path, f"{registry.host}/library/base", manifest)
    registry.stolen = stolen
    if obtained:
        assert fetch_images(project) == 0
        assert list(project.store.digests()) == list(registry.made.digests())
    else:
        with pytest.raises(FetchError, match="HTTP 401"):
            fetch_images(project)
        assert len(registry.tokens) < 40, "it ends"


def test_a_layer_is_gone_on_with(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an interrupted fetch left is asked for from where it ends, and a dry run counts it."""
    monkeypatch.setattr("builder.io.download.ATTEMPTS", 1)
    manifest = put_image(registry.made)
    layer = json.loads(registry.made.read(manifest))["layers"][0]["digest"].removeprefix("sha256:")
    size = len(registry.made.read(layer))
    registry.cut[layer] = size - 7
    project, _ = project_of(tmp_path, f"{registry.host}/library/base", manifest)
    with pytest.raises(FetchError, match=f"{layer[:12]}.*bytes missing"):
        fetch_images(project)
    project, out = outputs(project)
    assert fetch_images(project, dry_run=True, json=True) == 0
    told = json.loads(out.getvalue())
    assert (told["bytes"], told["bytes there before"]) == (7, size - 7)
    assert told["images"] == {"wanted": 1, "missing": 1}
    assert fetch_images(project) == 0
    assert [range_ for _, digest, range_ in registry.log if digest == layer] == ["", f"bytes={size - 7}-"]
    assert len(registry.log) == len({digest for _, digest, _ in registry.log}) + 1, "no other was asked again"
    project.store.verify(layer)


def test_a_dry_run_asks_no_registry(registry: Registry, tmp_path: Path) -> None:
    project, _ = project_of(tmp_path, f"{registry.host}/library/base", put_image(registry.made))
    project, out = outputs(project)
    assert fetch_images(project, dry_run=True) == 0
    assert (registry.tokens, registry.log) == ([], [])
    assert "1 image of unknown size" in out.getvalue()


def test_a_registry_that_never_has_enough(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = put_image(registry.made)
    project, _ = project_of(tmp_path, f"{registry.host}/library/base", manifest)
    project.store.add_bytes(registry.made.read(manifest))
    registry.uses = 0
    with pytest.raises(FetchError, match="HTTP 401"):
        fetch_images(project)
    assert list(project.store.digests()) == [manifest]
