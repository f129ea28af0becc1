"""A server on loopback through which uv asks indexes that have mirrors or want credentials.

uv knows neither, and pip-tools knows no date bound either. So for such an index they are given an
address of this server, which asks as everything here asks: mirrors first, with the credentials of each
host. Pages are passed on with the addresses of their files replaced by addresses of this server. A
METADATA file, and a wheel of moderate size, is passed on only with the hash that the page states: a
place with other bytes counts as one that does not have it.

uv's cache is by address. So port and secret are kept beside that cache: another run finds what
this one left there, also without the network. The secret keeps other users of the machine out.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from builder.errors import BuilderError, FetchError
from builder.index.project_page import parse_rfc3339, passed_on_page
from builder.io import NoRangesError, NotFoundError, redacted, write_atomic
from builder.json_text import parse_json

if TYPE_CHECKING:
    from datetime import datetime

    from builder.index.index_client import IndexClient
    from builder.index.project_page import DistributionFile

__all__ = ["IndexGateway"]

_KEPT = "gateway.json"
_KINDS = ("index", "dated", "file")
_PAGE = "application/vnd.pypi.simple.v1+json"
_FILE = "application/octet-stream"
_LARGEST_WHOLE = 16 * 2**20
"""Bytes; a larger wheel is passed on in the ranges that uv asks for, which no hash covers."""
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_NOT_FOUND, _FAILED = 404, 400  # uv asks again after a 5xx


@dataclass(frozen=True, slots=True, kw_only=True)
class _PassedFile:
    """What an address of this server says of the file behind it, so that no state is needed."""

    url: str
    sha256: str
    metadata_sha256: str

    def token(self) -> str:
        """Return these values as a word of a URL."""
        return _encoded_word(json.dumps([self.url, self.sha256, self.metadata_sha256]))

    @classmethod
    def of_token(cls, token: str) -> _PassedFile:
        """Read a word that `token` made; ValueError for another."""
        url, sha256, metadata_sha256 = parse_json(_decoded_text(token))
        return cls(url=url, sha256=sha256, metadata_sha256=metadata_sha256)


def _encoded_word(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decoded_text(word: str) -> str:
    return base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)).decode()


class IndexGateway:
    """The server, from the first thread that needs it to the last."""

    def __init__(self, client: IndexClient, folder: Path) -> None:
        """Answer from what `client` gives; `folder` is that of uv's cache."""
        self._client = client
        self._folder = folder
        self._guard = threading.Lock()
        self._users = 0
        self._server: ThreadingHTTPServer | None = None
        self._port, self._secret = 0, ""
        self._errors: dict[str, BuilderError] = {}

    @contextmanager
    def running(self, *, offline: bool = False) -> Iterator[None]:
        """Serve inside the block; an `offline` run needs the addresses alone."""
        with self._guard:
            self._users += 1
            if self._users == 1:
                self._start_server(offline=offline)
        try:
            yield
        finally:
            with self._guard:
                self._users -= 1
                if not self._users:
                    self._stop_server()

    def index_address(self, url: str) -> str:
        """Return the address of this server for the index at `url`; valid inside `running`."""
        return f"{self._base_address}index/{_encoded_word(url)}/"

    def dated_address(self, url: str, before: str, elsewhere: Mapping[str, str]) -> str:
        """Return the address of this server for the index at `url` as it was before an RFC 3339 moment.

        A project in `elsewhere` is answered from the index that stands beside it, whatever its date.
        """
        return f"{self._base_address}dated/{_encoded_word(json.dumps([url, before, dict(elsewhere)]))}/"

    def real_url(self, url: str) -> str:
        """Return the URL of the file behind an address of this server; another URL stays as it is."""
        kind, _, rest = url.removeprefix(self._base_address).partition("/")
        if not url.startswith(self._base_address) or kind != "file":
            return url
        return _PassedFile.of_token(rest.partition("/")[0]).url

    def with_real_urls(self, text: str) -> str:
        """Return a message of uv with the addresses of this server replaced by what is behind them."""

        def replaced(match: re.Match[str]) -> str:
            with suppress(ValueError):
                if match["kind"] == "file":
                    return redacted(_PassedFile.of_token(match["word"]).url)
                text = _decoded_text(match["word"])
                index_url = str(parse_json(text)[0]) if match["kind"] == "dated" else text
                return redacted(index_url.rstrip("/") + match["rest"])
            return match[0]

        kinds = rf"{re.escape(self._base_address)}(?P<kind>index|dated|file)"
        return re.sub(rf"{kinds}/(?P<word>[\w-]+)(?P<rest>[^\s`'\")]*)", replaced, text)

    def error_in(self, text: str) -> BuilderError | None:
        """Return the error behind a message of uv (before `with_real_urls`) that names an address of it."""
        return next((error for url, error in self._errors.items() if url.rstrip("/") in text), None)

    def first_error(self) -> BuilderError | None:
        """Return why the first of the addresses that could not be answered since the start was not."""
        return next(iter(self._errors.values()), None)

    @property
    def _base_address(self) -> str:
        return f"http://127.0.0.1:{self._port}/{self._secret}/"

    def _start_server(self, *, offline: bool) -> None:
        kept_port, secret = self._kept_address()
        self._port, self._secret = kept_port, secret or secrets.token_urlsafe(24)
        self._errors.clear()
        if offline:
            return
        handler = type("_Handler", (_GatewayHandler,), {"gateway": self})
        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", kept_port), handler)
        except OSError:  # another run has the port: what is in uv's cache is not found then, and asked again
            self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._port = self._server.server_port
        if not kept_port:
            self._folder.mkdir(parents=True, exist_ok=True)
            address = {"port": self._port, "secret": self._secret}
            write_atomic(self._folder / _KEPT, json.dumps(address).encode())
            (self._folder / _KEPT).chmod(0o600)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _stop_server(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _kept_address(self) -> tuple[int, str]:
        try:
            kept = parse_json((self._folder / _KEPT).read_bytes())
            return int(kept["port"]), str(kept["secret"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0, ""

    def answer(self, path: str, byte_range: str, *, whole_size_only: bool) -> _PassedAnswer:
        """Return what is behind a path of this server (BuilderError; NotFoundError for no such path)."""
        secret, _, below = path.lstrip("/").partition("/")
        kind, _, rest = below.partition("/")
        word, _, name = rest.partition("/")
        if not secrets.compare_digest(secret.encode(), self._secret.encode()) or kind not in _KINDS:
            raise NotFoundError("no such address", place="gateway")
        try:
            if kind == "index":
                return self._passed_page(_decoded_text(word), unquote(name).strip("/"))
            if kind == "dated":
                return self._dated_page(_decoded_text(word), unquote(name).strip("/"))
            passed = _PassedFile.of_token(word)
        except ValueError:
            raise NotFoundError("no such address", place="gateway") from None
        if name.endswith(".metadata"):
            return _PassedAnswer(kind=_FILE, body=self._passed_metadata(passed))
        return self._passed_file(passed, byte_range, whole_size_only=whole_size_only)

    def failed(self, path: str, error: BuilderError) -> None:
        """Remember why a path of this server could not be answered."""
        self._errors[f"http://127.0.0.1:{self._port}{path}"] = error

    def _dated_page(self, word: str, project: str) -> _PassedAnswer:
        index_url, before, elsewhere = parse_json(word)
        if project in elsewhere:
            return self._passed_page(elsewhere[project], project)
        return self._passed_page(index_url, project, before=parse_rfc3339(before))

    def _passed_page(self, index_url: str, project: str, *, before: datetime | None = None) -> _PassedAnswer:
        body = passed_on_page(self._client, index_url, project, self._file_address, before=before)
        if body is None:
            raise NotFoundError("the index has no such project", place=redacted(f"{index_url}{project}/"))
        return _PassedAnswer(kind=_PAGE, body=body)

    def _file_address(self, item: DistributionFile) -> str:
        passed = _PassedFile(url=item.url, sha256=item.sha256, metadata_sha256=item.metadata_sha256)
        return f"{self._base_address}file/{passed.token()}/{quote(item.file)}"

    def _passed_metadata(self, passed: _PassedFile) -> bytes:
        if not passed.metadata_sha256:
            raise NotFoundError("the page states no hash of it", place=redacted(f"{passed.url}.metadata"))
        return self._client.get_bytes(f"{passed.url}.metadata", sha256=passed.metadata_sha256)

    def _passed_file(self, passed: _PassedFile, byte_range: str, *, whole_size_only: bool) -> _PassedAnswer:
        size = self._client.head(passed.url).size
        if size is not None and whole_size_only:
            return _PassedAnswer(kind=_FILE, body=b"", size=size)
        if size is not None and size > _LARGEST_WHOLE and byte_range:
            start, end = _wanted_bytes(byte_range, size)
            with suppress(NoRangesError):
                return _PassedAnswer(
                    kind=_FILE, body=self._client.get_range(passed.url, start, end), size=size, start=start
                )
        with tempfile.TemporaryFile() as whole:
            self._client.download(passed.url, whole, sha256=passed.sha256 or None)
            whole.seek(0)
            data = whole.read()
        if not byte_range:
            return _PassedAnswer(kind=_FILE, body=data, size=len(data))
        start, end = _wanted_bytes(byte_range, len(data))
        return _PassedAnswer(kind=_FILE, body=data[start:end], size=len(data), start=start)


def _wanted_bytes(byte_range: str, size: int) -> tuple[int, int]:
    """Return the start and the end of an HTTP byte range of a file of `size` bytes (FetchError)."""
    match = _RANGE.fullmatch(byte_range.strip())
    if match is None or not (match[1] or match[2]):
        raise FetchError(f"cannot give the range {byte_range!r}")
    if not match[1]:
        return max(0, size - int(match[2])), size
    return int(match[1]), min(size, int(match[2]) + 1) if match[2] else size


@dataclass(frozen=True, slots=True, kw_only=True)
class _PassedAnswer:
    """An answer: its media type, its bytes, and for a file its whole size and where the bytes start."""

    kind: str
    body: bytes
    size: int | None = None
    start: int | None = None


class _GatewayHandler(BaseHTTPRequestHandler):
    """One request of uv."""

    protocol_version = "HTTP/1.1"
    gateway: IndexGateway

    def log_message(self, *_: object) -> None:
        """Write no log."""

    def do_GET(self) -> None:
        """Answer with a page, a METADATA file, or a file or part of it."""
        self._send_answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answer with the size of a file."""
        self._send_answer(with_body=False)

    def _send_answer(self, *, with_body: bool) -> None:
        asked = self.headers.get("Range", "") if with_body else ""
        try:
            passed = self.gateway.answer(self.path, asked, whole_size_only=not with_body)
        except BuilderError as error:
            if not isinstance(error, NotFoundError):
                self.gateway.failed(self.path, error)
            self.send_response(_NOT_FOUND if isinstance(error, NotFoundError) else _FAILED)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200 if passed.start is None else 206)
        self.send_header("Content-Type", passed.kind)
        length = passed.size if not with_body and passed.size is not None else len(passed.body)
        self.send_header("Content-Length", str(length))
        if passed.size is not None:
            self.send_header("Accept-Ranges", "bytes")
        if passed.start is not None:
            last = passed.start + len(passed.body) - 1
            self.send_header("Content-Range", f"bytes {passed.start}-{last}/{passed.size}")
        self.end_headers()
        if with_body:
            with suppress(OSError):  # uv may go away
                self.wfile.write(passed.body)
