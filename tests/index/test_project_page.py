from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from packaging.version import Version

from builder.errors import FetchError
from builder.index.index_client import IndexClient
from builder.index.project_page import parse_project_page, read_index_project
from builder.io.http import Answer

URL = "https://index.invalid/simple/app/"


def page(kind: str, body: str) -> Answer:
    return Answer(url=URL, content_type=kind, body=body.encode())


def files(*entries: dict[str, Any], version: str = "1.1") -> str:
    return json.dumps(
        {"meta": {"api-version": version}, "name": "app", "versions": [], "files": list(entries)}
    )


def entry(name: str, **more: Any) -> dict[str, Any]:
    return {"filename": name, "url": f"../../files/{name}", "hashes": {}, **more}


def test_both_forms_say_the_same() -> None:
    name = "app-1.0-py3-none-any.whl"
    as_json = files(entry(name, hashes={"sha256": "ab"}, **{"upload-time": "2025-05-01T10:00:00Z"}))
    as_html = (
        f'<a href="../../files/{name}#sha256=ab" data-upload-time="2025-05-01T10:00:00.000000Z">{name}</a>'
    )
    one = parse_project_page(page("application/vnd.pypi.simple.v1+json", as_json), "app")
    for kind in ("text/html", "application/vnd.pypi.simple.v1+html"):
        assert parse_project_page(page(kind, as_html), "app") == one
    (item,) = one.files
    assert item.url == f"https://index.invalid/files/{name}"
    assert item.uploaded == datetime(2025, 5, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", "{"),
        ("application/json", "[]"),
        ("application/json", files(version="9.0")),
        ("text/html", '<meta name="pypi:repository-version" content="9.0">'),
        ("text/html", '<a href="app-1.0.tar.gz" data-upload-time="yesterday">app-1.0.tar.gz</a>'),
        ("text/html", "<![[[[[[ <a href='x'>x</a>"),
    ],
)
def test_no_project_page_is_an_error(kind: str, body: str) -> None:
    with pytest.raises(FetchError) as caught:
        parse_project_page(page(kind, body), "app")
    assert caught.value.place == URL


@pytest.mark.parametrize("version", ["1.5", f"1.{'9' * 30}"])
def test_a_newer_minor_version_is_read_without_a_word(version: str) -> None:
    body = files(entry("app-1.0-py3-none-any.whl"), version=version)
    assert parse_project_page(page("application/json", body), "app").files


def test_files_of_a_version_and_of_a_time() -> None:
    project = parse_project_page(
        page(
            "application/json",
            files(
                entry("app-1.0.tar.gz", **{"upload-time": "2025-01-01T00:00:00Z"}),
                entry("app-1.0+cu128-py3-none-any.whl", **{"upload-time": "2025-03-01T00:00:00Z"}),
                entry("app-2.0-py3-none-any.whl", **{"upload-time": "2026-01-01T00:00:00Z"}),
                entry("app-0.9.exe"),
                entry("app-0.8-py3-none-any.whl", yanked="broken"),
                entry("app-not.a.version!.tar.gz"),
            ),
        ),
        "App",
    )
    bound = datetime(2025, 6, 1, tzinfo=UTC)
    assert project.name == "app"
    assert [item.file for item in project.of(Version("1.0"))] == [
        "app-1.0.tar.gz",
        "app-1.0+cu128-py3-none-any.whl",
    ]
    assert [item.file for item in project.of(Version("1.0+cu128"))] == ["app-1.0+cu128-py3-none-any.whl"]
    assert [str(item) for item in project.versions(bound)] == ["0.8", "1.0", "1.0+cu128"]


@pytest.mark.parametrize("kind", ["application/json", "text/html"])
def test_wheels_of_one_version(kind: str) -> None:
    names = ["app-1.0.tar.gz", "app-1.0-py3-none-any.whl", "app-1.0.0-1-py3-none-any.whl"]
    names += [
        "app-1.0+cu128-py3-none-any.whl",
        "app-1.0.post1-py3-none-any.whl",
        "app-x-py3-none-any.whl",
        "app.whl",
    ]
    links = "".join(f'<a href="../../files/{name}">{name}</a>' for name in names)
    body = files(*map(entry, names)) if kind.endswith("json") else links
    found = parse_project_page(page(kind, body), "app", wheels_of="1.0")
    assert [item.file for item in found.files] == names[1:3]
    (local,) = parse_project_page(page(kind, body), "app", wheels_of="1.0+cu128").files
    assert local.file == names[3]


def test_absent_project(index: Any, client: Any) -> None:
    assert read_index_project(IndexClient(client), index.url, "absent") is None


def test_name_is_normalised_for_the_index(index: Any, client: Any) -> None:
    index.wheel("my-app", "1.0")
    found = read_index_project(IndexClient(client), index.url, "My_App")
    assert found is not None
    assert len(found.files) == 1
