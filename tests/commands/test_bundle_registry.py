"""`bundle --push` and `--pull` with a real registry, and with one that misbehaves."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from pytest_httpserver import HTTPServer

from builder.bundle.contents import contents
from builder.cli import main
from builder.commands import bundle
from builder.errors import DigestMismatchError, FetchError, UsageError
from builder.oci import ImageManifest, dump_manifest, empty_config
from builder.selection import Selection
from tests.commands.registries import HTPASSWD, PASSWORD, USER, running_registry
from tests.commands.stocked import Stock, make_stock

ALL = Selection(releases=("all",))


@pytest.fixture
def stock(tmp_path: Path) -> Stock:
    return make_stock(tmp_path / "here")


@pytest.fixture
def there(stock: Stock, tmp_path: Path) -> Stock:
    return stock.elsewhere(tmp_path / "there")


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    with running_registry(tmp_path / "registry") as host:
        yield host


def push(stock: Stock, reference: str, selection: Selection = ALL) -> dict[str, object]:
    stock.out.seek(0)
    stock.out.truncate()
    options = bundle.PushOptions(selection=selection, reference=reference, json=True)
    assert bundle.push_bundle(stock.project, options) == 0
    told: dict[str, object] = json.loads(stock.out.getvalue())
    return told


def pull(stock: Stock, reference: str) -> int:
    return bundle.pull_bundle(stock.project, bundle.PullOptions(reference=reference))


@pytest.mark.lab
def test_what_is_pushed_is_pulled(stock: Stock, there: Stock, registry: str) -> None:
    name = f"{registry}/bundles/dynamo"
    told = push(stock, f"{name}:1.4.2")
    assert told["sent"] == told["bytes"] + _contents_size(name)  # type: ignore[operator]
    assert pull(there, f"{name}:1.4.2") == 0
    wanted = contents(stock.locks, stock.store.read, apt=False)
    assert list(there.store.digests()) == [content.sha256 for content in wanted]
    for lock in stock.locks:
        assert (there.project.locks / lock.target.path).read_bytes() == (
            stock.project.locks / lock.target.path
        ).read_bytes()
    assert pull(there, str(told["reference"])) == 0, "by digest too"
    again = push(there, f"{name}:again")
    assert (again["reference"], again["sent"]) == (told["reference"], 0), "the same bundle, and nothing sent"


def _contents_size(name: str) -> int:
    host, _, path = name.partition("/")
    manifest = requests.get(
        f"http://{host}/v2/{path}/manifests/1.4.2",
        headers={"Accept": "application/vnd.oci.image.manifest.v1+json"},
        timeout=10,
    ).json()
    assert manifest["artifactType"] == "application/vnd.lockwright.bundle.v1"
    return int(manifest["layers"][0]["size"])


@pytest.mark.lab
def test_two_bundles_share_what_they_have_in_common(stock: Stock, registry: str) -> None:
    first, second = (Selection(releases=("all",), arches=(lock.arch,)) for lock in stock.locks)
    name = f"{registry}/bundles/dynamo"
    push(stock, f"{name}:x86_64", first)
    told = push(stock, f"{name}:aarch64", second)
    shared = {c.sha256 for c in contents(stock.locks[:1], stock.store.read, apt=False)}
    own = [c for c in contents(stock.locks[1:], stock.store.read, apt=False) if c.sha256 not in shared]
    sizes = sum(stock.store.path(c.sha256).stat().st_size for c in own)
    assert own
    assert sizes < int(str(told["sent"])) < int(str(told["bytes"])), "locks and contents are sent besides"


@pytest.mark.lab
def test_credentials_open_the_registry_and_are_shown_nowhere(
    stock: Stock,
    there: Stock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    encoded = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    with running_registry(tmp_path / "registry", htpasswd=HTPASSWD) as host:
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
        reference = f"{host}/private/dynamo:1"
        with pytest.raises(FetchError, match="HTTP 401") as caught:
            push(stock, reference)
        assert "log in" in caught.value.hint
        auths = {"auths": {host: {"auth": encoded}}}
        monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps(auths))
        push(stock, reference)
        monkeypatch.delenv("DOCKER_AUTH_CONFIG")
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / ".netrc").write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
        pull(there, reference)
        (tmp_path / "home" / ".netrc").write_text(
            f"machine 127.0.0.1 login {USER} password wrong-{PASSWORD}\n"
        )
        with pytest.raises(FetchError, match="HTTP 401"):
            pull(stock.elsewhere(tmp_path / "third"), reference)
    said = [stock.out.getvalue(), stock.err.getvalue(), there.out.getvalue(), there.err.getvalue()]
    said += [str(caught.value), *capfd.readouterr()]
    said += [
        path.read_text("utf-8", "replace")
        for folder in (stock.project.root, there.project.root)
        for path in folder.rglob("*")
        if path.is_file()
    ]
    for secret in (PASSWORD, encoded):
        assert not [text for text in said if secret in text]


@pytest.mark.lab
def test_a_registry_that_lies_gives_nothing(stock: Stock, there: Stock, tmp_path: Path) -> None:
    with running_registry(tmp_path / "registry") as host:
        push(stock, f"{host}/bundles/dynamo:1")
        blobs = sorted((tmp_path / "registry" / "data").glob("**/blobs/sha256/*/*/data"), key=_size)
        digest = stock.locks[0].sources[0].sha256
        (blob,) = [path for path in blobs if path.parent.name == digest]
        blob.write_bytes(b"?" * _size(blob))
        with pytest.raises(DigestMismatchError, match="expected sha256"):
            pull(there, f"{host}/bundles/dynamo:1")
        assert list(there.store.digests()) == []
        assert not (there.project.root / "lock").exists()


def _size(path: Path) -> int:
    return path.stat().st_size


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"[]", "is not an image manifest"),
        (b"{}", "is not the manifest of one image"),
        (b"nonsense", "is not an image manifest"),
        (dump_manifest(ImageManifest(config=empty_config(), layers=())), "is not a bundle, but ''"),
        (
            dump_manifest(ImageManifest(config=empty_config(), layers=(), artifact_type="a\x1b[31mb")),
            r"a\\x1b\[31mb",
        ),
    ],
)
def test_what_is_no_bundle_is_refused(body: bytes, text: str, there: Stock, httpserver: HTTPServer) -> None:
    kind = "application/vnd.oci.image.manifest.v1+json"
    httpserver.expect_request("/v2/some/image/manifests/1").respond_with_data(body, content_type=kind)
    with pytest.raises(FetchError, match=text):
        pull(there, f"localhost:{httpserver.port}/some/image:1")


def test_bytes_are_not_sent_to_a_place_that_is_not_https(stock: Stock, httpserver: HTTPServer) -> None:
    httpserver.expect_request(re.compile("/v2/a/b/blobs/sha256:.*"), method="HEAD").respond_with_data("", 404)
    httpserver.expect_request("/v2/a/b/blobs/uploads/", method="POST").respond_with_data(
        "", 202, headers={"Location": "ftp://elsewhere.invalid/x"}
    )
    with pytest.raises(FetchError, match=r"ftp://elsewhere\.invalid/x"):
        push(stock, f"localhost:{httpserver.port}/a/b:1")


@pytest.mark.parametrize("reference", ["", "thing", "a/b@sha256:12", "a/b:tag with space"])
def test_a_reference_needs_host_name_and_tag(reference: str, stock: Stock) -> None:
    with pytest.raises(UsageError, match="expected HOST/NAME:TAG"):
        push(stock, reference)


def test_options_that_would_do_nothing_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bundle", "--import", "x", "--framework", "vllm"]) == 2
    assert main(["bundle", "--pull", "a.invalid/x:1", "--sha256", "0" * 64]) == 2
    assert main(["bundle", "--import", "x", "--sha256", "12"]) == 2
    assert "Traceback" not in capsys.readouterr().err
