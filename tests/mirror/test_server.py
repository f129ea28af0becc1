"""`fetch --serve`, used by the real clients: pip, uv, apt, curl's ranges, and lockwright itself."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from builder.cli import main
from builder.errors import FetchError, UsageError
from builder.lockfile.lock import Lock
from builder.mirror import pages
from builder.mirror.catalog import catalogue
from builder.mirror.server import parse_address
from tests.commands.stocked import KEY, MANIFEST_TYPE, Stock, make_stock

ROOT = Path(__file__).parents[2]
APT = shutil.which("apt-get")


@dataclass
class Mirror:
    url: str
    stock: Stock
    process: subprocess.Popen[str]
    said: Path

    @property
    def lock(self) -> Lock:
        return self.stock.locks[0]

    def get(self, path: str, **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.get(f"{self.url}{path}", headers=named, timeout=60, allow_redirects=False)


@contextmanager
def serving(stock: Stock, folder: Path, *words: str) -> Iterator[Mirror]:
    argv = [
        sys.executable,
        "-m",
        "builder",
        "fetch",
        "--project",
        str(stock.project.root),
        "--release",
        "all",
    ]
    argv += ["--store", str(stock.store.root), "--serve", "0", "--format", "json", *words]
    with (folder / "said").open("w") as said:
        process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=said, text=True)
    with process:
        assert process.stdout is not None
        text = ""
        while not text.endswith("}\n"):
            line = process.stdout.readline()
            assert line, (folder / "said").read_text()
            text += line
        try:
            yield Mirror(
                url=json.loads(text)["url"].rstrip("/"), stock=stock, process=process, said=folder / "said"
            )
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    folder = tmp_path_factory.mktemp("mirror")
    with serving(make_stock(folder / "project"), folder) as running:
        yield running


def anywhere(lock: Lock) -> list[str]:
    """Requirements that any Python can install, with their hashes."""
    rows = [row for row in lock.python if row.file.endswith("-py3-none-any.whl")]
    assert rows
    return [f"{row.name}=={row.version} --hash=sha256:{row.sha256}" for row in rows]


def alone(folder: Path) -> dict[str, str]:
    """An environment in which no other place is configured, and none can be reached by a proxy."""
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "UV_CACHE_DIR": str(folder / "uv-cache")}


INSTALLERS: dict[str, Callable[[str], list[str]]] = {
    "pip": lambda url: [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--no-cache-dir",
        "--index-url",
        f"{url}/simple/",
    ],
    "uv": lambda url: ["uv", "pip", "install", "--default-index", f"{url}/simple/"],
}


@pytest.mark.parametrize("name", INSTALLERS)
def test_pip_and_uv_install_from_it(name: str, mirror: Mirror, tmp_path: Path) -> None:
    wanted = anywhere(mirror.lock)
    (tmp_path / "requirements.txt").write_text("\n".join(wanted))
    argv = [*INSTALLERS[name](mirror.url), "--require-hashes", "--no-deps", "-r", "requirements.txt"]
    program = Path(sys.executable).with_name("uv")
    argv[0] = str(program) if argv[0] == "uv" else argv[0]
    done = subprocess.run(
        [*argv, "--target", "out"],
        cwd=tmp_path,
        env=alone(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    installed = {
        path.name.partition("-")[0].replace("_", "-") for path in (tmp_path / "out").glob("*.dist-info")
    }
    assert installed == {line.partition("==")[0] for line in wanted}


@pytest.mark.skipif(APT is None, reason="needs apt-get")
def test_apt_takes_lists_and_packages_from_it(mirror: Mirror, tmp_path: Path) -> None:
    for folder in ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/trusted.gpg.d", "var/lib/apt/lists/partial",
                   "var/cache/apt/archives/partial", "var/lib/dpkg"):  # fmt: skip
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").touch()
    (tmp_path / "etc/apt/trusted.gpg.d/archive.asc").write_text(str(KEY.extract_certificate()))
    guide = mirror.get("/").text
    lines = re.findall(r"(?m)^  (deb .*)$", guide)
    (tmp_path / "etc/apt/sources.list").write_text("\n".join(lines))
    (tmp_path / "apt.conf").write_text(
        f'Dir "{tmp_path}/";\nDir::State::status "{tmp_path}/var/lib/dpkg/status";\n'
        'APT::Architecture "amd64";\nAPT::Sandbox::User "root";\nDebug::NoLocking "1";\n'
        'APT::Architectures { "amd64"; };\n'
    )
    env = {**alone(tmp_path), "APT_CONFIG": str(tmp_path / "apt.conf"), "LC_ALL": "C"}

    def apt(*words: str) -> str:
        done = subprocess.run(
            ["apt-get", *words], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "W:" not in done.stderr
        return done.stdout

    apt("update")
    rows = mirror.lock.os_packages
    apt("download", rows[0].name)
    assert [path.stat().st_size for path in tmp_path.glob("*.deb")] == [rows[0].size]
    names = [row.name for row in rows]
    apt("install", "-y", "--download-only", "--no-install-recommends", *names)
    assert len(list((tmp_path / "var/cache/apt/archives").glob("*.deb"))) == len(names)


def test_lockwright_itself_fetches_everything_from_it(mirror: Mirror, tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(mirror.stock.project.locks, root / "lock")
    (root / "origins.toml").write_text(mirror.get("/origins.toml").text)
    store = tmp_path / "store"
    for lock in mirror.stock.locks:  # git is not fetched from a mirror, and no registry is there
        for source in lock.sources:
            path = store / "sha256" / source.sha256[:2] / source.sha256[2:]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(mirror.get(f"/sha256/{source.sha256}").content)
    words = ["--project", str(root), "--store", str(store), "--release", "all", "--quiet"]
    assert main(["fetch", *words]) == 0
    for lock in mirror.stock.locks:
        digests = {str(row.sha256) for row in lock.python if row.sha256}
        digests |= {str(row.sha256) for row in lock.archives}
        for digest in digests | {str(row.sha256) for row in lock.os_packages}:
            assert (store / "sha256" / digest[:2] / digest[2:]).is_file()


@pytest.mark.parametrize("form", ["/sha256/{0}", "/sha256/{1}/{2}"])
def test_files_by_digest_whole_and_in_part(form: str, mirror: Mirror) -> None:
    digest = mirror.lock.sources[0].sha256
    data, path = mirror.stock.store.read(digest), form.format(digest, digest[:2], digest[2:])
    whole = mirror.get(path)
    assert (whole.status_code, whole.content) == (200, data)
    assert (whole.headers["ETag"], whole.headers["Accept-Ranges"]) == (f'"sha256:{digest}"', "bytes")
    for range_, part in (("bytes=10-19", data[10:20]), ("bytes=100-", data[100:]), ("bytes=-7", data[-7:])):
        answer = mirror.get(path, Range=range_)
        assert (answer.status_code, answer.content) == (206, part)
    assert mirror.get(path, Range=f"bytes={len(data)}-").status_code == 416
    resumed = mirror.get(path, Range="bytes=10-", If_Range=f'"sha256:{digest}"')
    assert (resumed.status_code, resumed.content) == (206, data[10:])
    stale = mirror.get(path, Range="bytes=10-", If_Range='"sha256:other"')
    assert (stale.status_code, stale.content) == (200, data)
    assert mirror.get(path, If_None_Match=f'"sha256:{digest}"').status_code == 304
    head = requests.head(f"{mirror.url}{path}", timeout=10)
    assert (head.status_code, head.headers["Content-Length"], head.content) == (200, str(len(data)), b"")


def test_the_index_in_both_forms(mirror: Mirror) -> None:
    row = next(row for row in mirror.lock.python if row.sha256)
    page = mirror.get(f"/simple/{row.name}/", Accept=f"{pages.JSON}, {pages.HTML};q=0.2, text/html;q=0.01")
    assert page.headers["Content-Type"] == pages.JSON
    listed = {file["filename"]: file for file in page.json()["files"]}
    assert listed[row.file]["hashes"] == {"sha256": row.sha256}
    assert listed[row.file]["size"] == row.size
    html = mirror.get(f"/simple/{row.name}/", Accept="text/html")
    assert f"#sha256={row.sha256}" in html.text
    assert f'href="{row.name}/"' in mirror.get("/simple/").text
    assert {"name": row.name} in mirror.get("/simple/", Accept=pages.JSON).json()["projects"]
    spelled = mirror.get(f"/simple/{row.name.upper()}")
    assert (spelled.status_code, spelled.headers["Location"]) == (301, f"/simple/{row.name}/")
    assert mirror.get("/simple/unknown/").status_code == 404


def test_images_as_a_registry_has_them(mirror: Mirror) -> None:
    image = mirror.lock.images[0]
    host, _, name = image.name.partition("/")
    assert mirror.get("/v2/").headers["Docker-Distribution-API-Version"] == "registry/2.0"
    for path in (
        f"/v2/{name}/manifests/{image.digest}?ns={host}",
        f"/v2/{image.name}/manifests/{image.digest}",
    ):
        manifest = mirror.get(path)
        assert (manifest.status_code, manifest.headers["Content-Type"]) == (200, MANIFEST_TYPE)
        assert manifest.headers["Docker-Content-Digest"] == image.digest
    for part in (manifest.json()["config"], *manifest.json()["layers"]):
        assert len(mirror.get(f"/v2/{name}/blobs/{part['digest']}").content) == part["size"]
    assert mirror.get(f"/v2/{name}/manifests/{image.digest}?ns=other.invalid").status_code == 404
    assert mirror.get(f"/v2/other/manifests/{image.digest}").status_code == 404
    wheel = next(row.sha256 for row in mirror.lock.python if row.sha256)
    assert mirror.get(f"/v2/{name}/blobs/sha256:{wheel}").status_code == 404, "only blobs of that image"


HOSTILE = [
    "/sha256/../../../../etc/passwd",
    "/sha256/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/origin/../../../../etc/passwd",
    "/origin/pypi/..%2f..%2f..%2fetc%2fpasswd",
    "/origin//etc/passwd",
    "//etc/passwd",
    "/simple/../../etc/passwd",
    "/v2/../../etc/passwd/manifests/x",
    "/sha256/" + "0" * 64,
    "/sha256/" + "z" * 64,
    "/tmp/import.lock",
    "/origin/%00",
    "/%ff%fe",
    "/" + "a" * 5000,
]


@pytest.mark.parametrize("path", HOSTILE)
def test_no_path_leads_out_of_the_store(path: str, mirror: Mirror) -> None:
    answer = raw(mirror, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert re.match(rb"HTTP/1.1 40[0-9] ", answer), answer[:200]
    assert b"root:" not in answer


def raw(mirror: Mirror, request: bytes) -> bytes:
    host, _, port = mirror.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return answer


def test_a_client_that_tries_https_is_told_at_once(mirror: Mirror) -> None:
    """docker does so, and falls back to http only when it is answered in http."""
    assert raw(mirror, b"\x16\x03\x01\x02\x00\x01" + bytes(200)).startswith(b"HTTP/1.0 400 ")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "BREW"])
def test_nothing_can_be_written(method: str, mirror: Mirror) -> None:
    digest = mirror.lock.sources[0].sha256
    answer = requests.request(method, f"{mirror.url}/sha256/{digest}", data=b"x", timeout=10)
    assert answer.status_code == 405
    assert mirror.stock.store.verify(digest)


def test_many_clients_at_once(mirror: Mirror) -> None:
    digests = list(mirror.stock.store.digests())
    with ThreadPoolExecutor(max_workers=32) as pool:
        answers = list(pool.map(lambda digest: mirror.get(f"/sha256/{digest}").content, digests * 5))
    assert answers == [mirror.stock.store.read(digest) for digest in digests * 5]


def test_a_slow_client_keeps_nobody_waiting(mirror: Mirror) -> None:
    host, _, port = mirror.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port))) as idle:
        idle.sendall(b"GET / HTTP/1.1\r\nHost:")
        assert mirror.get("/").status_code == 200


def test_the_address_in_help_is_the_one_that_the_client_used(mirror: Mirror) -> None:
    assert "http://mirror.invalid:81/simple/" in mirror.get("/", Host="mirror.invalid:81").text
    assert "evil" not in mirror.get("/origins.toml", Host='evil"]').text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_running_answer_is_completed_when_it_stops(number: int, tmp_path: Path) -> None:
    stock = make_stock(tmp_path / "project")
    large = os.urandom(2**25)
    digest = stock.store.add_bytes(large)
    with serving(stock, tmp_path) as mirror:
        answer = requests.get(f"{mirror.url}/sha256/{digest}", stream=True, timeout=30)
        first = answer.raw.read(2**16)
        mirror.process.send_signal(number)
        timer = threading.Timer(0.5, lambda: None)
        timer.start()
        timer.join()
        rest = answer.raw.read()
        answer.close()
        assert first + rest == large
        assert mirror.process.wait(30) == 0
    assert mirror.said.read_text().endswith("stopped\n")


def test_what_is_not_in_the_store_is_named(tmp_path: Path) -> None:
    stock = make_stock(tmp_path / "project")
    stock.store.path(str(stock.locks[0].repositories[0].inrelease)).unlink()
    with serving(stock, tmp_path) as mirror:
        assert mirror.get("/").status_code == 200
    said = mirror.said.read_text()
    assert "not in the store, so not served: package lists of trixie " in said


def test_an_empty_store_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stock = make_stock(tmp_path / "project")
    words = ["--project", str(stock.project.root), "--store", str(tmp_path / "empty"), "--release", "all"]
    assert main(["fetch", *words, "--serve", "0"]) == FetchError.exit_code
    assert "the store has nothing that these locks name" in capsys.readouterr().err


def test_an_address_that_is_taken_is_an_error(capsys: pytest.CaptureFixture[str], mirror: Mirror) -> None:
    project = mirror.stock.project
    words = ["--project", str(project.root), "--store", str(project.store.root), "--release", "all"]
    assert main(["fetch", *words, "--serve", mirror.url.rpartition(":")[2]]) == UsageError.exit_code
    assert "Address already in use" in capsys.readouterr().err


def test_two_locks_that_mean_different_files_by_one_name(tmp_path: Path) -> None:
    stock = make_stock(tmp_path / "project")
    lock = stock.locks[0]
    row = next(row for row in lock.python if row.sha256)
    other = dataclasses.replace(row, sha256=lock.sources[0].sha256)
    with pytest.raises(FetchError, match="two locks name different files"):
        catalogue((lock, dataclasses.replace(lock, python=(other,))), stock.store)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("8080", "127.0.0.1", 8080),
        ("0", "127.0.0.1", 0),
        ("localhost:80", "localhost", 80),
        ("0.0.0.0:5001", "0.0.0.0", 5001),
        ("[::1]:80", "::1", 80),
    ],
)
def test_addresses(text: str, host: str, port: int) -> None:
    address = parse_address(text)
    assert (address.host, address.port) == (host, port)


@pytest.mark.parametrize("text", ["", "x", ":80", "host:", "host:65536", "host:-1", "::1:80", "host:٣"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError, match="is not an address"):
        parse_address(text)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "text/html"),
        ("*/*", "text/html"),
        ("text/html", "text/html"),
        (pages.JSON, pages.JSON),
        (f"{pages.JSON};q=0.1, {pages.HTML};q=0.9", pages.HTML),
        ("application/vnd.pypi.simple.latest+json", pages.JSON),
        (f"{pages.JSON};q=0", "text/html"),
        (f"{pages.JSON};q=x", "text/html"),
        (";;;,,;q=", "text/html"),
    ],
)
def test_the_form_that_a_client_likes_best(accept: str, kind: str) -> None:
    assert pages.media_type(accept) == kind
