"""git reaches its places as every other request does: by real git, from real servers."""

from __future__ import annotations

import re
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from builder.errors import FetchError
from builder.git.places import GitPlaces
from builder.io.credentials import Credentials
from builder.io.network import Network
from builder.origins.origins import Mirror, Origins
from tests.proxy_server import ProxyServer

URL = "https://git.invalid/project.git"
AUTH = "git-user:git-password"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def repository(tmp_path: Path) -> tuple[Path, str]:
    """A bare repository as plain files, which git's oldest protocol serves, and its one commit."""
    work, bare = tmp_path / "work", tmp_path / "bare"

    def git(*words: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@b.invalid")
        return subprocess.run(
            ["git", *who, *words], check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "--quiet", str(work))
    (work / "file").write_text("content\n")
    git("-C", str(work), "add", "file")
    git("-C", str(work), "commit", "--quiet", "-m", "one")
    git("-C", str(work), "tag", "v1")
    git("clone", "--quiet", "--bare", str(work), str(bare))
    git("-C", str(bare), "update-server-info")
    return bare, git("-C", str(work), "rev-parse", "HEAD")


def serve(server: HTTPServer, bare: Path, *, guarded: bool = True) -> None:
    """Serve the repository, to who has the password."""

    def answer(request: Request) -> Response:
        given = request.authorization
        if guarded and (given is None or f"{given.username}:{given.password}" != AUTH):
            return Response(status=401, headers={"WWW-Authenticate": 'Basic realm="git"'})
        file = bare / request.path.removeprefix("/project.git/")
        return Response(file.read_bytes()) if file.is_file() else Response(status=404)

    server.expect_request(re.compile("/.*")).respond_with_handler(answer)


@pytest.fixture
def secured(certificates: Path) -> Iterator[HTTPServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "valid.pem")
    with HTTPServer(host="127.0.0.1", ssl_context=context, threaded=True) as server:
        yield server


def places(folder: Path, server: HTTPServer, network: Network) -> GitPlaces:
    mirror = Mirror(prefix="https://git.invalid/", places=(server.url_for("/"),))
    environment = {"GIT_CONFIG_COUNT": "0", "GIT_ALLOW_PROTOCOL": "https", "PATH": "/usr/bin:/bin"}
    return GitPlaces(
        cache=folder / "cache",
        origins=Origins(mirrors=(mirror,), network=network),
        environment={**environment, "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": "/dev/null"},
    )


def credentials(server: HTTPServer) -> Credentials:
    return Credentials(environ={"LOCKWRIGHT_AUTH": f"{server.host}:{server.port}={AUTH}"})


def nothing_kept(folder: Path) -> None:
    for path in (folder / "cache").rglob("*"):
        assert not path.is_file() or b"git-password" not in path.read_bytes()


def test_an_http_mirror_with_a_password(
    repository: tuple[Path, str], httpserver: HTTPServer, tmp_path: Path
) -> None:
    bare, commit = repository
    serve(httpserver, bare)
    found = places(tmp_path, httpserver, Network(credentials=credentials(httpserver)))
    made = found.commit(URL, commit, "v1")
    shown = subprocess.run(
        ["git", f"--git-dir={made}", "show", f"{commit}:file"], check=True, capture_output=True
    )
    assert shown.stdout == b"content\n"
    nothing_kept(tmp_path)


def test_an_authority_and_a_proxy_of_the_settings(
    repository: tuple[Path, str], secured: HTTPServer, certificates: Path, tmp_path: Path
) -> None:
    bare, commit = repository
    serve(secured, bare)
    with ProxyServer() as proxy:
        network = Network(
            ca_file=str(certificates / "ca.pem"), proxy=proxy.url, credentials=credentials(secured)
        )
        places(tmp_path, secured, network).commit(URL, commit, "v1")
        assert proxy.heads
        assert not [head for head in proxy.heads if "\r\nAuthorization:" in head]
    nothing_kept(tmp_path)


def test_without_the_authority(repository: tuple[Path, str], secured: HTTPServer, tmp_path: Path) -> None:
    bare, commit = repository
    serve(secured, bare)
    with pytest.raises(FetchError, match="certificate"):
        places(tmp_path, secured, Network(credentials=credentials(secured))).commit(URL, commit, "v1")


def test_a_password_is_not_taken_along_by_a_redirect(
    repository: tuple[Path, str], httpserver: HTTPServer, tmp_path: Path
) -> None:
    bare, commit = repository
    with HTTPServer(host="127.0.0.2") as other:
        serve(other, bare, guarded=False)
        target = other.url_for("").rstrip("/")
        httpserver.expect_request(re.compile("/.*")).respond_with_handler(
            lambda request: Response(status=302, headers={"Location": f"{target}{request.full_path}"})
        )
        found = places(tmp_path, httpserver, Network(credentials=credentials(httpserver)))
        with pytest.raises(FetchError) as caught:
            found.commit(URL, commit, "v1")
        assert "git-password" not in str(caught.value)
        assert not [request for request, _ in other.log if "Authorization" in request.headers]
