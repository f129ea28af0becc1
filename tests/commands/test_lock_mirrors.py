"""`lock` through mirrors of indexes: their layouts, their credentials, and mirrors that answer wrongly."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.local_index import JSON, LocalIndex, make_wheel
from tests.standin.vendor_index import SMALL, Project

GONE = "http://127.0.0.1:9"
"""Nobody listens on port 9: an index behind it answers through a mirror or not at all."""

VENDOR = f"{GONE}/whl/cu129/"
DEFAULT = f"{GONE}/default/simple/"
FRAMEWORK = f"""\
name = "tiny"
summary = "A wheel of a vendor, and what it needs of the default index"
license = "MIT"
roots = ["engine"]

[[indexes]]
name = "vendor"
url = "{VENDOR}"
packages = ["engine"]
"""
LARGE = 17 * 2**20


class MirrorServer:
    """Pages and files below one prefix, with what was asked; each answer may be replaced."""

    def __init__(self, server: HTTPServer, prefix: str) -> None:
        self.url = server.url_for(f"/{prefix}/")
        self.prefix = f"/{prefix}/"
        self.answers: dict[str, tuple[bytes, str]] = {}
        self.asked: list[str] = []
        self.password = ""
        server.expect_request(re.compile(rf"^/{prefix}/.*")).respond_with_handler(self.answer)

    def page(self, folder: str, name: str, files: dict[str, bytes], *, html: bool = False) -> None:
        """List `files`, whose keys are addresses as the page has them."""
        path = f"{folder}/{name}/"
        if html:
            rows = [
                f'<a href="{url}#sha256={hashlib.sha256(data).hexdigest()}" '
                f'data-upload-time="2025-01-01T00:00:00Z">{url.rpartition("/")[2]}</a>'
                for url, data in files.items()
            ]
            text = "".join(f"{row}<br/>" for row in rows)
            self.answers[path] = (f"<!DOCTYPE html><html><body>{text}</body></html>".encode(), "text/html")
            return
        entries = [
            {
                "filename": url.rpartition("/")[2],
                "url": url,
                "hashes": {"sha256": hashlib.sha256(data).hexdigest()},
                "size": len(data),
                "upload-time": "2025-01-01T00:00:00Z",
            }
            for url, data in files.items()
        ]
        page = {"meta": {"api-version": "1.1"}, "name": name, "versions": [], "files": entries}
        self.answers[path] = (json.dumps(page).encode(), JSON)

    def file(self, path: str, data: bytes) -> None:
        self.answers[path] = (data, "application/octet-stream")

    def answer(self, request: Request) -> Response:
        path = request.path.removeprefix(self.prefix)
        self.asked.append(path)
        if self.password:
            word = base64.b64encode(self.password.encode()).decode()
            if request.headers.get("Authorization") != f"Basic {word}":
                return Response("who are you?", 401, {"WWW-Authenticate": "Basic"})
        if path not in self.answers:
            return Response("nothing here", 404)
        data, kind = self.answers[path]
        asked = request.range
        found = asked.range_for_length(len(data)) if asked is not None else None
        if found is None:
            return Response(data, headers={"Accept-Ranges": "bytes"}, content_type=kind)
        start, stop = found
        headers = {"Content-Range": f"bytes {start}-{stop - 1}/{len(data)}"}
        return Response(data[start:stop], 206, headers, content_type=kind)


ENGINE = make_wheel("engine", "1.0", requires=("helper",))
HELPER = make_wheel("helper", "2.0")
PIP = make_wheel("pip", "26.2.1")
LIAR = make_wheel("engine", "1.0", requires=("evil",))
FILES = {"engine-1.0-py3-none-any.whl": ENGINE, "helper-2.0-py3-none-any.whl": HELPER}
FILES["pip-26.2.1-py3-none-any.whl"] = PIP


def digest_folder(data: bytes) -> str:
    digest = hashlib.blake2b(data, digest_size=32).hexdigest()
    return f"{digest[:2]}/{digest[2:4]}/{digest[4:]}"


@pytest.fixture
def project(tmp_path: Path, index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("builder.io.http.pause_before_retry", lambda *_: 0.0)
    root = tmp_path / "project"
    shutil.copytree(SMALL, root)
    shutil.rmtree(root / "lock")
    found = Project(root=root, index=index)
    found.change("releases/1.0.toml", ('idna = "3.10"', 'engine = "1.0"'))
    found.write("frameworks/tiny.toml", FRAMEWORK)
    return found


def lock(project: Project, mirrors: dict[str, list[str]], *words: str) -> int:
    lines = [f"{json.dumps(prefix)} = {json.dumps(places)}\n" for prefix, places in mirrors.items()]
    project.write("origins.toml", f"[mirrors]\n{''.join(lines)}")
    return project.run("--index-url", DEFAULT, "--arch", "x86_64", *words)


def rows(project: Project) -> dict[str, tuple[str, str, str]]:
    return {row.name: (row.origin, row.path, str(row.sha256)) for row in project.lock().python}


EXPECTED = {
    "engine": ("vendor", "", hashlib.sha256(ENGINE).hexdigest()),
    "helper": ("pypi", digest_folder(HELPER), hashlib.sha256(HELPER).hexdigest()),
    "pip": ("pypi", digest_folder(PIP), hashlib.sha256(PIP).hexdigest()),
}


def by_digest(mirror: MirrorServer) -> None:
    """As bandersnatch: pages beside `packages`, relative links, files by digest."""
    for file, data in FILES.items():
        path = f"packages/{digest_folder(data)}/{file}"
        mirror.page("simple", file.partition("-")[0], {f"../../{path}": data})
        mirror.file(path, data)


def beside_the_page(mirror: MirrorServer) -> None:
    """As a copy by wget of an index that states upload times: HTML, each file in its project's folder."""
    for file, data in FILES.items():
        name = file.partition("-")[0]
        mirror.page("simple", name, {file: data}, html=True)
        mirror.file(f"simple/{name}/{file}", data)


def in_folders_of_its_own(mirror: MirrorServer) -> None:
    """As devpi: absolute paths with parts of the SHA-256."""
    for file, data in FILES.items():
        sha256 = hashlib.sha256(data).hexdigest()
        path = f"+f/{sha256[:3]}/{sha256[3:16]}/{file}"
        mirror.page("simple", file.partition("-")[0], {f"{mirror.prefix}{path}": data})
        mirror.file(path, data)


def links_of_the_index(mirror: MirrorServer) -> None:
    """As a caching proxy that passes pages on unchanged: the links lead to the index's own files."""
    for file, data in FILES.items():
        path = f"packages/{digest_folder(data)}/{file}"
        mirror.page("simple", file.partition("-")[0], {f"{GONE}/{path}": data})
        mirror.file(path, data)


LAYOUTS = [by_digest, beside_the_page, in_folders_of_its_own, links_of_the_index]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_lock_is_the_same_whatever_the_mirrors_layout(
    project: Project, httpserver: HTTPServer, layout: Callable[[MirrorServer], None]
) -> None:
    mirror = MirrorServer(httpserver, "mirror")
    layout(mirror)
    pages = f"{mirror.url}simple/"
    mirrors = {VENDOR: [pages], DEFAULT: [pages], f"{GONE}/packages/": [f"{mirror.url}packages/"]}
    assert lock(project, mirrors) == 0
    assert rows(project) == EXPECTED
    text = (project.root / "lock/1.0/plain/tiny-x86_64.toml").read_text()
    assert "127.0.0.1" not in text


def test_mirrors_that_give_nothing_are_all_named(
    project: Project, httpserver: HTTPServer, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror = MirrorServer(httpserver, "mirror")
    by_digest(mirror)
    mirror.answers["simple/engine/"] = (b"<html><body>Please log in</body></html>", "text/html")
    assert lock(project, {VENDOR: [f"{mirror.url}simple/"], DEFAULT: [f"{mirror.url}simple/"]}) == 6
    said = capsys.readouterr().err
    assert "lists no file of the project" in said, said
    assert f"{VENDOR}engine/" in said
    assert "gateway" not in said


def test_a_mirror_without_the_project_or_with_a_login_page_is_passed_over(
    project: Project, httpserver: HTTPServer
) -> None:
    first, second = MirrorServer(httpserver, "first"), MirrorServer(httpserver, "second")
    by_digest(second)
    first.answers["simple/helper/"] = (b"<html><body>Please log in</body></html>", "text/html")
    pages = [f"{first.url}simple/", f"{second.url}simple/"]
    assert lock(project, {VENDOR: pages, DEFAULT: pages}) == 0
    assert rows(project) == EXPECTED
    assert {"simple/engine/", "simple/helper/"} <= set(first.asked)


def test_credentials_of_a_mirror_are_used_and_not_written(
    project: Project,
    httpserver: HTTPServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mirror = MirrorServer(httpserver, "mirror")
    by_digest(mirror)
    mirror.password = "somebody:secret-word"
    pages = f"{mirror.url}simple/"
    host = f"{httpserver.host}:{httpserver.port}"
    assert lock(project, {VENDOR: [pages], DEFAULT: [pages]}) == 6
    monkeypatch.setenv("LOCKWRIGHT_AUTH", f"{host}=somebody:secret-word")
    assert lock(project, {VENDOR: [pages], DEFAULT: [pages]}) == 0
    assert rows(project) == EXPECTED
    written = [
        path for path in project.root.rglob("*") if path.is_file() and b"secret-word" in path.read_bytes()
    ]
    assert not written
    assert "secret-word" not in "".join(capsys.readouterr())


@pytest.mark.parametrize("source", ["variable", "netrc"])
def test_an_index_itself_may_want_credentials(
    project: Project, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    index = MirrorServer(httpserver, "private")
    beside_the_page(index)
    index.password = "somebody:secret-word"
    project.change("frameworks/tiny.toml", (VENDOR, f"{index.url}simple/"))
    project.index.warehouse = True
    for name, version, requires in (("helper", "2.0", ()), ("pip", "26.2.1", ())):
        project.index.wheel(name, version, requires=requires)
    if source == "netrc":
        netrc = tmp_path / "netrc"
        netrc.write_text(f"machine {httpserver.host} login somebody password secret-word\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
    else:
        monkeypatch.setenv("LOCKWRIGHT_AUTH", f"{httpserver.host}:{httpserver.port}=somebody:secret-word")
    assert project.run("--arch", "x86_64") == 0
    assert rows(project)["engine"] == EXPECTED["engine"]


@pytest.mark.parametrize("size", [0, LARGE])
def test_a_mirror_with_other_bytes_is_not_believed(
    project: Project, httpserver: HTTPServer, size: int
) -> None:
    """Its page states the right hash; what it serves under it asks for a wheel called evil."""
    good = make_wheel("engine", "1.0", requires=("helper",), padding=size)
    liar = make_wheel("engine", "1.0", requires=("evil",))
    first, second = MirrorServer(httpserver, "first"), MirrorServer(httpserver, "second")
    by_digest(second)
    for mirror in (first, second):
        file = "engine-1.0-py3-none-any.whl"
        mirror.page("simple", "engine", {f"../../packages/{file}": good})
        mirror.file(f"packages/{file}", liar if mirror is first else good)
    mirrors = {
        VENDOR: [f"{first.url}simple/"],
        DEFAULT: [f"{second.url}simple/"],
        f"{GONE}/packages/": [f"{first.url}packages/", f"{second.url}packages/"],
    }
    assert lock(project, mirrors) == 0
    assert rows(project)["engine"] == ("vendor", "", hashlib.sha256(good).hexdigest())
    assert "evil" not in rows(project)


def test_a_mirror_alone_with_other_bytes_ends_in_exit_7(
    project: Project, httpserver: HTTPServer, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror = MirrorServer(httpserver, "mirror")
    by_digest(mirror)
    mirror.file(f"packages/{digest_folder(ENGINE)}/engine-1.0-py3-none-any.whl", LIAR)
    pages = f"{mirror.url}simple/"
    assert lock(project, {VENDOR: [pages], DEFAULT: [pages]}) == 7
    assert hashlib.sha256(ENGINE).hexdigest() in capsys.readouterr().err
    assert not (project.root / "lock").exists()


def test_a_mirror_that_lies_about_the_hash_too_does_not_change_a_locked_file(
    project: Project, httpserver: HTTPServer, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror = MirrorServer(httpserver, "mirror")
    by_digest(mirror)
    pages = f"{mirror.url}simple/"
    mirrors = {VENDOR: [pages], DEFAULT: [pages]}
    assert lock(project, mirrors) == 0
    path = project.root / "lock/1.0/plain/tiny-x86_64.toml"
    before = path.read_bytes()
    other = make_wheel("engine", "1.0", requires=("helper",), salt="other bytes")
    file = "engine-1.0-py3-none-any.whl"
    mirror.page("simple", "engine", {f"../../packages/{file}": other})
    mirror.file(f"packages/{file}", other)
    shutil.rmtree(project.root / "cache")
    project.change("frameworks/tiny.toml", ('license = "MIT"', 'license = "MIT"\ncommand = ["true"]'))
    assert lock(project, mirrors) == 7
    said = capsys.readouterr().err
    assert f"{file} of vendor has sha256 {hashlib.sha256(other).hexdigest()} now" in said
    assert path.read_bytes() == before
    assert lock(project, mirrors, "--upgrade", "engine") == 0
    assert rows(project)["engine"][2] == hashlib.sha256(other).hexdigest()


def test_a_second_run_offline_finds_what_came_through_a_mirror(
    project: Project, httpserver: HTTPServer
) -> None:
    mirror = MirrorServer(httpserver, "mirror")
    by_digest(mirror)
    pages = f"{mirror.url}simple/"
    mirrors = {VENDOR: [pages], DEFAULT: [pages]}
    assert lock(project, mirrors) == 0
    before = (project.root / "lock/1.0/plain/tiny-x86_64.toml").read_bytes()
    shutil.rmtree(project.root / "lock")
    asked = len(mirror.asked)
    assert lock(project, mirrors, "--offline") == 0
    assert (project.root / "lock/1.0/plain/tiny-x86_64.toml").read_bytes() == before
    assert len(mirror.asked) == asked
