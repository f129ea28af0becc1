"""A process without a home folder: what needs none works, what needs one says so."""

from __future__ import annotations

import pwd
from pathlib import Path

import pytest

from builder.cli import main
from builder.io.credentials import Credentials
from builder.io.home import user_cache_folder, user_config_folder, user_home
from builder.oci.registry import docker_authorisation

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user is a number that no line of the password file names, as in `docker run --user 12345`."""
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "LOCKWRIGHT_STORE", "DOCKER_CONFIG", "NETRC"):
        monkeypatch.delenv(name, raising=False)

    def nobody(uid: int) -> pwd.struct_passwd:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", nobody)


@pytest.mark.usefixtures("homeless")
def test_there_are_no_folders_of_the_user() -> None:
    assert user_home() is None
    assert user_cache_folder() is None
    assert user_config_folder() is None


@pytest.mark.usefixtures("homeless")
def test_credentials_are_looked_for_elsewhere_alone() -> None:
    assert docker_authorisation("registry.invalid", environ={}) is None
    assert Credentials(environ={}).header("https://index.invalid/simple/") is None


@pytest.mark.usefixtures("homeless")
@pytest.mark.parametrize(
    "words",
    [
        ["lock", "--check", "--framework", "services"],
        ["verify", "--framework", "services"],
        ["why", "etcd", "--framework", "services"],
        ["matrix", "--table", "summary"],
    ],
)
def test_verbs_that_need_no_store_work(words: list[str]) -> None:
    assert main([*words, "--project", str(ROOT)]) == 0


@pytest.mark.usefixtures("homeless")
def test_a_verb_that_needs_the_store_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch", "--framework", "services", "--project", str(ROOT)]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "error: the store: this user has no home folder, and HOME is not set",
        "hint: set HOME, or name a directory with --store or LOCKWRIGHT_STORE",
    ]
