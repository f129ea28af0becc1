"""Who is let into the mirror: as many connections as descriptors allow, and a clear 503 for the others."""

from __future__ import annotations

__all__ = ["IDLE", "STALL", "Door", "RareLog", "connection_limit", "first_byte"]

import asyncio
import logging
import resource
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

IDLE = 15.0
"""Seconds in which a client must send the whole head of its request, from the first or the last answer on."""

STALL = 60.0
"""Seconds in which a client must take one piece (64 KiB) of an answer: a kilobyte a second at least."""

_MOST_CONNECTIONS = 512
_OWN_DESCRIPTORS = 24  # standard streams, the event loop, the listening socket, libraries
_REFUSED_AT_ONCE = 8
"""Connections that are being told so; the next ones wait in the system's queue."""
_BACK_OFF = 0.25  # seconds before the next try, if the system has no descriptor
_FAREWELL = 2.0  # seconds for a refused client to read why
_LOG_PAUSE = 60.0  # seconds between two lines about the same trouble
_REFUSAL = b"503 Service Unavailable: too many connections; try again in a second\n"
_REFUSAL_HEAD = (
    b"HTTP/1.1 503 Service Unavailable\r\nServer: lockwright\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Retry-After: 1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(_REFUSAL)
)


def connection_limit() -> int:
    """Return how many connections are served at once: each may need a socket and an open file."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MOST_CONNECTIONS
    return max(1, min(_MOST_CONNECTIONS, (soft - _OWN_DESCRIPTORS - _REFUSED_AT_ONCE) // 2))


class RareLog:
    """Says each kind of trouble at most once a minute, and how often it came."""

    def __init__(self, heard: Callable[[str], None]) -> None:
        self._heard = heard
        self._counts: dict[str, int] = {}
        self._said: dict[str, float] = {}

    def tell(self, trouble: str) -> None:
        """Count `trouble`, and say it unless it was said within the last minute."""
        self._counts[trouble] = self._counts.get(trouble, 0) + 1
        now = time.monotonic()
        if now - self._said.get(trouble, -_LOG_PAUSE) >= _LOG_PAUSE:
            self._said[trouble] = now
            count, self._counts[trouble] = self._counts[trouble], 0
            self._heard(f"{trouble} ({count} times since the last such line)" if count > 1 else trouble)

    def take_over(self) -> None:
        """Hear what tornado and asyncio would log: one line in place of a traceback for each connection."""
        handler = _RareHandler(self)
        for name in ("tornado", "asyncio"):
            logger = logging.getLogger(name)
            logger.handlers, logger.propagate = [handler], False
        asyncio.get_running_loop().set_exception_handler(self._hear_exception)

    def _hear_exception(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        cause = context.get("exception")
        self.tell(f"trouble with a connection: {cause!r:.200}" if cause else str(context["message"])[:200])


class _RareHandler(logging.Handler):
    def __init__(self, log: RareLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        cause = record.exc_info[1] if record.exc_info else None
        text = f"trouble with a connection: {cause!r}" if cause else str(record.msg)
        self._log.tell(text[:200].replace("\n", " "))


class Door:
    """Takes connections from a listening socket, within a limit."""

    def __init__(
        self,
        listening: socket.socket,
        limit: int,
        begin: Callable[[socket.socket, object], Awaitable[None]],
        log: RareLog,
    ) -> None:
        """Hand each connection that is let in to `begin`, after which `left` must be called once."""
        self._listening = listening
        self._limit = limit
        self._begin = begin
        self._log = log
        self._inside = 0
        self._tasks: set[asyncio.Future[None]] = set()
        self._refusing = 0
        self._is_open = False

    def open(self) -> None:
        """Begin to take connections, or go on after a pause."""
        self._is_open = True
        asyncio.get_running_loop().add_reader(self._listening, self._take_waiting)

    def shut(self) -> None:
        """Take no further connection."""
        self._is_open = False
        asyncio.get_running_loop().remove_reader(self._listening)
        self._listening.close()

    def left(self) -> None:
        """Hear that a connection which was let in is over."""
        self._inside -= 1

    def _take_waiting(self) -> None:
        while self._is_open:
            if self._inside >= self._limit and self._refusing >= _REFUSED_AT_ONCE:
                self._pause_accepting()
                return
            try:
                connection, address = self._listening.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as cause:  # no descriptor, or no memory for one
                self._log.tell(f"cannot take connections for a moment: {cause.strerror}")
                self._pause_accepting()
                return
            connection.setblocking(False)
            if self._inside < self._limit:
                self._inside += 1
                self._start_task(self._begin(connection, address))
            else:
                self._log.tell(f"refused a connection: {self._limit} are served at once")
                self._refusing += 1
                self._start_task(self._refuse_connection(connection))

    def _start_task(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _pause_accepting(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._listening)
        loop.call_later(_BACK_OFF, self._go_on)

    def _go_on(self) -> None:
        if self._is_open:
            self.open()

    async def _refuse_connection(self, connection: socket.socket) -> None:
        """Say 503, and wait until the client has gone: closing on unread bytes would reset the connection."""
        loop = asyncio.get_running_loop()
        try:
            with connection, suppress(OSError, TimeoutError):
                async with asyncio.timeout(_FAREWELL):
                    await loop.sock_recv(connection, 2**16)
                    await loop.sock_sendall(connection, _REFUSAL_HEAD + _REFUSAL)
                    connection.shutdown(socket.SHUT_WR)
                    while await loop.sock_recv(connection, 2**16):
                        pass
        finally:
            self._refusing -= 1


async def first_byte(connection: socket.socket) -> bytes:
    """Return the first byte that a client sends, and leave it there to be read; nothing if none comes."""
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(connection, readable.set)
    try:
        await asyncio.wait_for(readable.wait(), IDLE)
        return connection.recv(1, socket.MSG_PEEK)
    except (TimeoutError, OSError):
        return b""
    finally:
        loop.remove_reader(connection)
