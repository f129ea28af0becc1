"""The soak of `fetch --serve`: 64 descriptors, 500 connections, slow, broken and parallel clients.

Every whole request is answered, or refused clearly; the log stays small; afterwards it serves as before.
"""

from __future__ import annotations

import asyncio
import resource
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from builder.mirror.door import Door, RareLog
from tests.commands.stocked import make_stock
from tests.mirror.test_server import Mirror, serving

DESCRIPTORS, CONNECTIONS, LARGEST_LOG = 64, 500, 2**20
DEADLINE = 120.0  # seconds; a client that waits longer was forgotten


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Mirror]:
    """A mirror with few descriptors; the limit is inherited by the process that is started."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    stock = make_stock(tmp_path / "project")
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))
    try:
        running = serving(stock, tmp_path)
        mirror = running.__enter__()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        yield mirror
    finally:
        running.__exit__(None, None, None)


def connected(mirror: Mirror) -> socket.socket:
    parts = urlsplit(mirror.url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=DEADLINE)


def asked(mirror: Mirror, path: str) -> str:
    """Make one whole request on a connection of its own; return its status, or what became of it."""
    with connected(mirror) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
        data = b""
        try:
            while piece := connection.recv(2**16):
                data += piece
        except OSError as cause:
            return type(cause).__name__
    head, _, body = data.partition(b"\r\n\r\n")
    words = head.decode().split(" ")
    lengths = [line for line in head.decode().splitlines() if line.lower().startswith("content-length:")]
    whole = bool(lengths) and len(body) == int(lengths[0].partition(":")[2])
    return words[1] if whole else f"cut off: {head[:80]!r}"


def patiently(mirror: Mirror, path: str) -> str:
    """Ask until the answer is no 503, as clients do."""
    until = time.monotonic() + DEADLINE
    while (status := asked(mirror, path)) == "503" and time.monotonic() < until:
        time.sleep(0.2)
    return status


def test_every_whole_request_is_answered_or_refused_clearly(narrow: Mirror) -> None:
    idle = [connected(narrow) for _ in range(100)]
    broken = [connected(narrow) for _ in range(20)]
    for number, connection in enumerate(broken):
        connection.sendall(
            (b"GET / HTT", b"\x16\x03\x01", b"\x00\xff\xfe\r\n\r\n", b"GET /" + b"a" * 9000)[number % 4]
        )
    path = f"/sha256/{narrow.lock.python[0].sha256}"
    with ThreadPoolExecutor(64) as pool:
        found = Counter(pool.map(lambda _: asked(narrow, path), range(CONNECTIONS)))
    assert set(found) <= {"200", "503"}, found
    for connection in (*idle, *broken):
        connection.close()
    with ThreadPoolExecutor(64) as pool:
        assert Counter(pool.map(lambda _: patiently(narrow, path), range(CONNECTIONS))) == {
            "200": CONNECTIONS
        }
    said = narrow.said.read_bytes()
    assert len(said) < LARGEST_LOG
    assert b"Traceback" not in said
    refusals = [line for line in said.splitlines() if b"refused a connection" in line]
    assert 1 <= len(refusals) <= 4, "one line a minute"


def test_clients_that_never_finish_their_request_are_let_go(narrow: Mirror) -> None:
    slow = [connected(narrow) for _ in range(40)]
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(1.0):
            for connection in slow:
                with suppress(OSError):
                    connection.sendall(b"G")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        assert patiently(narrow, "/") == "200"
    finally:
        stop.set()
        thread.join()
        for connection in slow:
            connection.close()


def test_without_descriptors_the_door_waits_and_says_so_once() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    clients = [socket.create_connection(listening.getsockname()) for _ in range(3)]
    heard: list[str] = []
    tries: list[float] = []
    let_in: list[socket.socket] = []

    async def begin(connection: socket.socket, _: object) -> None:
        let_in.append(connection)

    class CountedDoor(Door):
        def _pause_accepting(self) -> None:
            tries.append(time.monotonic())
            super()._pause_accepting()

    async def scene() -> None:
        door = CountedDoor(listening, 16, begin, RareLog(heard.append))
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        door.open()
        resource.setrlimit(resource.RLIMIT_NOFILE, (clients[0].fileno(), hard))
        try:
            while len(tries) < 3:  # noqa: ASYNC110 - the server's own steps are waited for
                await asyncio.sleep(0.05)
            assert not let_in
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        while len(let_in) < len(clients):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)
        door.shut()

    asyncio.run(asyncio.wait_for(scene(), DEADLINE))
    assert heard == ["cannot take connections for a moment: Too many open files"]
    assert tries[2] - tries[0] >= 0.4, "it waits between two tries"
    for connection in (*clients, *let_in):
        connection.close()
