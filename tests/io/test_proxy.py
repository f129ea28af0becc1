"""https through a real proxy, with a company's own authority, and passwords that stay where they belong."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from builder.errors import FetchError
from builder.fetch.download import fetch_all
from builder.io.credentials import Credentials
from builder.io.http import Client
from builder.io.network import Network
from builder.store.arriving import Request
from builder.store.store import Store
from tests.proxy_server import ProxyServer

DATA = b"through a tunnel"
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def origin(certificates: Path) -> Iterator[HTTPServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "valid.pem")
    with HTTPServer(host="127.0.0.1", ssl_context=context, threaded=True) as server:
        server.expect_request("/wheel").respond_with_data(DATA)
        yield server


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def fetch(store: Path, url: str, network: Network) -> None:
    fetch_all(
        Store(store), [Request(sha256=SHA256, size=len(DATA), urls=(url,), label="wheel")], network=network
    )


@pytest.mark.parametrize("login", ["", "proxy-user:proxy-password"])
@pytest.mark.parametrize("said", ["settings", "environment"])
def test_https_goes_through_a_tunnel(
    origin: HTTPServer,
    certificates: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    login: str,
    said: str,
) -> None:
    url = origin.url_for("/wheel")
    with ProxyServer(login=login) as proxy:
        if said == "environment":
            monkeypatch.setenv("https_proxy", proxy.url)
        network = Network(
            ca_file=str(certificates / "ca.pem"),
            proxy=proxy.url if said == "settings" else "",
            credentials=Credentials(environ={"LOCKWRIGHT_AUTH": f"127.0.0.1:{origin.port}=me:own-password"}),
        )
        fetch(tmp_path, url, network)
        with Client(network=network) as client:
            assert client.get_bytes(url) == DATA
        assert len(proxy.heads) == 2
        assert all(head.startswith(f"CONNECT 127.0.0.1:{origin.port} ") for head in proxy.heads)
        assert not [head for head in proxy.heads if "\r\nAuthorization:" in head], "that is the server's"
    assert len(origin.log) == 2
    for request, _ in origin.log:
        assert request.headers["Authorization"].startswith("Basic ")
        assert "Proxy-Authorization" not in request.headers


@pytest.mark.parametrize("login", ["proxy-user:wrong-password", ""])
def test_a_proxy_that_refuses(
    origin: HTTPServer, certificates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, login: str
) -> None:
    monkeypatch.setattr("builder.io.download.ATTEMPTS", 1)
    with ProxyServer(login="proxy-user:right-password") as proxy:
        place = f"http://{login}@{proxy.host}" if login else f"http://{proxy.host}"
        monkeypatch.setenv("https_proxy", place)
        with pytest.raises(FetchError, match="407") as caught:
            fetch(tmp_path, origin.url_for("/wheel"), Network(ca_file=str(certificates / "ca.pem")))
    assert "wrong-password" not in str(caught.value)
    assert "proxy" in f"{caught.value} {caught.value.hint}"
    assert origin.log == []


def test_the_authority_counts_behind_a_tunnel_too(origin: HTTPServer, tmp_path: Path) -> None:
    with ProxyServer() as proxy, pytest.raises(FetchError, match="TLS failed"):
        fetch(tmp_path, origin.url_for("/wheel"), Network(proxy=proxy.url))
    assert origin.log == []
