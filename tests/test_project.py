"""The project makes every client: what the origins file says of the network holds for each verb."""

from __future__ import annotations

import ast
import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from builder.cli import main
from builder.console import Console
from builder.errors import FetchError, UsageError
from builder.io.network import Network
from builder.model.target import Arch, Target
from builder.project import open_project
from builder.resolve import Trial
from tests.proxy_server import ProxyServer
from tests.test_architecture import module_paths, parsed

SMALL = Path(__file__).resolve().parent / "faults/project"
TARGET = Target(release="1.0", platform="plain", framework="tiny", arch=Arch.X86_64)

MAKERS = {
    "Client": {"project", "git.heritage"},
    "AuthorisedClient": {"oci.registry"},
    "Exchanges": {"fetch.queue", "io.download"},
    "Uploader": {"oci.registry"},
    "Network": {"origins.reading", "fetch.download"},
    "Services": {"project"},
    "Session": {"project", "io.watchdog"},  # requests names its own so, too
    "Curl": {"io.curl"},
    "CurlMulti": {"io.curl"},
}
"""Who may call what opens connections; below `project` a maker is given the network settings."""

FORBIDDEN = {
    "urlopen",
    "HTTPConnection",
    "HTTPSConnection",
    "HTTPHandler",
    "PoolManager",
    "create_connection",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return shutil.copytree(SMALL, tmp_path / "project")


@pytest.fixture
def proxy(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProxyServer]:
    """A proxy that the project's origins file names, and that lets nothing through."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with ProxyServer(login="nobody:knows") as server:
        (root / "origins.toml").write_text(f'[network]\nproxy = "http://{server.host}"\n')
        yield server


def run(root: Path, *words: str) -> int:
    return main([*words, "--quiet", "--project", str(root), "--store", str(root / "cache/store")])


def check(httpserver: HTTPServer, proxy: ProxyServer) -> None:
    assert proxy.heads, "the proxy was asked"
    assert not httpserver.log, "the index was asked without the proxy"


def test_align_goes_through_the_proxy(root: Path, httpserver: HTTPServer, proxy: ProxyServer) -> None:
    claims = root / "recipes/claims"
    claims.mkdir()
    run(root, "align", "--release", "9.9", "--index-url", httpserver.url_for("/simple/"))
    check(httpserver, proxy)


def test_diff_online_goes_through_the_proxy(root: Path, httpserver: HTTPServer, proxy: ProxyServer) -> None:
    before = next((root / "lock").glob("*/*/*.toml"))
    after = root / "after.toml"
    after.write_text(before.read_text().replace('version = "3.10"', 'version = "3.9"'))
    assert before.read_text() != after.read_text()
    run(root, "diff", "--online", "--index-url", httpserver.url_for("/simple/"), str(before), str(after))
    check(httpserver, proxy)


def test_lock_goes_through_the_proxy(root: Path, httpserver: HTTPServer, proxy: ProxyServer) -> None:
    shutil.rmtree(root / "lock")
    assert run(root, "lock", "--index-url", httpserver.url_for("/simple/")) == 6
    check(httpserver, proxy)


def test_a_trial_goes_through_the_proxy(
    root: Path, httpserver: HTTPServer, proxy: ProxyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pypi_simple.PYPI_SIMPLE_ENDPOINT", httpserver.url_for("/simple/"))
    project = open_project(
        project=str(root),
        store=str(root / "cache/store"),
        origins=(),
        mirrors=(),
        console=Console(out=io.StringIO(), err=io.StringIO()),
    )
    with Trial(project, project.library()) as trial, pytest.raises(FetchError):
        trial.outcome(TARGET)
    check(httpserver, proxy)


def test_programs_are_told_the_proxy_and_the_authorities() -> None:
    told = Network(proxy="http://proxy.invalid:1", ca_file="/etc/ca.pem").environment()
    assert told["SSL_CERT_FILE"] == "/etc/ca.pem"
    assert {told[name] for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY")} == {"http://proxy.invalid:1"}
    assert Network().environment() == {}


def test_connections_are_made_in_one_place() -> None:
    wrong = []
    for module, path in module_paths().items():
        for node in (node for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            told = name != "fetch_all" or "network" in {word.arg for word in node.keywords}
            if name in FORBIDDEN or module not in MAKERS.get(name, {module}) or not told:
                wrong.append(
                    f"builder.{module}, line {node.lineno}: {name} without the project's network settings"
                )
    assert wrong == []


def test_the_address_of_an_index_has_neither_credentials_nor_a_query(root: Path) -> None:
    console = Console(quiet=True)
    project = open_project(project=str(root), store="", origins=(), mirrors=(), console=console)
    assert project.index_address("https://u:p@h.invalid/simple/") == "https://h.invalid/simple/"
    assert project.origins.network.credentials.header("https://h.invalid/x") is not None
    for text in (
        "https://h.invalid/?token=abcd",
        "u:abcd@h.invalid",
        "ftp://u:abcd@h.invalid/",
        "https://u:abcd@[h/",
    ):
        with pytest.raises(UsageError, match="--index-url") as caught:
            project.index_address(text)
        assert "abcd" not in str(caught.value)


def test_repositories_of_git_have_one_folder() -> None:
    """`pin` and `init` once kept a second one in the store, so that each repository was fetched twice."""
    texts = {module: path.read_text("utf-8") for module, path in module_paths().items()}
    assert [module for module, text in texts.items() if '/ "git"' in text] == ["project"]
    makers = {
        module
        for module, path in module_paths().items()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("GitPlaces", "GitPlaces.of"))
    }
    assert {module for module in makers if not module.startswith("git.")} == {"project"}
