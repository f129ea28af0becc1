"""A small proxy on a real socket: CONNECT to this machine, with or without a password, and what it was told."""

from __future__ import annotations

import base64
import re
import socket
import threading
from typing import Self


class ProxyServer:
    """Tunnels to hosts by address; a context manager. `login` is `user:password`."""

    def __init__(self, *, login: str = "") -> None:
        self._wanted = f"Basic {base64.b64encode(login.encode()).decode()}" if login else ""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"http://{login}@{self.host}" if login else f"http://{self.host}"
        self.heads: list[str] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                byte = connection.recv(1)
                if not byte:
                    return
                head += byte
            text = head.decode("latin-1")
            self.heads.append(text)
            match = re.match(r"CONNECT ([^ :]+):([0-9]+) HTTP/1\.[01]\r\n", text)
            given = re.search(r"(?im)^Proxy-Authorization: (.*?)\r?$", text)
            if match is None or (self._wanted and (given is None or given[1] != self._wanted)):
                connection.sendall(
                    b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"
                )
                return
            with socket.create_connection((match[1], int(match[2]))) as upstream:
                connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                back = threading.Thread(target=_copy, args=(upstream, connection), daemon=True)
                back.start()
                _copy(connection, upstream)
                back.join(10)


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(2**16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # one of both has gone
