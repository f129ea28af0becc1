"""T12: the same version, new bytes. A name and a version never stand in for a digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from builder.errors import DigestMismatchError
from builder.fetch.download import fetch_all
from builder.fetch.mismatch import KnownFiles
from builder.store.arriving import Request
from builder.store.store import Store
from tests.fetch.archives_made import FILES, wheel

OLD, NEW = wheel(), wheel(FILES | {"ucx-1.0/src/b.c": b"int evil;\n"})


def request(data: bytes, server: HTTPServer, known: KnownFiles) -> Request:
    sha256 = hashlib.sha256(data).hexdigest()
    url = server.url_for("/nixl-1.0-py3-none-any.whl")
    label = "nixl-1.0-py3-none-any.whl"
    return Request(sha256=sha256, size=len(data), urls=(url,), label=label, known=known.find(sha256))


def test_the_old_lock_does_not_take_the_new_bytes(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request("/nixl-1.0-py3-none-any.whl").respond_with_data(NEW)
    store, before = Store(tmp_path / "store"), Store(tmp_path / "before")
    before.add_bytes(OLD)
    fetch_all(store, [request(NEW, httpserver, KnownFiles(()))])
    with pytest.raises(DigestMismatchError) as caught:
        fetch_all(store, [request(OLD, httpserver, KnownFiles((before.root,)))])
    assert caught.value.exit_code == 7
    said = str(caught.value)
    assert hashlib.sha256(OLD).hexdigest() in said
    assert hashlib.sha256(NEW).hexdigest() in said
    assert "what differs: contents (1 file)\n    ~ ucx-1.0/src/b.c" in said
    assert list(store.digests()) == [hashlib.sha256(NEW).hexdigest()]


def test_both_can_be_held_side_by_side(httpserver: HTTPServer, tmp_path: Path) -> None:
    for data in (OLD, NEW):
        httpserver.expect_ordered_request("/nixl-1.0-py3-none-any.whl").respond_with_data(data)
    store = Store(tmp_path)
    for data in (OLD, NEW):
        fetch_all(store, [request(data, httpserver, KnownFiles(()))])
    assert sorted(store.digests()) == sorted(hashlib.sha256(data).hexdigest() for data in (OLD, NEW))
