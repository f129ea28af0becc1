from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from builder.errors import DigestMismatchError, FetchError, UsageError
from builder.origins.origins import Mirror, Origin, Origins
from builder.pin.archive import pin_archive
from tests.fetch.archives_made import FILES, packed, tar

DATA = b"an archive\n"
SHA256 = hashlib.sha256(DATA).hexdigest()
WRONG = "0" * 64

RECIPE = """
[[versions."1.0".archives]]
file = "thing-1.0.tar.gz"  # the source
origin = "dist"
path = "releases/1.0"
sha256 = "%s"
evidence = "declared"
by = "its release page"
"""


@pytest.fixture
def place(bench: Any, httpserver: HTTPServer) -> HTTPServer:
    bench.origins = Origins(origins=(Origin(name="dist", url=httpserver.url_for("/dl/"), layout="flat"),))
    httpserver.expect_request("/dl/releases/1.0/thing-1.0.tar.gz").respond_with_data(DATA)
    return httpserver


def row(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(file.read_text())["versions"]["1.0"]["archives"][0]
    return found


def test_a_declared_digest_is_confirmed(
    bench: Any, place: HTTPServer, component: Callable[[str, str], Path]
) -> None:
    file = component("thing", RECIPE % SHA256)
    assert pin_archive(bench.context(), "thing", "1.0", "thing-1.0.tar.gz") == 0
    assert row(file)["sha256"] == SHA256
    assert row(file)["size"] == len(DATA)
    assert row(file)["evidence"] == "observed"
    assert bench.store.read(SHA256) == DATA
    assert "# the source" in file.read_text()


def test_a_missing_digest_is_filled_in(
    bench: Any, place: HTTPServer, component: Callable[[str, str], Path]
) -> None:
    file = component("thing", RECIPE.replace('sha256 = "%s"\n', ""))
    assert pin_archive(bench.context(), "thing", "1.0", "thing-1.0.tar.gz") == 0
    assert row(file)["sha256"] == SHA256


def test_replaced_bytes_are_compared_with_those_of_the_store(
    bench: Any, httpserver: HTTPServer, place: HTTPServer, component: Callable[[str, str], Path]
) -> None:
    old, new = packed(tar(), "gz"), packed(tar(FILES | {"ucx-1.0/src/b.c": b"int evil;\n"}), "xz")
    httpserver.clear()
    httpserver.expect_request("/dl/releases/1.0/thing-1.0.tar.gz").respond_with_data(new)
    component("thing", RECIPE % bench.store.add_bytes(old))
    with pytest.raises(DigestMismatchError) as caught:
        pin_archive(bench.context(), "thing", "1.0", "thing-1.0.tar.gz")
    assert "what differs: contents (1 file)\n    ~ ucx-1.0/src/b.c" in str(caught.value)


def test_replaced_bytes_are_refused_and_named(
    bench: Any, place: HTTPServer, component: Callable[[str, str], Path]
) -> None:
    file = component("thing", RECIPE % WRONG)
    before = file.read_bytes()
    with pytest.raises(DigestMismatchError) as caught:
        pin_archive(bench.context(), "thing", "1.0", "thing-1.0.tar.gz")
    assert str(caught.value) == (
        'recipes/components/thing.toml: versions."1.0".archives[0]: '
        f"thing-1.0.tar.gz has sha256 {SHA256}, recorded is {WRONG}"
    )
    assert file.read_bytes() == before


def test_replaced_bytes_can_be_taken_and_lose_the_old_author(
    bench: Any, place: HTTPServer, component: Callable[[str, str], Path]
) -> None:
    file = component("thing", RECIPE % WRONG)
    pin_archive(bench.context(), "thing", "1.0", "thing-1.0.tar.gz", accept_changed=True)
    assert row(file)["sha256"] == SHA256
    assert "by" not in row(file)


def test_a_mirror_that_has_it_is_enough(
    bench: Any, place: HTTPServer, component: Callable[[str, str], Path]
) -> None:
    place.no_handler_status_code = 404
    gone = place.url_for("/gone/")
    bench.origins = Origins(
        origins=(Origin(name="dist", url=gone, layout="flat"),),
        mirrors=(Mirror(prefix=gone, places=(place.url_for("/none/"), place.url_for("/dl/"))),),
    )
    component("thing", RECIPE % SHA256)
    assert pin_archive(bench.context(), "thing", "1.0", "thing-1.0.tar.gz") == 0


def test_a_file_that_is_gone(
    bench: Any, httpserver: HTTPServer, component: Callable[[str, str], Path]
) -> None:
    bench.origins = Origins(origins=(Origin(name="dist", url=httpserver.url_for("/"), layout="flat"),))
    httpserver.expect_request("/releases/1.0/thing-1.0.tar.gz").respond_with_data("", status=404)
    component("thing", RECIPE % SHA256)
    with pytest.raises(FetchError, match="HTTP 404"):
        pin_archive(bench.context(), "thing", "1.0", "thing-1.0.tar.gz")


def test_names_that_the_recipe_has_not(bench: Any, component: Callable[[str, str], Path]) -> None:
    component("thing", RECIPE % SHA256)
    with pytest.raises(UsageError) as caught:
        pin_archive(bench.context(), "thing", "1.0", "thing-1.1.tar.gz")
    assert caught.value.hint == "its archives: thing-1.0.tar.gz"
    with pytest.raises(UsageError, match=r"there is no version '1\.1'"):
        pin_archive(bench.context(), "thing", "1.1", "x")


def test_an_origin_that_nobody_configured(bench: Any, component: Callable[[str, str], Path]) -> None:
    component("thing", RECIPE % SHA256)
    with pytest.raises(UsageError, match="no origin 'dist' is configured"):
        pin_archive(bench.context(), "thing", "1.0", "thing-1.0.tar.gz")
