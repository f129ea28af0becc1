"""Proxies, authorities and limits, with real servers."""

from __future__ import annotations

import hashlib
import threading
import time
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as WebRequest
from werkzeug import Response

from builder.errors import FetchError
from builder.fetch.download import fetch_all
from builder.io.http import Client
from builder.io.network import Network
from builder.store.arriving import Request
from builder.store.store import Store


def request(data: bytes, url: str) -> Request:
    return Request(sha256=hashlib.sha256(data).hexdigest(), size=len(data), urls=(url,), label="file")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_the_proxy_of_the_settings(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request("/wheel").respond_with_data(b"through the proxy")
    network = Network(proxy=httpserver.url_for("/").rstrip("/"))
    store = Store(tmp_path)
    wanted = request(b"through the proxy", "http://files.invalid/wheel")
    fetch_all(store, [wanted], network=network)
    assert store.has(wanted.sha256)
    with Client(network=network) as client:
        assert client.get_bytes("http://files.invalid/wheel") == b"through the proxy"
    assert [entry[0].url for entry in httpserver.log] == ["http://files.invalid/wheel"] * 2


def test_the_proxy_of_the_environment_and_its_exceptions(
    httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    httpserver.expect_request("/wheel").respond_with_data(b"bytes")
    monkeypatch.setenv("http_proxy", httpserver.url_for("/").rstrip("/"))
    fetch_all(Store(tmp_path / "one"), [request(b"bytes", "http://files.invalid/wheel")], network=Network())
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "localhost")
    fetch_all(Store(tmp_path / "two"), [request(b"bytes", httpserver.url_for("/wheel"))], network=Network())
    assert len(httpserver.log) == 2


def test_authorities_that_are_missing(tmp_path: Path) -> None:
    network = Network(ca_file=str(tmp_path / "missing.pem"))
    with pytest.raises(FetchError, match=r"no certificate authorities here"):
        fetch_all(Store(tmp_path), [request(b"", "https://files.invalid/wheel")], network=network)


@pytest.mark.parametrize(("limits", "most"), [({}, 3), ({"localhost": 1}, 1)])
def test_connections_to_one_host(tmp_path: Path, limits: dict[str, int], most: int) -> None:
    guard, running, seen = threading.Lock(), 0, 0

    def answer(asked: WebRequest) -> Response:
        nonlocal running, seen
        with guard:
            running += 1
            seen = max(seen, running)
        time.sleep(0.03)
        with guard:
            running -= 1
        return Response(asked.path.encode())

    with HTTPServer(threaded=True) as server:
        for number in range(20):
            server.expect_request(f"/{number}").respond_with_handler(answer)
        network = Network(connections=3, host_connections=limits)
        wanted = [request(f"/{number}".encode(), server.url_for(f"/{number}")) for number in range(20)]
        fetch_all(Store(tmp_path), wanted, network=network, jobs=16)
    assert seen == most


def test_an_unreachable_mirror_is_tried_thoroughly_once(
    httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builder.io.network._FIRST_PAUSE", 0.05)
    dead = "http://127.0.0.1:9"
    wanted = []
    for number in range(60):
        data = f"/{number}".encode()
        httpserver.expect_request(f"/{number}").respond_with_data(data)
        place = httpserver.url_for(f"/{number}")
        digest = hashlib.sha256(data).hexdigest()
        wanted.append(Request(sha256=digest, size=None, urls=(f"{dead}/{number}", place), label=str(number)))
    store = Store(tmp_path)
    fetch_all(store, wanted, jobs=4, network=Network())
    assert len(list(store.digests())) == 60
