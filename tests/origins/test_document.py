"""What an origins file says of the network, and the order of its sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.errors import UsageError
from builder.origins.document import HERITAGE
from builder.origins.reading import load_origins, parse_origins

TEXT = """
[network]
ca-file = "{ca}"
proxy = "http://proxy.invalid:3128"
connections = 4

[hosts."Mirror.invalid"]
connections = 2

[insecure]
hosts = ["plain.invalid"]

[credentials]
keyring = ["Files.invalid"]

[software-heritage]
url = "https://archive.invalid/api"
"""


def test_everything(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    found = parse_origins(TEXT.format(ca=tmp_path / "ca.pem"), "origins.toml")
    network = found.network
    assert network.authorities() == str(tmp_path / "ca.pem")
    assert network.proxy_for("https://x.invalid/") == "http://proxy.invalid:3128"
    assert (network.limit("mirror.invalid:443"), network.limit("other.invalid")) == (2, 4)
    assert network.plain_hosts == ("plain.invalid",)
    assert network.credentials.keyring_hosts == ("files.invalid",)
    assert found.heritage == "https://archive.invalid/api/"


def test_nothing_said() -> None:
    found = parse_origins("", "origins.toml")
    assert found.heritage == HERITAGE
    assert found.network.limit("x.invalid") == 8
    assert parse_origins('[software-heritage]\nurl = ""\n', "x").heritage == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[network]\nconections = 3", "did you mean `connections`"),
        ("[network]\nconnections = 0", "from 1 to 256"),
        ("[network]\nconnections = true", "network.connections: expected a whole number"),
        ('[network]\nca-file = "/nonexistent/ca.pem"', "there is no /nonexistent/ca.pem"),
        ('[network]\nproxy = "socks5://x.invalid"', "expected an http"),
        ('[network]\nproxy = "http://u:p@x.invalid"', "credentials"),
        ("[hosts]\nx = 3", "expected a table"),
        ('[hosts."x.invalid"]\nlimit = 3', 'hosts."x.invalid".limit: unknown key'),
        ("[credentials]\nkeyring = true", "credentials.keyring: expected a list"),
        ('[credentials]\npassword = "x"', "credentials.password: unknown key"),
        ('[software-heritage]\nurl = "ftp://x"', "expected an http"),
    ],
)
def test_what_is_wrong_is_named(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_origins(text, "origins.toml")
    assert says in f"{caught.value} {caught.value.hint}"
    assert "origins.toml: " in str(caught.value)
    assert "u:p" not in str(caught.value)


def test_later_sources_win(tmp_path: Path) -> None:
    def file(path: Path, host: str) -> Path:
        path.parent.mkdir(exist_ok=True)
        table = f'[origins.files]\nurl = "https://{host}.invalid/"\nlayout = "flat"\n'
        path.write_text(f'{table}[mirrors]\n"https://up.invalid/" = ["https://{host}.invalid/"]\n')
        return path

    project, user = file(tmp_path / "recipes/origins.toml", "project"), file(tmp_path / "user.toml", "user")
    variables = {
        "LOCKWRIGHT_ORIGIN": "files=https://variable.invalid/ other=flat+https://other.invalid/",
        "LOCKWRIGHT_MIRROR": "https://up.invalid/=https://variable.invalid/ https://up.invalid/=https://two.invalid/",
    }

    def hosts(environ: dict[str, str], /, **options: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
        found = load_origins(tmp_path, user_file=user, environ=environ, **options)  # type: ignore[arg-type]
        return found.origin("files").url, found.candidates("https://up.invalid/")[:-1]

    assert hosts({}) == ("https://user.invalid/", ("https://user.invalid/",))
    file(tmp_path / "origins.toml", "beside")
    assert hosts({}) == ("https://beside.invalid/", ("https://beside.invalid/",))
    two = ("https://variable.invalid/", "https://two.invalid/")
    assert hosts(variables) == ("https://variable.invalid/", two)
    options: dict[str, tuple[str, ...]] = {
        "origin_options": ("files=https://option.invalid/",),
        "mirror_options": ("https://up.invalid/=https://option.invalid/",),
    }
    assert hosts({}, **options) == ("https://option.invalid/", ("https://option.invalid/",))
    assert hosts(variables, **options) == ("https://variable.invalid/", two)
    assert project.exists()


def test_a_relative_authority_is_beside_the_file_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "company.pem").touch()
    (tmp_path / "project" / "origins.toml").write_text('[network]\nca-file = "company.pem"\n')
    monkeypatch.chdir(tmp_path)
    found = load_origins(tmp_path / "project", user_file=tmp_path / "none", environ={})
    assert found.network.ca_file == str(tmp_path / "project" / "company.pem")
