"""A store in unusual places, and with unusual things where its files should be."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from builder.errors import FetchError
from builder.fetch.download import fetch_all
from builder.io.network import Network
from builder.origins.origins import Origin, Origins
from builder.store.arriving import Request
from builder.store.store import Store
from tests.faults.network_server import DATA, FaultServer

SHA256 = hashlib.sha256(DATA).hexdigest()


def request(url: str, *, size: int | None = len(DATA)) -> Request:
    return Request(sha256=SHA256, size=size, urls=(url,), label="torch.whl")


def fill(store: Store, *, size: int | None = len(DATA)) -> None:
    with FaultServer([{}]) as server:
        fetch_all(store, [request(server.url, size=size)])


@pytest.mark.parametrize("size", [len(DATA), None])
def test_a_pipe_in_the_place_of_a_file(tmp_path: Path, size: int | None) -> None:
    store = Store(tmp_path / "store")
    store.path(SHA256).parent.mkdir(parents=True)
    os.mkfifo(store.path(SHA256))
    with pytest.raises(FetchError, match="is not a file"):
        store.verify(SHA256)
    fill(store, size=size)
    assert store.read(SHA256) == DATA


def test_a_pipe_in_the_place_of_an_arriving_file(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.arriving.mkdir(parents=True)
    os.mkfifo(store.arriving / f"{SHA256}.part")
    fill(store)
    assert store.read(SHA256) == DATA


@pytest.mark.parametrize("size", [len(DATA), None])
def test_a_folder_in_the_place_of_a_file(tmp_path: Path, size: int | None) -> None:
    store = Store(tmp_path / "store")
    store.path(SHA256).mkdir(parents=True)
    with pytest.raises(FetchError, match=f"Is a directory .*{SHA256[2:]}"):
        fill(store, size=size)
    store.path(SHA256).rmdir()
    fetch_all(store, [Request(sha256=SHA256, size=size, urls=(), label="torch.whl")])  # nothing was lost
    assert store.read(SHA256) == DATA


def test_a_file_in_the_place_of_a_folder(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    held = store.add_bytes(b"held")
    (store.root / "sha256" / SHA256[:2]).write_bytes(b"")
    with pytest.raises(FetchError, match=r"Not a directory|File exists"):
        fill(store)
    assert list(store.digests()) == [held]


def test_a_link_in_the_place_of_a_file(tmp_path: Path) -> None:
    """What it leads to is judged as a file, and never written to."""
    other = tmp_path / "other"
    other.write_bytes(b"precious")
    store = Store(tmp_path / "store")
    store.path(SHA256).parent.mkdir(parents=True)
    store.path(SHA256).symlink_to(other)
    fill(store, size=None)
    assert store.read(SHA256) == DATA
    assert other.read_bytes() == b"precious"


def test_linked_folders(tmp_path: Path) -> None:
    (tmp_path / "real/sha256").mkdir(parents=True)
    (tmp_path / "store").symlink_to(tmp_path / "real")
    (tmp_path / "real/tmp").symlink_to(tmp_path)
    store = Store(tmp_path / "store")
    fill(store)
    assert Store(tmp_path / "real").read(SHA256) == DATA


@pytest.mark.parametrize("name", ["with spaces and\nlines", "ünïcode-\U0001f4e6", "-rf", "%2e%2e", "a'b\"c"])
def test_unusual_names_of_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store(Path(name))
    fill(store)
    store.verify(SHA256)
    fetch_all(store, [Request(sha256=SHA256, size=len(DATA), urls=(), label="torch.whl")])


def test_arriving_files_on_another_file_system(tmp_path: Path) -> None:
    shared = Path("/dev/shm")
    if not os.access(shared, os.W_OK) or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other file system here")
    store = Store(tmp_path / "store")
    store.root.mkdir()
    arriving = shared / f"lockwright-{os.getpid()}"
    arriving.mkdir()
    try:
        store.arriving.symlink_to(arriving)
        with pytest.raises(FetchError, match="cannot be stored: Invalid cross-device link"):
            fill(store)
        assert list(store.digests()) == []
    finally:
        for path in arriving.iterdir():
            path.unlink()
        arriving.rmdir()


def test_a_host_that_has_only_ipv6(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    try:
        server = FaultServer([{}], host="::1")
    except OSError:
        pytest.skip("there is no IPv6 here")
    with server:
        fetch_all(store, [request(server.url)])
    assert store.read(SHA256) == DATA


def test_a_byte_now_and_then_is_as_good_as_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builder.io.download.ATTEMPTS", 1)
    store = Store(tmp_path / "store")
    with FaultServer([{"drip": True}]) as server, FaultServer([{}]) as mirror:
        urls = (server.url, mirror.url)
        wanted = Request(sha256=SHA256, size=len(DATA), urls=urls, label="torch.whl")
        fetch_all(store, [wanted], network=Network(stall_timeout=1))
        assert len(mirror.log) == 1
    assert store.read(SHA256) == DATA


@pytest.mark.parametrize(
    ("file", "asked"),
    [
        ("a b+c~1.0%2.whl", "/files/a%20b%2Bc~1.0%252.whl"),
        ("größe-1.0.whl", "/files/gr%C3%B6%C3%9Fe-1.0.whl"),
        ("what?#&=.whl", "/files/what%3F%23%26%3D.whl"),
    ],
)
def test_names_that_need_encoding(tmp_path: Path, file: str, asked: str) -> None:
    store = Store(tmp_path / "store")
    with FaultServer([{}]) as server:
        base = server.url.removesuffix("file")
        origins = Origins(origins=(Origin(name="o", url=base, layout="flat"),))
        fetch_all(store, [request(origins.url("o", "files", file))])
    assert server.log == [f"asked for {asked}"]


_FETCH = """
import sys
from pathlib import Path
from builder.fetch import fetch_all
from builder.store import Request, Store
sha256, size, url, root = sys.argv[1:]
fetch_all(Store(Path(root)), [Request(sha256=sha256, size=int(size), urls=(url,), label="torch.whl")])
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_leave_what_has_arrived(tmp_path: Path, number: signal.Signals) -> None:
    store = Store(tmp_path / "store")
    rest = {
        "status": "206 Partial Content",
        "from": 100_000,
        "headers": ["Content-Range: bytes 100000-299999/300000"],
    }
    with FaultServer([{"cut": 100_000, "end": "stall"}, rest]) as server:
        argv = [sys.executable, "-c", _FETCH, SHA256, str(len(DATA)), server.url, str(store.root)]
        process = subprocess.Popen(argv, stderr=subprocess.PIPE)
        part = store.arriving / f"{SHA256}.part"
        until = time.monotonic() + 60
        while not (part.exists() and part.stat().st_size == 100_000):
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < until, "nothing arrived"
            time.sleep(0.01)
        process.send_signal(number)
        process.communicate(timeout=30)
        assert process.returncode != 0
        assert list(store.digests()) == []
        fetch_all(store, [request(server.url)])
    assert server.log[1] == "asked for /file, range: bytes=100000-"
    assert store.read(SHA256) == DATA
