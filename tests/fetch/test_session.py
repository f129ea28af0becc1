"""Bytes of a known hash, while locks are made: from the store, the recipe folder, or a place that may break off."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.errors import DigestMismatchError
from builder.fetch.session import Session
from builder.io.http import Client
from builder.io.network import Network
from builder.model.digest import Sha256
from builder.origins.origins import Origins
from builder.store.store import Store
from tests.io.test_http import Scripted

DATA = b"Package: a\n" * 100
SHA256 = str(Sha256.of(DATA))


def obtained(tmp_path: Path, url: str, *, sha256: str = SHA256) -> bytes:
    with Client(network=Network(), sleep=lambda _: None) as client:
        session = Session(
            store=Store(tmp_path / "store"), origins=Origins(), client=client, recipes=tmp_path / "recipes"
        )
        return session.obtain(sha256, (url,), kept=None, label="index")


def answer(status: str, length: int, *lines: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {length}", *lines, "", ""]).encode()


def test_an_index_that_broke_off_is_gone_on_with(tmp_path: Path) -> None:
    rest = answer("206 Partial Content", 600, f"Content-Range: bytes 500-{len(DATA) - 1}/{len(DATA)}")
    server = Scripted(answer("200 OK", len(DATA)) + DATA[:500], rest + DATA[500:])
    assert obtained(tmp_path, server.url) == DATA
    server.join()
    assert b"Range: bytes=500-" in server.requests[1]
    assert Store(tmp_path / "store").read(SHA256) == DATA


def test_other_bytes_are_refused_and_not_kept(tmp_path: Path) -> None:
    server = Scripted(answer("200 OK", len(DATA)) + DATA)
    with pytest.raises(DigestMismatchError) as caught:
        obtained(tmp_path, server.url, sha256="0" * 64)
    server.join()
    assert caught.value.cause == f"expected sha256 {'0' * 64}, got {SHA256}"
    assert list(Store(tmp_path / "store").digests()) == []
