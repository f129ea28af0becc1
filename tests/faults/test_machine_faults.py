"""What goes wrong on the machine itself: its disk, its clock, its processes, its people."""

from __future__ import annotations

import hashlib
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from builder.errors import DigestMismatchError, FetchError
from builder.fetch.download import fetch_all
from builder.store.arriving import Request
from builder.store.store import Store, recover
from tests.faults.network_server import DATA, OTHER, FaultServer

SHA256 = hashlib.sha256(DATA).hexdigest()
FILES = {f"/{number}": random.Random(number).randbytes(20_000 + number) for number in range(40)}


class Files(BaseHTTPRequestHandler):
    """Serves FILES and counts; with ranges."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[tuple[str, int]]] = []
    pause = 0.0

    def do_GET(self) -> None:
        data = FILES[self.path]
        start = int(self.headers.get("Range", "bytes=0-")[6:-1])
        type(self).asked.append((self.path, start))
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        for offset in range(start, len(data), 4096):
            self.wfile.write(data[offset : min(offset + 4096, len(data))])
            time.sleep(type(self).pause)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def files() -> Iterator[str]:
    class Server(ThreadingHTTPServer):
        request_queue_size = 128

        def handle_error(self, *_: object) -> None:  # a killed client
            pass

    Files.asked, Files.pause = [], 0.0
    server = Server(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def request(url: str, *, size: int | None = len(DATA)) -> Request:
    return Request(sha256=SHA256, size=size, urls=(url,), label="torch.whl")


def requests(base: str) -> list[Request]:
    return [
        Request(sha256=hashlib.sha256(data).hexdigest(), size=len(data), urls=(base + path,), label=path)
        for path, data in FILES.items()
    ]


def check(store: Store) -> None:
    for digest in store.digests():
        store.verify(digest)


def test_disk_full(tmpfs: Callable[[str], Path]) -> None:
    store = Store(tmpfs("size=128k") / "store")
    with FaultServer([{}]) as server, pytest.raises(FetchError, match="No space left on device") as caught:
        fetch_all(store, [request(server.url)])
    assert "space" in caught.value.hint
    assert list(store.digests()) == []
    assert len(server.log) == 1, "no other attempt and no mirror makes a disk larger"


def test_disk_full_then_there_is_space(tmpfs: Callable[[str], Path]) -> None:
    place = tmpfs("size=512k")
    filler = place / "filler"
    filler.write_bytes(bytes(400_000))
    store = Store(place / "store")
    rest = {"status": "206 Partial Content"}
    with FaultServer([{}]) as server, pytest.raises(FetchError):
        fetch_all(store, [request(server.url)])
    filler.unlink()
    (part,) = store.arriving.glob("*.part")
    there = part.stat().st_size
    rest |= {"from": there, "headers": [f"Content-Range: bytes {there}-299999/300000"]}  # type: ignore[dict-item]
    with FaultServer([rest]) as server:
        fetch_all(store, [request(server.url)])
    assert server.log == [f"asked for /file, range: bytes={there}-"]
    assert store.read(SHA256) == DATA


def test_quota_reached(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with FaultServer([{}]) as server:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            with pytest.raises(FetchError, match="cannot be stored: File too large"):
                fetch_all(store, [request(server.url)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(store.digests()) == []


def test_read_only_store(tmpfs: Callable[[str], Path]) -> None:
    place = tmpfs("size=1m")
    held = Store(place / "store").add_bytes(b"held")
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    store = Store(place / "store")
    with FaultServer([{}]) as server, pytest.raises(FetchError, match="Read-only file system") as caught:
        fetch_all(store, [request(server.url)])
    assert "--store" in caught.value.hint
    assert server.log == []
    fetch_all(store, [Request(sha256=held, size=4, urls=(), label="held")])  # what is there needs no writing
    check(store)


@pytest.mark.parametrize(
    "wrong", [OTHER, DATA[:-1], DATA + b"x", b""], ids=["same-size", "short", "long", "empty"]
)
def test_store_file_changed_by_hand(tmp_path: Path, wrong: bytes) -> None:
    store = Store(tmp_path / "store")
    with FaultServer([{}]) as server:
        fetch_all(store, [request(server.url)])
        store.path(SHA256).chmod(0o644)
        store.path(SHA256).write_bytes(wrong)
        fetch_all(store, [request(server.url, size=None)])
        fetch_all(store, [request(server.url)])
    assert store.read(SHA256) == DATA
    assert len(server.log) == 2


def test_store_file_changed_by_hand_and_the_network_is_down(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with FaultServer([{}, {"status": "404 Not Found"}]) as server:
        fetch_all(store, [request(server.url)])
        store.path(SHA256).chmod(0o644)
        store.path(SHA256).write_bytes(OTHER)
        with pytest.raises(FetchError):
            fetch_all(store, [request(server.url)])
    assert not store.has(SHA256)
    with pytest.raises(DigestMismatchError):
        store.verify(SHA256)


def test_store_file_touched_and_right(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.add_bytes(DATA)
    os.utime(store.path(SHA256))
    fetch_all(store, [request("http://files.invalid/")])
    assert store.path(SHA256).stat().st_mtime == 1.0, "it is hashed once, not each time"


def test_clock_jump(tmp_path: Path, files: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wall-clock time leaps by years, back and forth, each time that anybody looks."""
    jumps = random.Random(1)

    class Jumping(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.fromtimestamp(jumps.choice((1, 4_000_000_000)), UTC)

    monkeypatch.setattr(time, "time", lambda: jumps.choice((1.0, 4_000_000_000.0)))
    monkeypatch.setattr("builder.io.exchange.datetime", Jumping)
    monkeypatch.setattr("builder.io.network._LONGEST_PAUSE", 0.1)
    store = Store(tmp_path / "store")
    later = ["Retry-After: Wed, 21 Oct 2065 07:28:00 GMT", "Date: Thu, 01 Jan 1970 00:00:00 GMT"]
    answers = [{"status": "503 Service Unavailable", "headers": later}] * 2
    with FaultServer([*answers, {}]) as server:
        fetch_all(store, [request(server.url), *requests(files)])
    assert store.has(SHA256)
    check(store)


def _fetch(root: Path, base: str) -> None:
    fetch_all(Store(root), requests(base), jobs=4)


_IMPORT = "import os, sys; from pathlib import Path; from tests.faults.test_machine_faults import _fetch"
_ONE = f"{_IMPORT}; _fetch(Path(sys.argv[1]), sys.argv[2])"
_FIFTY = f"""{_IMPORT}
children = []
for _ in range(50):
    child = os.fork()
    if not child:
        code = 1
        try:
            _fetch(Path(sys.argv[1]), sys.argv[2])
            code = 0
        finally:
            os._exit(code)
    children.append(child)
assert [os.waitpid(child, 0)[1] for child in children] == [0] * 50
"""


def test_fifty_processes_on_one_store(tmp_path: Path, files: str) -> None:
    Files.pause = 0.001
    subprocess.run([sys.executable, "-c", _FIFTY, str(tmp_path / "store"), files], check=True)
    store = Store(tmp_path / "store")
    assert list(store.digests()) == sorted(wanted.sha256 for wanted in requests(files))
    check(store)
    assert sorted(path for path, _ in Files.asked) == sorted(FILES), "each file was asked for once"
    assert list(store.arriving.glob("*.part")) == []


def test_killed_again_and_again(tmp_path: Path, files: str) -> None:
    Files.pause = 0.002
    store = Store(tmp_path / "store")
    chance = random.Random(3)
    for _ in range(6):
        process = subprocess.Popen([sys.executable, "-c", _ONE, str(store.root), files])
        time.sleep(0.5 + chance.random())
        process.send_signal(signal.SIGKILL)
        process.wait()
        check(store)
    _fetch(store.root, files)
    check(store)
    assert len(list(store.digests())) == len(FILES)
    for path in FILES:
        starts = [start for asked, start in Files.asked if asked == path]
        assert starts == sorted(starts), "what had arrived was not asked for again"


def test_crash_of_the_machine(tmp_path: Path) -> None:
    """A file that was renamed and whose bytes never reached the disk, after the next start."""
    store = Store(tmp_path / "store")
    good, bad = store.add_bytes(b"good"), store.add_bytes(DATA)
    stamp = store.path(bad).stat()
    store.path(bad).chmod(0o644)
    store.path(bad).write_bytes(bytes(len(DATA)))
    os.utime(store.path(bad), ns=(stamp.st_mtime_ns, stamp.st_mtime_ns))
    assert store.has(bad, len(DATA)), "nothing shows that it is damaged"
    (store.arriving / "unsynced-1-1").write_text(f"another boot\n12\n{good}\n{bad}\n{'0' * 64}\n")
    with FaultServer([{}]) as server:
        fetch_all(store, [request(server.url)])
    assert store.read(bad) == DATA
    assert store.read(good) == b"good"
    assert not (store.arriving / "unsynced-1-1").exists()
    assert recover(store) == ()
