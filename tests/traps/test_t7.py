"""T7: a release asset replaced in place. The report says what differs, where the old bytes are at hand."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from builder.errors import BuilderError, DigestMismatchError
from builder.fetch.download import fetch_all
from builder.fetch.mismatch import KnownFiles
from builder.store.arriving import Quiet, Request
from builder.store.store import Store
from tests.fetch.archives_made import FILES, packed, tar

OLD = packed(tar(), "gz")
SHA256 = hashlib.sha256(OLD).hexdigest()
REPLACED = {
    "T7-compression": (packed(tar(), "gz", level=1), "what differs: only the compression"),
    "T7-metadata": (packed(tar(time=99, owner=1000), "gz"), "what differs: only metadata (time, owner)"),
    "T7-contents": (
        packed(tar(FILES | {"ucx-1.0/src/b.c": b"int evil;\n"}), "gz"),
        "what differs: contents (1 file)\n    ~ ucx-1.0/src/b.c",
    ),
}


@pytest.mark.parametrize("trap", REPLACED)
@pytest.mark.parametrize("size", [len(OLD), None], ids=["sized", "unsized"])
def test_replaced_in_place(trap: str, size: int | None, httpserver: HTTPServer, tmp_path: Path) -> None:
    new, says = REPLACED[trap]
    httpserver.expect_request("/ucx-1.0.tar.gz").respond_with_data(new)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "ucx.tar.gz").write_bytes(OLD)
    known = KnownFiles((tmp_path / "old",)).find(SHA256)
    url = httpserver.url_for("/ucx-1.0.tar.gz")
    wanted = Request(sha256=SHA256, size=size, urls=(url,), label="ucx-1.0.tar.gz", known=known)
    store = Store(tmp_path / "store")
    with pytest.raises(DigestMismatchError) as caught:
        fetch_all(store, [wanted])
    assert caught.value.exit_code == 7
    assert says in str(caught.value)
    assert hashlib.sha256(new).hexdigest() in str(caught.value)
    assert list(store.digests()) == []
    assert list(store.arriving.glob("*.part")) == []


def test_replaced_in_place_and_a_mirror_still_has_it(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request("/new").respond_with_data(REPLACED["T7-contents"][0])
    httpserver.expect_request("/old").respond_with_data(OLD)
    said: list[str] = []

    class Heard(Quiet):
        def failed(self, request: Request, error: BuilderError) -> None:
            said.append(str(error))

    places = (httpserver.url_for("/new"), httpserver.url_for("/old"))
    store = Store(tmp_path / "store")
    fetch_all(store, [Request(sha256=SHA256, size=None, urls=places, label="ucx")], progress=Heard())
    assert store.read(SHA256) == OLD
    assert len(said) == 1
    assert f"expected sha256 {SHA256}" in said[0]
