from __future__ import annotations

import gzip
import hashlib
import io
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from builder import __version__
from builder.errors import DigestMismatchError, FetchError
from builder.io.exchange import NoRangesError, NotFoundError, redirect_target, retry_after
from builder.io.http import Client
from builder.io.network import Network
from builder.io.transfer import stated_length

DATA = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(DATA).hexdigest()


class Pauses:
    """Waits that take no time and are remembered."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def client(pauses: Pauses) -> Iterator[Client]:
    with Client(sleep=pauses, attempts=3, network=Network(connect_timeout=2, stall_timeout=2)) as client:
        yield client


class Scripted:
    """A server that answers each connection with the next of some raw answers, then hangs up."""

    def __init__(self, *answers: bytes) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._answers = answers
        self.requests: list[bytes] = []
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/file"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with self._socket:
            for answer in self._answers:
                connection, _ = self._socket.accept()
                with connection:
                    self.requests.append(connection.recv(65536))
                    connection.sendall(answer)

    def join(self) -> None:
        self._thread.join(10)
        assert not self._thread.is_alive()


def test_get_bytes_sends_our_name_and_no_cookies(client: Client, httpserver: HTTPServer) -> None:
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return Response(b"hello", headers={"Set-Cookie": "a=b; Path=/"}, content_type="Text/HTML; charset=x")

    httpserver.expect_request("/a").respond_with_handler(answer)
    assert client.get_bytes(httpserver.url_for("/a")) == b"hello"
    got = client.get(httpserver.url_for("/a"))
    assert (got.url, got.content_type, got.body) == (httpserver.url_for("/a"), "text/html", b"hello")
    assert seen[1].headers["User-Agent"] == f"lockwright/{__version__}"
    assert "Cookie" not in seen[1].headers
    assert seen[1].headers["Accept-Encoding"] == "identity"


def test_documents_are_unpacked_and_files_are_not(client: Client, httpserver: HTTPServer) -> None:
    packed = gzip.compress(b"page" * 100)
    httpserver.expect_request("/a").respond_with_data(packed, headers={"Content-Encoding": "gzip"})
    url = httpserver.url_for("/a")
    assert client.get_bytes(url, accept="application/json") == b"page" * 100
    assert client.get_bytes(url) == packed
    sink = io.BytesIO()
    assert client.download(url, sink) == hashlib.sha256(packed).hexdigest()
    assert sink.getvalue() == packed


def test_limit_holds_for_what_was_unpacked(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data(
        gzip.compress(bytes(10_000_000)), headers={"Content-Encoding": "gzip"}
    )
    with pytest.raises(FetchError, match="larger than the 100000 bytes expected at most"):
        client.get_bytes(httpserver.url_for("/a"), accept="*/*", limit=100_000)


def test_damaged_compression(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data(b"not gzip", headers={"Content-Encoding": "gzip"})
    with pytest.raises(FetchError, match="the compressed answer is damaged"):
        client.get_bytes(httpserver.url_for("/a"), accept="*/*")


@pytest.mark.parametrize("status", [404, 410])
def test_missing(client: Client, httpserver: HTTPServer, pauses: Pauses, status: int) -> None:
    httpserver.expect_request("/a").respond_with_data("", status=status)
    with pytest.raises(NotFoundError) as caught:
        client.get_bytes(httpserver.url_for("/a"))
    assert str(caught.value) == f"{httpserver.url_for('/a')}: HTTP {status}"
    assert pauses.seconds == []


def test_refused_with_hint_and_without_credentials(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data("", status=401)
    url = httpserver.url_for("/a").replace("://", "://me:secret@")
    with pytest.raises(FetchError) as caught:
        client.get_bytes(url)
    assert "secret" not in str(caught.value)
    assert "***@" in str(caught.value)
    assert caught.value.hint == "put credentials for this host in ~/.netrc or LOCKWRIGHT_AUTH"


def test_retries_then_succeeds(client: Client, httpserver: HTTPServer, pauses: Pauses) -> None:
    httpserver.expect_ordered_request("/a").respond_with_data("", status=503)
    httpserver.expect_ordered_request("/a").respond_with_data("", status=429, headers={"Retry-After": "7"})
    httpserver.expect_ordered_request("/a").respond_with_data("ok")
    assert client.get_bytes(httpserver.url_for("/a")) == b"ok"
    assert pauses.seconds == [0.5, 7.0]


def test_retries_are_bounded(client: Client, httpserver: HTTPServer, pauses: Pauses) -> None:
    httpserver.expect_request("/a").respond_with_data("", status=500, headers={"Retry-After": "99999"})
    with pytest.raises(FetchError) as caught:
        client.get_bytes(httpserver.url_for("/a"))
    assert caught.value.cause == "HTTP 500 (3 attempts)"
    assert pauses.seconds == [60.0, 60.0]
    assert len(httpserver.log) == 3


def test_abort_ends_the_attempts(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data("", status=503, headers={"Retry-After": "50"})
    with Client(network=Network()) as client:
        timer = threading.Timer(0.3, client.abort)
        timer.start()
        with pytest.raises(FetchError, match="HTTP 503"):
            client.get_bytes(httpserver.url_for("/a"))
        timer.join()
    assert len(httpserver.log) == 2


def test_refused_connection(client: Client, pauses: Pauses) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(FetchError) as caught:
        client.get_bytes(f"http://127.0.0.1:{port}/")
    assert caught.value.cause == "no connection: Connection refused (3 attempts)"
    assert caught.value.hint
    assert len(pauses.seconds) == 2


def test_silent_server(pauses: Pauses) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        Client(sleep=pauses, attempts=1, network=Network(connect_timeout=1, stall_timeout=0.2)) as client,
        pytest.raises(FetchError, match="did not answer in time"),
    ):
        client.get_bytes(f"http://127.0.0.1:{server.getsockname()[1]}/")


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://h.invalid/", "nothing", "http://", "http://[::1", "https://a b/"]
)
def test_urls_that_are_none(client: Client, pauses: Pauses, url: str) -> None:
    with pytest.raises(FetchError, match="cannot be requested"):
        client.get_bytes(url)
    assert pauses.seconds == []


def test_redirect_is_followed_and_reported(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data("", status=302, headers={"Location": "b/c"})
    httpserver.expect_request("/b/c").respond_with_data("there")
    assert client.get(httpserver.url_for("/a")).url == httpserver.url_for("/b/c")


def test_redirects_are_bounded(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data("", status=301, headers={"Location": "/a"})
    with pytest.raises(FetchError, match="more than 8 redirects"):
        client.get_bytes(httpserver.url_for("/a"))
    assert len(httpserver.log) == 9


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://h.invalid/x"])
def test_redirect_to_another_scheme(client: Client, httpserver: HTTPServer, target: str) -> None:
    httpserver.expect_request("/a").respond_with_data("", status=302, headers={"Location": target})
    with pytest.raises(FetchError, match=f"redirected to {target}, which is not https"):
        client.get_bytes(httpserver.url_for("/a"))


def test_redirect_without_target(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data("", status=302)
    with pytest.raises(FetchError, match="redirected without a target"):
        client.get_bytes(httpserver.url_for("/a"))


@pytest.mark.parametrize(
    ("here", "location", "there"),
    [
        ("https://u:p@a.invalid/x", "/y", "https://u:p@a.invalid/y"),
        ("https://u:p@a.invalid/x", "https://a.invalid/y#f", "https://u:p@a.invalid/y"),
        ("https://u:p@a.invalid/x", "https://b.invalid/y", "https://b.invalid/y"),
        ("https://u:p@a.invalid/x", "https://a.invalid:8443/y", "https://a.invalid:8443/y"),
        ("https://a.invalid/x", "https://v:q@b.invalid/y", "https://b.invalid/y"),
        ("http://u:p@a.invalid/x", "https://a.invalid/y", "https://a.invalid/y"),
    ],
)
def test_credentials_stay_with_their_host(here: str, location: str, there: str) -> None:
    assert redirect_target(here, location, "place") == there


def test_no_downgrade() -> None:
    with pytest.raises(FetchError) as caught:
        redirect_target("https://a.invalid/x", "http://u:p@a.invalid/y", "https://a.invalid/x")
    assert caught.value.cause == "redirected to http://***@a.invalid/y, which is not https"


def test_credentials_of_a_url_are_not_sent_to_another_port(client: Client, httpserver: HTTPServer) -> None:
    with HTTPServer(port=0) as other:
        other.expect_request("/b").respond_with_data("ok")
        httpserver.expect_request("/a").respond_with_data(
            "", status=302, headers={"Location": other.url_for("/b")}
        )
        assert client.get_bytes(httpserver.url_for("/a").replace("://", "://u:p@")) == b"ok"
        assert "Authorization" in httpserver.log[0][0].headers
        assert "Authorization" not in other.log[0][0].headers


def test_netrc_is_honoured(
    client: Client, httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    httpserver.expect_request("/a").respond_with_data("ok")
    client.get_bytes(httpserver.url_for("/a"))
    assert httpserver.log[0][0].authorization is not None


def test_ranges(client: Client, httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        spans = request.range.ranges if request.range else []
        (start, end) = spans[0]
        headers = {"Content-Range": f"bytes {start}-{(end or 0) - 1}/{len(DATA)}"}
        return Response(DATA[start:end], status=206, headers=headers)

    httpserver.expect_request("/a").respond_with_handler(answer)
    assert client.get_range(httpserver.url_for("/a"), 10, 20) == DATA[10:20]


def test_server_without_ranges(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/whole").respond_with_data(DATA)
    httpserver.expect_request("/beyond").respond_with_data("", status=416)
    httpserver.expect_request("/other").respond_with_data(
        b"12", status=206, headers={"Content-Range": "bytes 5-6/9"}
    )
    with pytest.raises(NoRangesError, match="does not serve ranges"):
        client.get_range(httpserver.url_for("/whole"), 0, 2)
    with pytest.raises(NoRangesError, match="does not have that range"):
        client.get_range(httpserver.url_for("/beyond"), 0, 2)
    with pytest.raises(FetchError, match="asked for bytes 0-1, got 'bytes 5-6/9'"):
        client.get_range(httpserver.url_for("/other"), 0, 2)


def test_head(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a", method="HEAD").respond_with_data(
        b"x" * 12, headers={"Accept-Ranges": "bytes"}
    )
    head = client.head(httpserver.url_for("/a"))
    assert (head.size, head.ranges, head.url) == (12, True, httpserver.url_for("/a"))
    assert stated_length("12") == 12
    assert stated_length("9" * 5000) is None


def test_download(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data(DATA)
    positions: list[int] = []
    sink = io.BytesIO()
    digest = client.download(
        httpserver.url_for("/a"), sink, sha256=SHA256, size=len(DATA), progress=positions.append
    )
    assert digest == SHA256
    assert sink.getvalue() == DATA
    assert positions[-1] == len(DATA)
    assert positions == sorted(positions)


def test_download_of_other_bytes(client: Client, httpserver: HTTPServer, pauses: Pauses) -> None:
    httpserver.expect_request("/a").respond_with_data(DATA)
    with pytest.raises(DigestMismatchError) as caught:
        client.download(httpserver.url_for("/a"), io.BytesIO(), sha256="0" * 64)
    assert caught.value.cause == f"expected sha256 {'0' * 64}, got {SHA256}"
    assert pauses.seconds == []


def test_wrong_announced_size_ends_before_the_body(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data(DATA)
    sink = io.BytesIO()
    with pytest.raises(DigestMismatchError, match=f"expected 5 bytes, got {len(DATA)}"):
        client.download(httpserver.url_for("/a"), sink, size=5)
    assert sink.getvalue() == b""


def test_unannounced_size_is_bounded(client: Client, httpserver: HTTPServer) -> None:
    def endless(_: Request) -> Response:
        return Response(b"x" * 65536 for _ in range(1000))

    httpserver.expect_request("/a").respond_with_handler(endless)
    with pytest.raises(DigestMismatchError, match="expected 100 bytes, got at least"):
        client.download(httpserver.url_for("/a"), io.BytesIO(), size=100)
    with pytest.raises(FetchError, match="is larger than 100 bytes"):
        client.download(httpserver.url_for("/a"), io.BytesIO(), limit=100)


def _head(status: str, length: int, *lines: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {length}", *lines, "", ""]).encode()


def test_broken_transfer_is_resumed_with_a_strong_tag(client: Client) -> None:
    rest = _head(
        "206 Partial Content", len(DATA) - 1000, f"Content-Range: bytes 1000-{len(DATA) - 1}/{len(DATA)}"
    )
    server = Scripted(_head("200 OK", len(DATA), 'ETag: "v1"') + DATA[:1000], rest + DATA[1000:])
    sink = io.BytesIO()
    assert client.download(server.url, sink, sha256=SHA256, size=len(DATA)) == SHA256
    server.join()
    assert sink.getvalue() == DATA
    assert b"Range: bytes=1000-\r\n" in server.requests[1]
    assert b'If-Range: "v1"\r\n' in server.requests[1]


@pytest.mark.parametrize("tag", ['ETag: W/"v1"', "X-None: 1"])
def test_broken_transfer_starts_again_without_one(client: Client, tag: str) -> None:
    whole = _head("200 OK", len(DATA), tag)
    server = Scripted(whole + b"other bytes", whole + DATA)
    sink = io.BytesIO()
    assert client.download(server.url, sink) == SHA256
    server.join()
    assert sink.getvalue() == DATA
    assert b"Range:" not in server.requests[1]


def test_the_digest_stands_in_for_a_validator(client: Client) -> None:
    broken = _head("200 OK", len(DATA)) + DATA[:500]
    rest = (
        _head("206 Partial Content", len(DATA) - 500, f"Content-Range: bytes 500-{len(DATA) - 1}/{len(DATA)}")
        + DATA[500:]
    )
    server = Scripted(broken, rest)
    sink = io.BytesIO()
    assert client.download(server.url, sink, sha256=SHA256) == SHA256
    server.join()
    assert sink.getvalue() == DATA
    assert b"Range: bytes=500-" in server.requests[1]
    assert b"If-Range" not in server.requests[1]


def test_two_answers_that_make_no_file_are_replaced_by_a_whole_one(client: Client) -> None:
    broken = _head("200 OK", len(DATA)) + bytes(500)
    rest = (
        _head("206 Partial Content", len(DATA) - 500, f"Content-Range: bytes 500-{len(DATA) - 1}/{len(DATA)}")
        + DATA[500:]
    )
    server = Scripted(broken, rest, _head("200 OK", len(DATA)) + DATA)
    sink = io.BytesIO()
    assert client.download(server.url, sink, sha256=SHA256) == SHA256
    server.join()
    assert sink.getvalue() == DATA


def test_changed_file_starts_again(client: Client) -> None:
    server = Scripted(
        _head("200 OK", len(DATA), 'ETag: "v1"') + b"old bytes",
        _head("200 OK", len(DATA), 'ETag: "v2"') + DATA,
    )
    sink = io.BytesIO()
    assert client.download(server.url, sink, sha256=SHA256) == SHA256
    server.join()
    assert sink.getvalue() == DATA


def test_refused_resumption_starts_again(client: Client) -> None:
    server = Scripted(
        _head("200 OK", len(DATA), 'ETag: "v1"') + b"half",
        _head("416 Range Not Satisfiable", 0),
        _head("200 OK", len(DATA)) + DATA,
    )
    assert client.download(server.url, io.BytesIO(), sha256=SHA256) == SHA256
    server.join()
    assert b"Range:" not in server.requests[2]


def test_truncation_is_never_success(client: Client) -> None:
    server = Scripted(*[_head("200 OK", len(DATA)) + DATA[:500]] * 3)
    with pytest.raises(FetchError, match=r"the transfer broke off: .*\(3 attempts\)"):
        client.download(server.url, io.BytesIO())
    server.join()


def test_unsized_short_body_is_never_success(client: Client) -> None:
    """Without a length the answer cannot tell that it broke off; the promised size can."""
    server = Scripted(*[b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + DATA[:500]] * 3)
    with pytest.raises(FetchError, match=r"the transfer broke off after 500 bytes \(3 attempts\)"):
        client.download(server.url, io.BytesIO(), size=len(DATA))
    server.join()


def test_what_progress_raises_passes_through(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data(DATA)

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.download(httpserver.url_for("/a"), io.BytesIO(), progress=stop)


class FullDisk(io.BytesIO):
    def write(self, _: object) -> int:
        raise OSError(28, "No space left on device")


def test_full_disk(client: Client, httpserver: HTTPServer, pauses: Pauses) -> None:
    httpserver.expect_request("/a").respond_with_data(DATA)
    with pytest.raises(FetchError, match="cannot be stored: No space left on device"):
        client.download(httpserver.url_for("/a"), FullDisk())
    assert pauses.seconds == []


def test_missing_authority_file(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent/ca.pem")
    with Client(network=Network()) as client, pytest.raises(FetchError, match=r"/nonexistent/ca\.pem"):
        client.get_bytes("https://127.0.0.1:9/")


def test_tls_failure_is_not_retried(httpserver: HTTPServer, client: Client, pauses: Pauses) -> None:
    with pytest.raises(FetchError, match="TLS failed") as caught:
        client.get_bytes(httpserver.url_for("/").replace("http:", "https:"))
    assert "SSL_CERT_FILE" in caught.value.hint
    assert pauses.seconds == []


def test_retry_after() -> None:
    assert retry_after(None) is None
    assert retry_after("3") == 3.0
    assert retry_after("soon") is None
    assert retry_after("3\x1e\x1e") == 3.0
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    later = retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=30)))
    assert later is not None
    assert 25 < later <= 30
