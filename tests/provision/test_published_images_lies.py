"""Published images come into the store as blobs, from a registry that may lie."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from builder.cli import main
from builder.errors import DigestMismatchError, FetchError
from builder.lockfile.lock import Lock
from builder.lockfile.reading import dump_lock
from tests.commands.stocked import MANIFEST_TYPE, Stock, make_stock


@pytest.fixture
def stock(tmp_path: Path) -> Stock:
    return make_stock(tmp_path / "here")


def named(stock: Stock, httpserver: HTTPServer) -> Lock:
    """Let the first lock name an image of the local registry; the other lock goes."""
    lock, other = stock.locks
    host = f"localhost:{httpserver.port}"
    lock = dataclasses.replace(
        lock, images=(dataclasses.replace(lock.images[0], name=f"{host}/library/debian"),)
    )
    (stock.project.locks / lock.target.path).write_bytes(dump_lock(lock))
    (stock.project.locks / other.target.path).unlink()
    return lock


def moved(stock: Stock, lock: Lock, httpserver: HTTPServer, *, damage: str = "") -> list[str]:
    """Move the image's files out of the store, to the registry; `damage` is a kind that it serves wrong."""
    digest = str(lock.images[0].digest)
    manifest = stock.store.read(digest.removeprefix("sha256:"))
    found = []
    for kind, name, data in (
        ("manifests", digest, manifest),
        *(
            ("blobs", f"sha256:{sha256}", stock.store.read(sha256))
            for sha256 in sorted(parts_of(manifest.decode()))
        ),
    ):
        served = b"?" * len(data) if kind == damage else data
        httpserver.expect_request(f"/v2/library/debian/{kind}/{name}").respond_with_data(
            served, content_type=MANIFEST_TYPE if kind == "manifests" else "application/octet-stream"
        )
        stock.store.path(name.removeprefix("sha256:")).unlink()
        found.append(name.removeprefix("sha256:"))
    return found


def parts_of(manifest: str) -> set[str]:
    return {text[:64] for text in manifest.split("sha256:")[1:]}


def fetch(stock: Stock) -> int:
    root = stock.project.root
    words = ["--project", str(root), "--store", str(stock.store.root), "--release", "all", "--quiet"]
    return main(["fetch", "--images", *words])


def test_an_image_is_fetched_with_all_its_parts(stock: Stock, httpserver: HTTPServer) -> None:
    lock = named(stock, httpserver)
    digests = moved(stock, lock, httpserver)
    assert fetch(stock) == 0
    for digest in digests:
        stock.store.verify(digest)
    asked = len(httpserver.log)
    assert fetch(stock) == 0
    assert len(httpserver.log) == asked, "what is there is not asked for again"


@pytest.mark.parametrize("damage", ["manifests", "blobs"])
def test_wrong_bytes_do_not_enter_the_store(damage: str, stock: Stock, httpserver: HTTPServer) -> None:
    lock = named(stock, httpserver)
    digests = moved(stock, lock, httpserver, damage=damage)
    assert fetch(stock) == DigestMismatchError.exit_code
    held = [digest for digest in digests if stock.store.has(digest)]
    assert held == ([] if damage == "manifests" else digests[:1])


def test_an_image_that_nobody_has(stock: Stock, httpserver: HTTPServer) -> None:
    lock = named(stock, httpserver)
    stock.store.path(str(lock.images[0].digest).removeprefix("sha256:")).unlink()
    httpserver.expect_request(re.compile("/v2/.*")).respond_with_data("", 404)
    assert fetch(stock) == FetchError.exit_code
