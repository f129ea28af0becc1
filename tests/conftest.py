"""Options that select the tests which need more: --network, --lab, --browser, --slow; and --update-golden."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from pytest_httpserver import HTTPServer

from builder.build.buildah import Buildah, find_buildah
from tests.certificates import make_certificates
from tests.local_index import client, index, indexes

__all__ = ["client", "index", "indexes"]

# A busy machine is no fault of the example. CI tries the same examples each time, so that what lands was
# tried before; new ones are looked for elsewhere, and by scripts/checks/fuzz-with-coverage.
settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("house")

OPTIONS = {
    "network": "needs --network: it reaches the Python index or the Debian archive",
    "lab": "needs --lab: it needs the BuildKit of scripts/lab",
    "browser": "needs --browser: it needs Debian's chromium and scripts/requirements-browser.txt",
    "slow": "needs --slow: it takes longer than all others together",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lockwright")
    for name in OPTIONS:
        group.addoption(f"--{name}", action="store_true", help=f"also run the tests marked {name}")
    group.addoption("--update-golden", action="store_true", help="write golden files instead of comparing")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for name, reason in OPTIONS.items():
        if config.getoption(f"--{name}"):
            continue
        skip = pytest.mark.skip(reason=reason)
        for item in items:
            if item.get_closest_marker(name):
                item.add_marker(skip)


@pytest.fixture(scope="session")
def buildah() -> Buildah:
    """The lab's buildah, which CI must have; a lab that was made before it had one is not CI's."""
    if shutil.which("buildah") is None and not os.environ.get("CI"):
        pytest.skip("this lab has no buildah: bring up a new one with scripts/lab up")
    return find_buildah()


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture
def httpserver() -> Iterator[HTTPServer]:
    """A server of this test alone, in place of the plugin's one for all tests.

    A test that interrupts a download leaves a request behind. At the plugin's server the next test would
    find it in its own log. The server is stopped beside the next test, because stopping takes half a second.
    """
    server = HTTPServer()
    server.start()
    yield server
    threading.Thread(target=server.stop, daemon=True).start()


@pytest.fixture(autouse=True)
def nothing_concealed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process has its own secrets; here, a test has."""
    monkeypatch.setattr("builder.redact._secrets", set())


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority and certificates: see `make_certificates`."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    return make_certificates(tmp_path_factory.mktemp("certificates"))
