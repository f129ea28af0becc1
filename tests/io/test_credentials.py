from __future__ import annotations

import base64
import sys
import types
from pathlib import Path

import pytest

from builder.errors import UsageError
from builder.io.credentials import Credentials


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


def test_the_variable_names_hosts_exactly(tmp_path: Path) -> None:
    environ = {"LOCKWRIGHT_AUTH": "A.invalid=u:p b.invalid:8443=token c.invalid=u:p:q", "HOME": str(tmp_path)}
    found = Credentials(environ=environ)
    assert found.header("https://a.invalid/x") == basic("u:p")
    assert found.header("https://a.invalid:444/x") == basic("u:p")
    assert found.header("https://b.invalid:8443/") == "Bearer token"
    assert found.header("https://b.invalid/") is None
    assert found.header("https://c.invalid/") == basic("u:p:q")
    assert found.header("https://a.invalid.evil.invalid/") is None
    assert found.header("https://a-invalid/") is None


def test_a_url_says_more(tmp_path: Path) -> None:
    found = Credentials(environ={"LOCKWRIGHT_AUTH": "a.invalid=u:p", "HOME": str(tmp_path)})
    assert found.header("https://me:se%40cret@a.invalid/") == basic("me:se@cret")


@pytest.mark.parametrize("text", ["a.invalid", "=u:p", "a.invalid=", "u:secret"])
def test_a_malformed_variable(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Credentials(environ={"LOCKWRIGHT_AUTH": text, "HOME": str(tmp_path)}).header("https://a.invalid/")
    assert "secret" not in str(caught.value)


def test_netrc(tmp_path: Path) -> None:
    (tmp_path / "named").write_text("machine a.invalid login u password p\n")
    environ = {"NETRC": str(tmp_path / "named")}
    assert Credentials(environ=environ).header("https://a.invalid:99/") == basic("u:p")
    assert Credentials(environ=environ).header("https://b.invalid/") is None
    assert Credentials(environ={"NETRC": str(tmp_path / "missing")}).header("https://a.invalid/") is None
    both = environ | {"LOCKWRIGHT_AUTH": "a.invalid=first:first"}
    assert Credentials(environ=both).header("https://a.invalid/") == basic("first:first")


def test_the_default_of_netrc_is_for_nobody(tmp_path: Path) -> None:
    """A redirect may lead anywhere, and a mirror may be anybody's."""
    (tmp_path / ".netrc").write_text("machine a.invalid login u password p\ndefault login d password e\n")
    (tmp_path / ".netrc").chmod(0o600)
    found = Credentials(environ={"HOME": str(tmp_path)})
    assert found.header("https://a.invalid/") is not None
    assert found.header("https://b.invalid/") is None


def test_the_keyring_is_asked_for_named_hosts_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def get_credential(service: str, _: None) -> types.SimpleNamespace:
        asked.append(service)
        return types.SimpleNamespace(username="u", password="p")

    module = types.ModuleType("keyring")
    module.get_credential = get_credential  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", module)
    found = Credentials(environ={"HOME": str(tmp_path)}, keyring_hosts=("a.invalid",))
    assert found.header("https://a.invalid/") == basic("u:p")
    assert found.header("https://a.invalid/again") == basic("u:p")
    assert found.header("https://b.invalid/") is None
    assert asked == ["a.invalid"]


def test_a_missing_keyring_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(UsageError, match="keyring is not installed"):
        Credentials(environ={"HOME": str(tmp_path)}, keyring_hosts=("a.invalid",)).header(
            "https://a.invalid/"
        )


def test_credentials_are_taken_out_of_a_url_and_given_to_its_host_alone(tmp_path: Path) -> None:
    found = Credentials(environ={"HOME": str(tmp_path)})
    assert found.take_from("https://u:p%40ss@A.invalid:8080/simple/") == "https://A.invalid:8080/simple/"
    assert found.header("https://a.invalid:8080/simple/idna/") == basic("u:p@ss")
    assert found.header("https://a.invalid/simple/") is None
    assert found.take_from("https://b.invalid/simple/") == "https://b.invalid/simple/"
