"""The mirror's server: bound where it was told to, and stopped without cutting anybody off."""

from __future__ import annotations

__all__ = ["Address", "parse_address", "serve"]

import asyncio
import ipaddress
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream, StreamClosedError
from tornado.web import Application

from builder.errors import UsageError
from builder.mirror.catalog import Catalogue
from builder.mirror.handlers import Offer, routes
from builder.store import Store

_LOOPBACK = "127.0.0.1"
_WAITING = 128  # connections
_IDLE = 120.0  # seconds
_GRACE = 10.0  # seconds that running answers get at the end
_REQUEST = 2**16  # bytes
_HANDSHAKE = b"\x16"
"""With which TLS begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the server listens; port 0 lets the system choose one."""

    host: str
    port: int


def parse_address(text: str) -> Address:
    """Return `PORT` (on loopback), `HOST:PORT` or `[IPV6]:PORT` as an address (UsageError)."""
    host, colon, port = text.rpartition(":")
    host = host if colon else _LOOPBACK
    bare = host.removeprefix("[").removesuffix("]")
    number = int(port) if port.isascii() and port.isdigit() else -1
    if not bare or not 0 <= number < 2**16 or (":" in bare and bare == host):
        hint = "write a port, HOST:PORT or [IPV6]:PORT; 0.0.0.0:PORT for every network of this machine"
        raise UsageError("is not an address to listen on", place=f"--serve {text}", hint=hint)
    return Address(host=bare, port=number)


def serve(
    address: Address,
    store: Store,
    catalogue: Catalogue,
    *,
    ready: Callable[[str], None],
    heard: Callable[[str], None],
) -> None:
    """Serve until SIGINT or SIGTERM; `ready` gets the URL, `heard` a line for each answer.

    Running answers get ten seconds to end. UsageError when the address cannot be had.
    """
    try:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        listening = socket.create_server((address.host, address.port), family=family, backlog=_WAITING)
    except OSError as cause:
        place = f"--serve {address.host}:{address.port}"
        hint = "choose another port, or 0 for any free one"
        raise UsageError(f"cannot listen there: {cause.strerror or cause}", place=place, hint=hint) from cause
    offer = Offer(store=store, catalogue=catalogue, base=_server_url(listening), heard=heard)
    listening.setblocking(False)
    asyncio.run(_until_stopped(listening, offer, ready))


class _MirrorServer(HTTPServer):
    """Answers a client that tries https first, as docker does, at once: it would wait for its handshake."""

    async def handle_stream(self, stream: IOStream, address: object) -> None:  # type: ignore[override]
        if await _first_byte(stream.socket) != _HANDSHAKE:
            super().handle_stream(stream, address)  # type: ignore[arg-type]
            return
        with suppress(StreamClosedError):
            await stream.read_bytes(_REQUEST, partial=True)  # what is left unread would cut the answer off
            await stream.write(b"HTTP/1.0 400 Bad Request\r\n\r\nthis is http, not https\n")
        stream.close()


async def _first_byte(connection: socket.socket) -> bytes:
    """Return the first byte that a client sends, and leave it there to be read."""
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(connection, readable.set)
    try:
        await asyncio.wait_for(readable.wait(), _IDLE)
        return connection.recv(1, socket.MSG_PEEK)
    except (TimeoutError, OSError):
        return b""
    finally:
        loop.remove_reader(connection)


async def _until_stopped(listening: socket.socket, offer: Offer, ready: Callable[[str], None]) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    application = Application(routes(offer), log_function=lambda _: None)
    server = _MirrorServer(
        application, idle_connection_timeout=_IDLE, max_header_size=_REQUEST, max_body_size=_REQUEST
    )
    server.add_socket(listening)
    offer.idle.set()
    ready(offer.base)
    await stopped.wait()
    server.stop()
    with suppress(TimeoutError):
        await asyncio.wait_for(offer.idle.wait(), _GRACE)
    await server.close_all_connections()


def _server_url(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = socket.gethostname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
