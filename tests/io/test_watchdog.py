"""A server that drips is given up: no timeout of a socket sees it, because some byte always comes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from requests.auth import HTTPBasicAuth

from builder.errors import FetchError
from builder.io.http import Client
from builder.io.network import Network
from builder.io.upload import Uploader


@contextmanager
def dripping(head: bytes, drop: bytes) -> Iterator[tuple[str, threading.Event]]:
    """Serve `head`, then `drop` five times a second until the client has gone, which the event says."""
    listener = socket.create_server(("127.0.0.1", 0))
    over, gone = threading.Event(), threading.Event()

    def serve() -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.recv(2**16)
                connection.sendall(head)
                while not over.wait(0.2):
                    connection.sendall(drop)
        gone.set()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/", gone
    finally:
        over.set()
        listener.close()
        thread.join()


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nX-A: ", b"a"),
        (b"HTTP/1.1 200 OK\r\n", b"X-A: a\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;", b"a"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"a"),
    ],
    ids=["header", "headers", "chunk-size", "chunk-extension", "body"],
)
def test_a_server_that_drips_is_given_up(head: bytes, drop: bytes) -> None:
    with (
        dripping(head, drop) as (url, gone),
        Client(attempts=1, network=Network(stall_timeout=1.0)) as client,
    ):
        with pytest.raises(FetchError):
            client.get(url)
        assert gone.wait(60), "the connection was closed, and not by the server"


@pytest.mark.parametrize("drop", [b"a", b"\r\nX-A: a"], ids=["header", "headers"])
def test_an_upload_to_a_server_that_drips_is_given_up(drop: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builder.io.upload.UPLOAD_TIMEOUT", 1.0)
    auth = HTTPBasicAuth("u", "p")
    with dripping(b"HTTP/1.1 200 OK\r\nX-A: ", drop) as (url, gone), Uploader(auth, Network()) as uploader:
        with pytest.raises(FetchError):
            uploader.send("PUT", url, body=b"a", accept=(200,))
        assert gone.wait(60), "the connection was closed, and not by the server"
