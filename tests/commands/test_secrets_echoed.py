"""No secret in any output although servers send back what they were told, and from places that are easily forgotten."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.commands.stocked import make_stock
from tests.commands.test_secrets import BASIC, PASSWORD, USER, WHEEL, Run, auth

JSON_ERROR = json.dumps({"errors": [{"code": "DENIED", "message": f"not with {BASIC} or {PASSWORD}"}]})


@pytest.fixture
def run(tmp_path: Path, httpserver: HTTPServer) -> Run:
    return Run(tmp_path, httpserver)


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        ("302 Found", {"Location": f"ftp://h.invalid/{BASIC}"}),
        ("302 Found", {"Location": f"http://other.invalid/?authorization={BASIC}"}),
        ("302 Found", {"Location": f"http://other.invalid/{PASSWORD}/x"}),
        ("206 Partial", {"Content-Range": f"bytes {BASIC}"}),
        (f"418 {BASIC} {PASSWORD}", {}),
        (f"503 Basic {BASIC}", {"Retry-After": "0", "X-Reason": BASIC}),
        ("200 OK", {"Content-Encoding": BASIC, "Content-Length": "5"}),
        ("200 OK", {"ETag": f'"{BASIC}"', "Content-Length": "5"}),
    ],
)
def test_servers_that_send_back_what_they_were_told(
    run: Run, httpserver: HTTPServer, status: str, headers: dict[str, str]
) -> None:
    def echo(request: Request) -> Response | None:
        return Response(b"12345", status=status, headers=headers) if WHEEL.match(request.path) else None

    run.serve(echo)
    assert run("fetch", "--format", "json", LOCKWRIGHT_AUTH=auth(httpserver)) in (6, 7)
    assert run.authorised
    run.check()


def test_credentials_of_the_keyring(run: Run, httpserver: HTTPServer) -> None:
    run.serve(lambda request: Response(BASIC, status=403) if WHEEL.match(request.path) else None)
    packages = run.folder.parent / f"{run.folder.name}-packages"
    packages.mkdir()
    (packages / "keyring.py").write_text(
        "import types\n"
        "def get_credential(host, name):\n"
        f"    return types.SimpleNamespace(username={USER!r}, password={PASSWORD!r})\n"
    )
    origins = run.folder / "project" / "origins.toml"
    origins.write_text(f'{origins.read_text()}[credentials]\nkeyring = ["{httpserver.host}"]\n')
    root = Path(__file__).parents[2]
    assert run("fetch", PYTHONPATH=f"{root}:{packages}") == 6
    assert run.authorised
    run.check()


def test_a_proxy_with_a_password_that_is_refused(
    run: Run, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def refuse(request: Request) -> Response:
        seen.append(request.headers.get("Proxy-Authorization", ""))
        return Response(f"{BASIC} {PASSWORD}", status=f"407 {BASIC}", headers={"Proxy-Authenticate": "Basic"})

    httpserver.expect_request("/pypi/x").respond_with_data("never")
    monkeypatch.setattr(httpserver, "respond_nohandler", refuse)
    proxy = f"http://{USER}:{PASSWORD}@{httpserver.host}:{httpserver.port}"
    assert run("fetch", http_proxy=proxy, https_proxy=proxy) == 6
    assert f"Basic {BASIC}" in seen, "it was sent to the proxy"
    run.check()


def test_a_proxy_with_a_password_that_is_not_there(run: Run) -> None:
    assert run("fetch", http_proxy=f"http://{USER}:{PASSWORD}@127.0.0.1:9") == 6
    run.check()


def test_a_malformed_proxy(run: Run) -> None:
    run("fetch", http_proxy=f"http://{USER}:{PASSWORD}@[h", https_proxy=f"{USER}:{PASSWORD}@h:x")
    run.check()


def test_a_place_of_git_with_a_password(run: Run, httpserver: HTTPServer) -> None:
    asked = []

    def hear(request: Request) -> Response | None:
        asked.append(request.path)
        return Response(f"no {BASIC}", status=403) if "info/refs" in request.path else None

    run.serve(hear)
    place = f"http://{USER}:{PASSWORD}@{httpserver.host}:{httpserver.port}/git/"
    variables = {"GIT_CONFIG_KEY_0": f"url.{place}.insteadOf", "GIT_CONFIG_VALUE_0": "https://git.invalid/"}
    assert run("fetch", LOCKWRIGHT_AUTH=auth(httpserver), **variables) == 6
    assert [path for path in asked if "info/refs" in path], run.said
    run.check()


@pytest.mark.parametrize("body", [JSON_ERROR, f"denied: {BASIC} {PASSWORD}", "[1]", '{"errors": 3}'])
def test_a_registry_that_refuses_a_bundle(
    tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    stock = make_stock(tmp_path / "here" / "project")
    run = Run.__new__(Run)
    run.folder, run.said = tmp_path / "here", ""
    docker = {"auths": {f"{httpserver.host}:{httpserver.port}": {"auth": BASIC}}}
    (tmp_path / "here" / "project" / "origins.toml").write_text("")
    shown = []

    def answer(request: Request) -> Response:
        given = request.headers.get("Authorization", "")
        shown.append(given)
        if not given:
            return Response(status=401, headers={"WWW-Authenticate": 'Basic realm="r"'})
        return Response(status=404) if request.method == "HEAD" else Response(body, status=403)

    monkeypatch.setattr(httpserver, "respond_nohandler", answer)  # the server outlives the test
    reference = f"{httpserver.host}:{httpserver.port}/b/c:1"
    (tmp_path / "here" / "home").mkdir()
    (tmp_path / "here" / "store").symlink_to(stock.store.root)
    assert run("bundle", "--push", reference, DOCKER_AUTH_CONFIG=json.dumps(docker)) == 6
    assert f"Basic {BASIC}" in shown
    assert "HTTP 403" in run.said
    assert ("DENIED: not with *** or ***" in run.said) == (body == JSON_ERROR)
    run.check()


def test_what_is_searched_for_is_what_was_sent() -> None:
    assert base64.b64decode(BASIC).decode() == f"{USER}:{PASSWORD}"
