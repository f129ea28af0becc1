"""T8: OS packages vanish from archives within days. Rows carry snapshot paths; any mirror may serve, by hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from builder.errors import DigestMismatchError, FetchError
from builder.fetch.download import fetch_all
from builder.fetch.needed_files import FileNeed
from builder.origins.origins import Mirror, Origin, Origins
from builder.store.arriving import Request
from builder.store.store import Store

DEB = b"!<arch>\na package that was replaced long ago"
FILE = "pool/main/a/autoconf/autoconf_2.71-3_all.deb"


@pytest.fixture(autouse=True)
def missing_is_404(httpserver: HTTPServer) -> None:
    httpserver.no_handler_status_code = 404


def need(origins: Origins) -> Request:
    row = FileNeed(
        sha256=hashlib.sha256(DEB).hexdigest(),
        size=len(DEB),
        origin="debian",
        folders=("20260828T000000Z", "20260820T000000Z"),
        file=FILE,
    )
    return Request(sha256=row.sha256, size=row.size, urls=row.urls(origins), label=row.label)


def origins(server: HTTPServer, *mirrors: str) -> Origins:
    base = server.url_for("/archive/debian/")
    return Origins(
        origins=(Origin(name="debian", url=base, layout="snapshot"),),
        mirrors=(Mirror(prefix=f"{base}*/", places=tuple(server.url_for(f"/{name}/") for name in mirrors)),),
    )


def test_missing_at_the_mirror_is_had_from_the_snapshot(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request(f"/archive/debian/20260820T000000Z/{FILE}").respond_with_data(DEB)
    store = Store(tmp_path)
    wanted = need(origins(httpserver, "current"))
    fetch_all(store, [wanted])
    assert store.read(wanted.sha256) == DEB
    asked = [entry[0].path for entry in httpserver.log]
    days = ("20260828T000000Z", "20260820T000000Z")
    assert asked == [f"/current/{FILE}", *(f"/archive/debian/{day}/{FILE}" for day in days)]


def test_missing_at_the_snapshot_is_had_from_any_mirror(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request(f"/old/{FILE}").respond_with_data(DEB)
    store = Store(tmp_path)
    wanted = need(origins(httpserver, "current", "old"))
    fetch_all(store, [wanted])
    assert store.read(wanted.sha256) == DEB


def test_a_mirror_with_a_rebuilt_package_is_passed_over(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request(f"/rebuilt/{FILE}").respond_with_data(DEB.replace(b"long", b"LONG"))
    httpserver.expect_request(f"/old/{FILE}").respond_with_data(DEB)
    store = Store(tmp_path)
    wanted = need(origins(httpserver, "rebuilt", "old"))
    fetch_all(store, [wanted])
    assert list(store.digests()) == [wanted.sha256]


def test_missing_everywhere_names_every_place(httpserver: HTTPServer, tmp_path: Path) -> None:
    with pytest.raises(FetchError) as caught:
        fetch_all(Store(tmp_path), [need(origins(httpserver, "current"))])
    assert not isinstance(caught.value, DigestMismatchError)
    said = str(caught.value)
    assert "none of 3 places has it" in said
    assert said.count("HTTP 404") == 3
