"""Files of a folder, and generated ones of any size, over HTTP/1.1 on loopback: nginx where it is installed.

    file_server.py FOLDER     serve until standard input ends; prints the address

`/generated/SIZE/NAME` is a file of SIZE bytes that takes no disk.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BLOCK = bytes(range(256)) * 4096  # 1 MiB
_CONFIGURATION = """\
daemon off; worker_processes 1; pid {state}/pid; error_log {state}/error;
events {{ worker_connections 512; }}
http {{ access_log off; sendfile on; keepalive_requests 100000; default_type application/octet-stream;
client_body_temp_path {state}; proxy_temp_path {state}; fastcgi_temp_path {state}; uwsgi_temp_path {state};
scgi_temp_path {state};
server {{ listen 127.0.0.1:{port}; root {folder}; index index.html; }} }}
"""


def generated(size: int) -> Iterator[bytes]:
    """Yield the bytes of a generated file."""
    for number in range(0, size, len(_BLOCK)):
        block = number.to_bytes(8, "big") + _BLOCK[8:]
        yield block[: size - number]


def generated_sha256(size: int) -> str:
    """Return the digest of a generated file."""
    digest = hashlib.sha256()
    for block in generated(size):
        digest.update(block)
    return digest.hexdigest()


@contextmanager
def serving(folder: Path, state: Path, *, plain: bool = False) -> Iterator[tuple[str, str]]:
    """Serve `folder`; yield the address and the server's name. `plain` takes our own server."""
    program = None if plain else shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        argv = [sys.executable, __file__, str(folder)]
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        address, name = (process.stdout.readline().strip() if process.stdout else ""), "our own server"
    else:
        with socket.create_server(("127.0.0.1", 0)) as found:
            port = found.getsockname()[1]
        state.mkdir(parents=True, exist_ok=True)
        file = state / "nginx.conf"
        file.write_text(_CONFIGURATION.format(state=state, port=port, folder=folder))
        argv = [program, "-c", str(file), "-p", str(state), "-e", str(state / "error")]
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, text=True)
        address, name = f"http://127.0.0.1:{port}", "nginx"
        _wait_for_nginx(port)
    try:
        yield address, name
    finally:
        process.terminate()
        process.wait()


def _wait_for_nginx(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            threading.Event().wait(0.05)
        else:
            return
    raise SystemExit("nginx did not start")


def _serve_connection(connection: socket.socket, folder: Path) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, connection.makefile("rb") as requests:
        while request := requests.readline():
            while requests.readline().strip():
                pass
            try:
                _answer_request(connection, request.split()[1].decode(), folder)
            except OSError:
                return


def _answer_request(connection: socket.socket, path: str, folder: Path) -> None:
    if path.startswith("/generated/"):
        size = int(path.split("/")[2])
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        for block in generated(size):
            connection.sendall(block)
        return
    place = folder / path.lstrip("/")
    place = place / "index.html" if place.is_dir() else place
    if not place.is_file():
        connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        return
    with place.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        kind = "text/html" if place.suffix == ".html" else "application/octet-stream"
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\n\r\n"
        connection.sendall(head.encode(), socket.MSG_MORE)
        sent = 0
        while sent < size:
            sent += os.sendfile(connection.fileno(), file.fileno(), sent, size - sent)


def main() -> None:
    """Serve until standard input ends."""
    folder = Path(sys.argv[1])
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_serve_connection, args=(connection, folder), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
