from __future__ import annotations

from pathlib import Path

import pytest

from builder.errors import UsageError
from builder.origins.origins import Mirror, Origin
from builder.origins.reading import load_origins, parse_origins, user_origins_file

GOOD = """
[origins.pypi]
url = "https://files.invalid/packages"
layout = "warehouse"

[origins.corp]
url = "http://corp.invalid/debs/"
layout = "pool"
insecure = true

[mirrors]
"https://a.invalid" = ["https://m1.invalid/a", "http://m2.invalid/"]

[insecure]
hosts = ["M2.invalid"]
"""


def test_parse() -> None:
    origins = parse_origins(GOOD, "origins.toml")
    assert origins.origins == (
        Origin(name="corp", url="http://corp.invalid/debs/", layout="pool", insecure=True),
        Origin(name="pypi", url="https://files.invalid/packages/", layout="warehouse"),
    )
    assert origins.mirrors == (
        Mirror(prefix="https://a.invalid/", places=("https://m1.invalid/a/", "http://m2.invalid/")),
    )
    assert origins.insecure_hosts == ("m2.invalid",)
    assert hash(origins)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "o.toml: not TOML: Expected '=' after a key in a key/value pair (at end of document)"),
        ("[origin.a]\n", "o.toml: origin: unknown key (did you mean `origins`?)"),
        ("origins = 3\n", "o.toml: origins: expected a table, got a whole number (3)"),
        ("origins.a = 'u'\n", "o.toml: origins.a: expected a table, got text ('u')"),
        (
            "[origins.a]\nurl='https://h.invalid/'\n",
            "o.toml: origins.a.layout: this key is missing",
        ),
        ("[origins.a]\nlayout='flat'\n", "o.toml: origins.a.url: this key is missing"),
        (
            "[origins.a]\nurl=3\nlayout='flat'\n",
            "o.toml: origins.a.url: expected text, got a whole number (3)",
        ),
        (
            "[origins.a]\nurl='h.invalid'\nlayout='flat'\n",
            "o.toml: origins.a.url: expected an http(s) URL, got 'h.invalid'",
        ),
        (
            "[origins.a]\nurl='https://h.invalid/'\nlayout='warehose'\n",
            (
                "o.toml: origins.a.layout: expected one of warehouse, simple, pool, flat, snapshot, got text ('warehose'); "
                "did you mean 'warehouse'?"
            ),
        ),
        (
            "[origins.a]\nurl='https://h.invalid/'\nlayout='flat'\nlayuot='flat'\n",
            "o.toml: origins.a.layuot: unknown key (did you mean `layout`?)",
        ),
        (
            "[origins.a]\nurl='https://h.invalid/'\nlayout='flat'\ninsecure='yes'\n",
            "o.toml: origins.a.insecure: expected true or false, got text ('yes')",
        ),
        (
            "[origins.'A b']\nurl='https://h.invalid/'\nlayout='flat'\n",
            "o.toml: origins.A b: 'A b' is not an origin name",
        ),
        (
            "[mirrors]\n'https://a.invalid/' = 'https://b.invalid/'\n",
            'o.toml: mirrors."https://a.invalid/": expected a list, got text',
        ),
        (
            "[mirrors]\n'https://a.invalid/' = ['https://b.invalid/', 'b']\n",
            "o.toml: mirrors.\"https://a.invalid/\"[1]: expected an http(s) URL, got 'b'",
        ),
        ("[mirrors]\na = []\n", "o.toml: mirrors.\"a\": expected an http(s) URL, got 'a'"),
        ("[insecure]\nhosts = 'x'\n", "o.toml: insecure.hosts: expected a list, got text ('x')"),
        ("[insecure]\nhots = []\n", "o.toml: insecure.hots: unknown key (did you mean `hosts`?)"),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_origins(text, "o.toml")
    hint = f" ({caught.value.hint})" if "unknown key" in message else ""
    assert f"{caught.value}{hint}" == message


@pytest.mark.parametrize("length", [8, 80])
@pytest.mark.parametrize(
    "text",
    [
        "[mirrors]\n'https://a.invalid/' = 'https://user:{}@b.invalid/'\n",
        "[mirrors]\n'https://user:{}@a.invalid/' = 3\n",
        "[origins.a]\nurl = 'https://h.invalid/'\nlayout = 'https://user:{}@b.invalid/'\n",
        "'https://user:{}@b.invalid/' = 3\n",
    ],
)
def test_a_password_in_a_wrong_place_is_not_repeated(text: str, length: int) -> None:
    with pytest.raises(UsageError) as caught:
        parse_origins(text.format("p" * length), "o.toml")
    assert "ppp" not in f"{caught.value} {caught.value.hint}"


def _write(path: Path, *tables: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(tables))
    return path


def _origin(name: str, host: str, layout: str = "flat") -> str:
    return f'[origins.{name}]\nurl = "https://{host}.invalid/"\nlayout = "{layout}"\n'


def test_later_sources_win(tmp_path: Path) -> None:
    _write(tmp_path / "recipes/origins.toml", *(_origin(name, "project") for name in "abcd"))
    user = _write(tmp_path / "user.toml", *(_origin(name, "user") for name in "bcd"))
    _write(tmp_path / "origins.toml", *(_origin(name, "local", "pool") for name in "cd"))
    origins = load_origins(
        tmp_path, user_file=user, origin_options=["d=https://option.invalid", "pypi=https://p.invalid"]
    )
    assert [(o.name, o.url, o.layout) for o in origins.origins] == [
        ("a", "https://project.invalid/", "flat"),
        ("b", "https://user.invalid/", "flat"),
        ("c", "https://local.invalid/", "pool"),
        ("d", "https://option.invalid/", "pool"),
        ("pypi", "https://p.invalid/", "warehouse"),
    ]


def test_mirror_options_replace_and_keep_their_order(tmp_path: Path) -> None:
    user = _write(tmp_path / "user.toml", "[mirrors]\n'https://a.invalid/' = ['https://old.invalid/']\n")
    origins = load_origins(
        tmp_path,
        user_file=user,
        mirror_options=[
            "https://a.invalid=https://z.invalid/x=y/",
            "https://a.invalid/=http://127.0.0.1:8000",
        ],
    )
    assert origins.mirrors == (
        Mirror(prefix="https://a.invalid/", places=("https://z.invalid/x=y/", "http://127.0.0.1:8000/")),
    )


def test_no_files_at_all(tmp_path: Path) -> None:
    assert load_origins(tmp_path, user_file=tmp_path / "none").origins == ()


def test_layout_of_a_new_origin_on_the_command_line(tmp_path: Path) -> None:
    none = tmp_path / "none"
    origins = load_origins(tmp_path, user_file=none, origin_options=["nvidia=simple+https://n.invalid/"])
    assert origins.origin("nvidia").layout == "simple"
    with pytest.raises(UsageError) as caught:
        load_origins(tmp_path, user_file=none, origin_options=["nvidia=https://n.invalid/"])
    assert str(caught.value) == "--origin nvidia=https://n.invalid/: the layout of 'nvidia' is not known"
    assert "nvidia=LAYOUT+URL" in caught.value.hint


@pytest.mark.parametrize(
    "option", ["nvidia", "=https://a.invalid/", "pypi=", "pypi=ftp://a.invalid/", "pypi=http://a.invalid/"]
)
def test_bad_origin_options(tmp_path: Path, option: str) -> None:
    with pytest.raises(UsageError):
        load_origins(tmp_path, user_file=tmp_path / "none", origin_options=[option])


@pytest.mark.parametrize(
    "option",
    [
        "",
        "https://a.invalid/",
        "a=https://b.invalid/",
        "https://a.invalid/=b",
        "https://a.invalid/=http://b.invalid/",
    ],
)
def test_bad_mirror_options(tmp_path: Path, option: str) -> None:
    with pytest.raises(UsageError):
        load_origins(tmp_path, user_file=tmp_path / "none", mirror_options=[option])


def test_other_tools_configuration_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.setenv(name, "https://evil.invalid/")
    assert load_origins(tmp_path, user_file=tmp_path / "none").origins == ()


def test_user_file_is_our_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert user_origins_file() == tmp_path / "lockwright" / "origins.toml"
