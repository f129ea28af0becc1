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
from builder.mirror.door import IDLE, Door, RareLog, connection_limit, first_byte
from builder.mirror.handlers import Offer, routes
from builder.store import Store

_LOOPBACK = "127.0.0.1"
_WAITING = 128  # connections
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

    door: Door

    async def begin(self, connection: socket.socket, address: object) -> None:
        """Serve a connection that was let in; the door is told when it is over."""
        first = await first_byte(connection)
        stream = IOStream(connection)
        if first and first != _HANDSHAKE:
            self.handle_stream(stream, address)  # type: ignore[arg-type]
            return
        if first:
            with suppress(StreamClosedError):
                await stream.read_bytes(_REQUEST, partial=True)  # what stays unread would cut the answer off
                await stream.write(b"HTTP/1.0 400 Bad Request\r\n\r\nthis is http, not https\n")
        stream.close()
        self.door.left()

    def on_close(self, server_conn: object) -> None:
        """Hear that a connection is over."""
        super().on_close(server_conn)
        self.door.left()


async def _until_stopped(listening: socket.socket, offer: Offer, ready: Callable[[str], None]) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    log = RareLog(offer.heard)
    log.take_over()
    application = Application(routes(offer), log_function=lambda _: None)
    server = _MirrorServer(
        application,
        idle_connection_timeout=IDLE,
        body_timeout=IDLE,
        max_header_size=_REQUEST,
        max_body_size=_REQUEST,
    )
    server.door = Door(listening, connection_limit(), server.begin, log)
    server.door.open()
    offer.idle.set()
    ready(offer.base)
    await stopped.wait()
    server.door.shut()
    with suppress(TimeoutError):
        await asyncio.wait_for(offer.idle.wait(), _GRACE)
    await server.close_all_connections()


def _server_url(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = socket.gethostname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
