"""A server on a real socket that goes wrong as a fault's `server.toml` says.

`[[answer]]` tables are used one a request, the last one for all that follow:
`status`, `headers`, and of the file `from` (first byte), `cut` (bytes sent),
`flip` (a byte with one bit turned), `extra` (bytes too many), `gzip`, `other`
(other bytes of the same size), `length` (Content-Length instead of the true
one, or "" for none), `end` (`close`, `reset` or `stall`). `version` of HTTP,
`chunked` (without the last chunk), `padding` (bytes of headers, in one line if
negative), `silent` (no head but what `said` gives, and no body), `page` (a
page instead of the file), `drip` (a few bytes a second, for ever).
"""

from __future__ import annotations

import gzip
import random
import socket
import ssl
import struct
import threading
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any, Self

DATA = random.Random(6).randbytes(300_000)
OTHER = random.Random(7).randbytes(300_000)
SHOWN = ("range", "if-range", "authorization")


def packed(data: bytes) -> bytes:
    """Return `data` as a server that packs with gzip sends it."""
    return gzip.compress(data, mtime=0)


class FaultServer:
    """Serves answers in order; a context manager."""

    def __init__(
        self, answers: list[dict[str, Any]], *, host: str = "127.0.0.1", tls: Path | None = None
    ) -> None:
        self._answers = answers
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self._tls: ssl.SSLContext | None = None
        if tls is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(tls)
        self.names: dict[str, str] = {}
        """What stands for `{word}` in headers, besides `{soon}`, an HTTP date in one to two seconds."""
        self.log: list[str] = []
        self._last = 0.0
        self._over = threading.Event()
        scheme = "https" if tls else "http"
        named = f"[{host}]" if ":" in host else host
        self.url = f"{scheme}://{named}:{self._listener.getsockname()[1]}/file"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _accept(self) -> None:
        threads = []
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                break
            threads.append(threading.Thread(target=self._serve, args=(connection,)))
            threads[-1].start()
        for thread in threads:
            thread.join(10)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                if self._tls is not None:
                    with self._tls.wrap_socket(connection, server_side=True) as secured:
                        self._answer(secured)
                else:
                    self._answer(connection)
        except OSError:
            pass  # the client has gone, as some faults make it do

    def _answer(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(65536)
            if not piece:
                return
            head += piece
        self._note(head.decode("latin-1").split("\r\n"))
        answer = self._answers[min(len(self.log), len(self._answers)) - 1]
        body = self._body(answer)
        if answer.get("silent"):
            connection.sendall(answer.get("said", "").encode())
            self._end(connection, answer)
            return
        status = answer.get("status", "200 OK")
        length = answer.get("length", len(body))
        lines = [f"{answer.get('version', 'HTTP/1.1')} {status}", "Connection: close"]
        lines += [f"Content-Length: {length}"] if length != "" else []
        soon = formatdate(time.time() + 2, usegmt=True)
        lines += [line.format(**self.names, soon=soon) for line in answer.get("headers", [])]
        padding = answer.get("padding", 0)
        lines += [f"X-{number}: {'x' * 990}" for number in range(padding // 1000)]
        lines += [f"X-Long: {'x' * -padding}"] if padding < 0 else []
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        part = body[: answer.get("cut", len(body))]
        if answer.get("drip"):
            self._drip(connection, part)
        elif answer.get("chunked"):
            connection.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        else:
            connection.sendall(part)
        self._end(connection, answer)

    def _drip(self, connection: socket.socket, body: bytes) -> None:
        for number in range(len(body)):
            connection.sendall(body[number : number + 1])
            if self._over.wait(0.1):
                return

    def _end(self, connection: socket.socket, answer: dict[str, Any]) -> None:
        end = answer.get("end", "close")
        if end == "stall":
            self._over.wait(30)
        elif end == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _note(self, lines: list[str]) -> None:
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        shown = "".join(f", {name}: {headers[name]}" for name in SHOWN if name in headers)
        now = time.monotonic()
        later = ", a second later" if self._last and now - self._last >= 1 and "pauses" in self.names else ""
        self._last = now
        self.log.append(f"asked for {lines[0].split(' ')[1]}{shown}{later}")

    @staticmethod
    def _body(answer: dict[str, Any]) -> bytes:
        if answer.get("page") or not answer.get("status", "200").startswith("2"):
            return b"<html>something else</html>"
        body = bytearray(OTHER if answer.get("other") else DATA)
        if "flip" in answer:
            body[answer["flip"]] ^= 1
        body += bytes(answer.get("extra", 0))
        data = bytes(body[answer.get("from", 0) :])
        return packed(data) if answer.get("gzip") else data
