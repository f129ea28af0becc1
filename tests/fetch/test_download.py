from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as WebRequest
from werkzeug import Response

from builder.errors import BuilderError, DigestMismatchError, FetchError
from builder.fetch.download import fetch_all
from builder.store.arriving import Request
from builder.store.store import Store


class Heard:
    """A progress that remembers, and would notice calls that overlap."""

    def __init__(self) -> None:
        self.plan: list[str] = []
        self.events: list[tuple[str, str]] = []
        self._inside = threading.Lock()

    def planned(self, requests: Sequence[Request]) -> None:
        self.plan = [request.label for request in requests]

    def _hear(self, event: str, request: Request) -> None:
        assert self._inside.acquire(blocking=False)
        self.events.append((event, request.label))
        self._inside.release()

    def started(self, request: Request, url: str) -> None:
        self._hear("started", request)

    def advanced(self, request: Request, position: int) -> None:
        assert position > 0
        self._hear("advanced", request)

    def finished(self, request: Request) -> None:
        self._hear("finished", request)

    def failed(self, request: Request, error: BuilderError) -> None:
        self._hear("failed", request)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builder.io.network._FIRST_PAUSE", 0.01)


def request_for(data: bytes, *urls: str, label: str = "file", size: int | None = None) -> Request:
    return Request(sha256=hashlib.sha256(data).hexdigest(), size=size, urls=urls, label=label)


def test_many_files_in_parallel(store: Store, httpserver: HTTPServer) -> None:
    contents = [bytes([number]) * (1000 * number + 1) for number in range(30)]
    running, most = 0, 0
    guard = threading.Lock()

    def answer(request: WebRequest) -> Response:
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with guard:
            running -= 1
        return Response(contents[int(request.path[1:])])

    httpserver.expect_request("/late").respond_with_data("")
    for number in range(30):
        httpserver.expect_request(f"/{number}").respond_with_handler(answer)
    requests = [
        request_for(data, httpserver.url_for(f"/{number}"), label=str(number), size=len(data))
        for number, data in enumerate(contents)
    ]
    heard = Heard()
    fetch_all(store, requests, jobs=4, progress=heard)
    assert [store.read(request.sha256) for request in requests] == contents
    assert heard.plan == [str(number) for number in reversed(range(30))]
    assert sum(event == "finished" for event, _ in heard.events) == 30
    assert most <= 4
    assert len(httpserver.log) == 30
    fetch_all(store, requests, progress=heard)
    assert len(httpserver.log) == 30
    assert heard.plan == []


def test_same_bytes_are_fetched_once(store: Store, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data(b"x")
    fetch_all(store, [request_for(b"x", httpserver.url_for("/a"))] * 3)
    assert len(httpserver.log) == 1


def test_damaged_size_in_the_store_is_fetched_again(store: Store, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data(b"whole")
    request = request_for(b"whole", httpserver.url_for("/a"), size=5)
    path = store.path(request.sha256)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"who")
    fetch_all(store, [request])
    assert store.read(request.sha256) == b"whole"


def test_next_place_after_missing_broken_and_wrong(store: Store, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/missing").respond_with_data("", status=404)
    httpserver.expect_request("/broken").respond_with_data("", status=500)
    httpserver.expect_request("/wrong").respond_with_data(b"evil")
    httpserver.expect_request("/right").respond_with_data(b"good")
    urls = [httpserver.url_for(f"/{name}") for name in ("missing", "broken", "wrong", "right")]
    heard = Heard()
    request = request_for(b"good", *urls)
    fetch_all(store, [request], progress=heard)
    assert store.read(request.sha256) == b"good"
    assert list(store.digests()) == [request.sha256]
    assert [event for event, _ in heard.events if event != "advanced"] == ["started", "failed"] * 3 + [
        "started",
        "finished",
    ]


def test_every_place_is_named_and_the_gravest_decides(store: Store, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/missing").respond_with_data("", status=404)
    httpserver.expect_request("/wrong").respond_with_data(b"evil")
    missing, wrong = httpserver.url_for("/missing"), httpserver.url_for("/wrong")
    evil = hashlib.sha256(b"evil").hexdigest()
    request = request_for(b"good", missing, wrong, label="torch.whl")
    with pytest.raises(DigestMismatchError) as caught:
        fetch_all(store, [request])
    assert str(caught.value) == (
        "torch.whl: none of 2 places has it:\n"
        f"  {missing}: HTTP 404\n"
        f"  {wrong}: expected sha256 {request.sha256}, got {evil}"
    )
    with pytest.raises(DigestMismatchError):
        fetch_all(store, [request_for(b"good", wrong, missing)])
    with pytest.raises(FetchError):
        fetch_all(store, [request_for(b"good", missing, missing)])
    assert list(store.digests()) == []


def test_one_place_and_no_place(store: Store, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/missing").respond_with_data("", status=404)
    url = httpserver.url_for("/missing")
    with pytest.raises(FetchError) as caught:
        fetch_all(store, [request_for(b"a", url, label="a.deb")])
    assert str(caught.value) == f"a.deb: {url}: HTTP 404"
    with pytest.raises(FetchError) as caught:
        fetch_all(store, [request_for(b"a", label="a.deb")])
    assert str(caught.value) == "a.deb: no known place has it"
    assert "origins.toml" in caught.value.hint


def test_other_files_arrive_and_all_failures_are_named(store: Store, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/missing").respond_with_data("", status=404)
    httpserver.expect_request("/wrong").respond_with_data(b"evil")
    httpserver.expect_request("/right").respond_with_data(b"good")
    good = request_for(b"good", httpserver.url_for("/right"))
    requests = [
        request_for(b"1", httpserver.url_for("/missing"), label="one"),
        good,
        request_for(b"2", httpserver.url_for("/wrong"), label="two"),
    ]
    with pytest.raises(DigestMismatchError) as caught:
        fetch_all(store, requests)
    lines = str(caught.value).splitlines()
    assert lines[0] == "2 files could not be fetched:"
    assert [line.split(":")[0] for line in lines[1:]] == ["one", "two"]
    assert store.has(good.sha256)


def test_hopeless_fetch_ends_early(store: Store, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/missing").respond_with_data("", status=404)
    url = httpserver.url_for("/missing")
    requests = [request_for(bytes([number]), url, label=str(number)) for number in range(100)]
    with pytest.raises(FetchError):
        fetch_all(store, requests, jobs=2)
    assert len(httpserver.log) < 12


def test_interrupt_stops_running_transfers_and_leaves_what_can_be_resumed(
    store: Store, httpserver: HTTPServer
) -> None:
    release = threading.Event()

    def slow(_: WebRequest) -> Response:
        def body() -> Iterator[bytes]:
            for _ in range(200):
                yield b"x" * 2**18
                release.wait(0.02)

        return Response(body())

    httpserver.expect_request("/slow").respond_with_handler(slow)

    class Interrupting(Heard):
        def advanced(self, request: Request, position: int) -> None:
            if position > 2**20:
                raise KeyboardInterrupt

    request = request_for(b"never", httpserver.url_for("/slow"))
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fetch_all(
            store,
            [request, request_for(b"no", httpserver.url_for("/slow"))],
            progress=Interrupting(),
        )
    release.set()
    assert time.monotonic() - started < 3
    assert list(store.digests()) == []
    assert [path.suffix for path in store.arriving.glob("*.part")] == [".part"]
