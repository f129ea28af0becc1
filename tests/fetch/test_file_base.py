from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from builder.errors import FetchError, UsageError
from builder.fetch.file_base import discover_file_base, remember_file_base
from builder.io.http import Client
from builder.io.network import Network
from builder.origins.origins import Origin
from builder.origins.reading import parse_origins

BASE = "https://files.invalid/packages/"
FILE = f"63/34/{'b' * 60}/packaging-26.3-py3-none-any.whl"


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(network=Network(), sleep=lambda _: None, attempts=1) as client:
        yield client


def serve(httpserver: HTTPServer, *urls: str) -> str:
    page = {"meta": {"api-version": "1.0"}, "name": "packaging", "files": [{"url": url} for url in urls]}
    httpserver.expect_request("/simple/packaging/").respond_with_data(json.dumps(page))
    return httpserver.url_for("/simple/")


@pytest.mark.parametrize(
    ("urls", "base"),
    [
        ([BASE + FILE], BASE),
        (["https://other.invalid/packaging-1.tar.gz", BASE + FILE + "#sha256=00"], BASE),
        (["https://corp.invalid/api/pypi/packages/" + FILE], "https://corp.invalid/api/pypi/packages/"),
    ],
)
def test_discover(client: Client, httpserver: HTTPServer, urls: list[str], base: str) -> None:
    assert discover_file_base(client, serve(httpserver, *urls)) == base
    assert httpserver.log[0][0].headers["Accept"] == "application/vnd.pypi.simple.v1+json"
    assert len(httpserver.log) == 1


def test_relative_urls(client: Client, httpserver: HTTPServer) -> None:
    index = serve(httpserver, f"../../packages/{FILE}")
    assert discover_file_base(client, index) == httpserver.url_for("/packages/")


def test_other_layouts(client: Client, httpserver: HTTPServer) -> None:
    with pytest.raises(FetchError) as caught:
        discover_file_base(client, serve(httpserver, "https://files.invalid/packaging-1.tar.gz"))
    assert caught.value.cause == "does not lay out the files of packaging by digest"
    assert caught.value.hint == "name the place yourself: --origin pypi=LAYOUT+URL"


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", '{"files": [3]}', '{"files": 3}'])
def test_answers_that_are_no_page(client: Client, httpserver: HTTPServer, body: str) -> None:
    httpserver.expect_request("/simple/packaging/").respond_with_data(body)
    with pytest.raises(FetchError, match="did not answer with a project page in JSON"):
        discover_file_base(client, httpserver.url_for("/simple"))


def test_remember_keeps_the_rest_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "config" / "origins.toml"
    remember_file_base(BASE, file)
    assert parse_origins(file.read_text(), "f").origin("pypi") == Origin(
        name="pypi", url=BASE, layout="warehouse"
    )
    remember_file_base("https://changed.invalid/", file)
    assert parse_origins(file.read_text(), "f").origin("pypi").url == BASE
    mine = '# mine\n[origins.a]\nurl = "https://a.invalid/"\nlayout = "flat"'
    file.write_text(mine)
    remember_file_base(BASE, file)
    assert file.read_text().startswith(mine + "\n\n")
    assert [origin.name for origin in parse_origins(file.read_text(), "f").origins] == ["a", "pypi"]


def test_remember_does_not_break_a_file(tmp_path: Path) -> None:
    file = tmp_path / "origins.toml"
    inline = 'origins = { a = { url = "https://a.invalid/", layout = "flat" } }\n'
    file.write_text(inline)
    with pytest.raises(UsageError, match="not TOML"):
        remember_file_base(BASE, file)
    assert file.read_text() == inline


@pytest.mark.network
def test_the_default_index_has_the_layout(client: Client) -> None:
    assert discover_file_base(client).endswith("/packages/")
