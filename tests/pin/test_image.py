from __future__ import annotations

import hashlib
import os
import re
import shutil
import sqlite3
import struct
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from builder.errors import DigestMismatchError, FetchError, RecipeError, UsageError
from builder.origins.origins import Mirror, Origins
from builder.pin.image import pin_image
from tests.standin.registry import (
    LAYER,
    REPOSITORY,
    Registry,
    State,
    digest_of,
    layer,
    serve,
    status,
)

LAB = os.environ.get("LAB_REGISTRY", "127.0.0.1:5000")
"""The registry of `scripts/lab up`, which prints this variable."""


@pytest.fixture(params=["local", pytest.param("lab", marks=pytest.mark.lab)])
def registry(request: pytest.FixtureRequest) -> Iterator[Registry]:
    if request.param == "lab":
        # A repository of its own: tests may run side by side, and the registry outlives them.
        word = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
        yield Registry(host=LAB, repository=f"lockwright-test/{word}")
        return
    state = State(url="")
    server = serve(state)
    yield Registry(host=urlsplit(state.url).netloc, state=state)
    server.shutdown()
    server.server_close()


@pytest.fixture
def local() -> Iterator[Registry]:
    state = State(url="")
    server = serve(state)
    yield Registry(host=urlsplit(state.url).netloc, state=state)
    server.shutdown()
    server.server_close()


DATABASE = "var/lib/dpkg/status"

RECIPE = """\
name = "p"
family = "debian"

# the base
[[images.{arch}]]
name = "{name}"
tag = "13"
digest = "sha256:{zeros}"
evidence = "declared"
by = "somebody"
inventory-by = "somebody else"
inventory = ["old=1"]
# end
"""


def recipe(bench: Any, registry: Registry, arch: str = "x86_64", **changes: str) -> Path:
    text = RECIPE.format(arch=arch, name=changes.get("name", registry.image), zeros="0" * 64)
    for old, new in changes.items():
        text = text.replace(old, new) if old != "name" else text
    file: Path = bench.write("platforms/p.toml", text)
    return file


def row(file: Path, arch: str = "x86_64") -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(file.read_text())["images"][arch][0]
    return found


def test_a_tag_is_pinned_to_index_image_and_inventory(bench: Any, registry: Registry) -> None:
    amd64 = registry.push(
        "amd64",
        layer({"./var/": b"", "./var/lib/dpkg/status": status("a=1", "b=2-1")}),
        layer({DATABASE: status("b=2-2", "a=1", "c=3")}),
    )
    arm64 = registry.push("arm64", layer({DATABASE: status("a=1", arch="arm64")}))
    index = registry.index("13", arm64, amd64)
    file = recipe(bench, registry)

    assert pin_image(bench.context()) == 0

    assert row(file) == {
        "name": registry.image,
        "tag": "13",
        "digest": amd64["digest"],
        "index-digest": index,
        "evidence": "observed",
        "inventory": ["a=1", "b=2-2", "c=3"],
    }
    assert file.read_text().startswith('name = "p"\nfamily = "debian"\n\n# the base\n')
    assert file.read_text().endswith("\n# end\n")


def test_an_image_that_is_only_named_gets_its_digests(bench: Any, local: Registry) -> None:
    amd64 = local.push("amd64", layer({DATABASE: status("a=1")}))
    index = local.index("13", amd64)
    file = bench.write(
        "platforms/p.toml",
        f'name = "p"\nfamily = "debian"\n\n[[images.x86_64]]\nname = "{local.image}"\ntag = "13"\n',
    )
    with pytest.raises(RecipeError, match=r"images\.x86_64\[0\]\.digest: this key is missing"):
        pin_image(bench.context(), recorded=True)
    pin_image(bench.context())
    assert row(file) == {
        "name": local.image,
        "tag": "13",
        "digest": amd64["digest"],
        "index-digest": index,
        "evidence": "observed",
        "inventory": ["a=1"],
    }


def test_each_architecture_gets_its_own(bench: Any, registry: Registry) -> None:
    amd64 = registry.push("amd64", layer({DATABASE: status("a=1")}))
    arm64 = registry.push("arm64", layer({DATABASE: status("a=2", arch="arm64")}))
    registry.index("13", amd64, arm64)
    file = recipe(bench, registry, "aarch64")
    pin_image(bench.context(), "p")
    assert row(file, "aarch64")["digest"] == arm64["digest"]
    assert row(file, "aarch64")["inventory"] == ["a=2"]


def test_an_attestation_beside_the_images_is_no_image(bench: Any, local: Registry) -> None:
    amd64 = local.push("amd64", layer({DATABASE: status("a=1")}))
    other = local.push("amd64", layer({}))
    local.index("13", {**other, "platform": {"os": "unknown", "architecture": "unknown"}}, amd64)
    file = recipe(bench, local)
    pin_image(bench.context())
    assert row(file)["digest"] == amd64["digest"]


def test_a_tag_without_an_index(bench: Any, registry: Registry) -> None:
    amd64 = registry.push("amd64", layer({DATABASE: status("a=1")}), tag="13")
    file = recipe(bench, registry)
    pin_image(bench.context())
    assert row(file)["digest"] == amd64["digest"]
    assert "index-digest" not in row(file)


def test_a_single_image_of_another_architecture_is_refused(bench: Any, local: Registry) -> None:
    local.push("arm64", layer({DATABASE: status("a=1", arch="arm64")}), tag="13")
    recipe(bench, local)
    with pytest.raises(FetchError, match="is for arm64, not amd64"):
        pin_image(bench.context())


def test_an_index_without_the_architecture_says_what_it_has(bench: Any, local: Registry) -> None:
    local.index("13", local.push("amd64", layer({DATABASE: status("a=1")})))
    recipe(bench, local, "aarch64")
    with pytest.raises(FetchError, match="has 0 images for linux/arm64: linux/amd64"):
        pin_image(bench.context())


def test_recorded_digests_can_stay_while_the_tag_moves(bench: Any, local: Registry) -> None:
    old = local.push("amd64", layer({DATABASE: status("a=1")}), tag="13")
    local.push("amd64", layer({DATABASE: status("a=2")}), tag="13")
    file = recipe(bench, local, **{f"sha256:{'0' * 64}": old["digest"]})
    pin_image(bench.context(), recorded=True)
    assert row(file)["digest"] == old["digest"]
    assert row(file)["inventory"] == ["a=1"]
    assert row(file)["by"] == "somebody"
    assert row(file)["evidence"] == "observed"


def test_a_confirmed_inventory_keeps_its_author(bench: Any, local: Registry) -> None:
    local.push("amd64", layer({DATABASE: status("a=1")}), tag="13")
    file = recipe(bench, local, **{"old=1": "a=1"})
    pin_image(bench.context())
    assert row(file)["inventory-by"] == "somebody else"
    assert "by" not in row(file)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([{DATABASE: status("a=1")}, {"etc/x": b"1"}], ["a=1"]),
        ([{"var/lib/dpkg/status.d/a": status("a=1"), "var/lib/dpkg/status.d/a.md5sums": b"x"}], ["a=1"]),
        (
            [{"var/lib/dpkg/status.d/a": b"Package: a\nVersion: 1\nArchitecture: all\n"}],
            ["a=1"],
        ),
        (
            [
                {"var/lib/dpkg/status.d/a": status("a=1"), "var/lib/dpkg/status.d/b": status("b=1")},
                {"var/lib/dpkg/status.d/a": None},
            ],
            ["b=1"],
        ),
        (
            [
                {"var/lib/dpkg/status.d/a": status("a=1")},
                {"var/lib/dpkg/status.d/b": status("b=1"), "var/lib/dpkg/status.d/.wh..opq": None},
            ],
            ["b=1"],
        ),
        (
            [{DATABASE: status("a=1")}, {"var/lib/dpkg": None, "var/lib/dpkg/status.d/b": status("b=1")}],
            ["b=1"],
        ),
        ([{DATABASE: status("a=1")}, {"var": None, DATABASE: status("b=1")}], ["b=1"]),
        ([{DATABASE: status("a=1")}, {"var/lib/dpkg/status-old": None}], ["a=1"]),
    ],
    ids=["untouched", "parts", "distroless", "file", "opaque", "folder", "ancestor", "neighbour"],
)
def test_layers_hide_what_is_below(
    bench: Any, local: Registry, layers: list[dict[str, bytes | None]], expected: list[str]
) -> None:
    local.push("amd64", *map(layer, layers), tag="13")
    file = recipe(bench, local)
    pin_image(bench.context())
    assert row(file)["inventory"] == expected


def test_plain_layers_are_read(bench: Any, local: Registry) -> None:
    plain = layer({DATABASE: status("a=1")}, zipped=False)
    local.push("amd64", plain, tag="13", media_type=LAYER.removesuffix("+gzip"))
    file = recipe(bench, local)
    pin_image(bench.context())
    assert row(file)["inventory"] == ["a=1"]


@pytest.mark.parametrize(
    ("content", "media_type", "message"),
    [
        (layer({"etc/x": b""}), LAYER, "has no dpkg database in its layers"),
        (layer({DATABASE: status("a=1", arch="i386")}), LAYER, "has a of architecture i386"),
        (layer({DATABASE: status("a=1", state="half-configured")}), LAYER, "half-configured"),
        (layer({DATABASE: status("a=1")})[:60], LAYER, "is not a readable layer"),
        (b"\x28\xb5\x2f\xfd....", LAYER.replace("gzip", "zstd"), "is not a readable layer: .*zstd"),
        (b"x", "application/vnd.in-toto+json", "has a layer of type application/vnd.in-toto"),
        (layer({"var/lib/dpkg": b"no folder"}), LAYER, "has var/lib/dpkg but not as a"),
    ],
    ids=["no-database", "foreign", "half", "cut-off", "zstd", "type", "no-folder"],
)
def test_an_image_that_cannot_be_read_changes_nothing(
    bench: Any, local: Registry, content: bytes, media_type: str, message: str
) -> None:
    local.push("amd64", content, tag="13", media_type=media_type)
    file = recipe(bench, local)
    before = file.read_bytes()
    with pytest.raises(FetchError, match=message):
        pin_image(bench.context())
    assert file.read_bytes() == before


def test_a_blob_with_other_bytes_is_a_mismatch(bench: Any, local: Registry) -> None:
    content = layer({DATABASE: status("a=1")})
    local.push("amd64", content, tag="13")
    assert local.state is not None
    local.state.blobs[digest_of(content)] = content[:-1] + b"!"
    recipe(bench, local)
    with pytest.raises(DigestMismatchError):
        pin_image(bench.context())


def test_a_manifest_with_other_bytes_is_a_mismatch(bench: Any, local: Registry) -> None:
    amd64 = local.push("amd64", layer({DATABASE: status("a=1")}))
    local.index("13", amd64)
    assert local.state is not None
    media_type, body = local.state.manifests[amd64["digest"]]
    local.state.manifests[amd64["digest"]] = (media_type, body + b" ")
    recipe(bench, local)
    with pytest.raises(DigestMismatchError, match=f"expected {amd64['digest']}"):
        pin_image(bench.context())


def test_a_token_is_asked_for_as_the_registry_says(bench: Any, local: Registry) -> None:
    amd64 = local.push("amd64", layer({DATABASE: status("a=1")}), tag="13")
    assert local.state is not None
    local.state.token = "opaque.token"
    file = recipe(bench, local)
    pin_image(bench.context())
    assert row(file)["digest"] == amd64["digest"]
    assert local.state.asked == [{"service": ["test"], "scope": [f"repository:{REPOSITORY}:pull"]}]


def test_a_token_is_for_the_registry_alone(bench: Any, local: Registry) -> None:
    local.push("amd64", layer({DATABASE: status("a=1")}), tag="13")
    assert local.state is not None
    files = State(url="", blobs=local.state.blobs)
    server = serve(files)
    local.state.token, local.state.redirect = "opaque.token", files.url
    recipe(bench, local)
    pin_image(bench.context())
    server.shutdown()
    server.server_close()
    assert not files.leaked


def test_a_token_that_does_not_help_ends_it(bench: Any, local: Registry) -> None:
    local.push("amd64", layer({DATABASE: status("a=1")}), tag="13")
    assert local.state is not None
    local.state.token = "bad token"
    recipe(bench, local)
    with pytest.raises(FetchError, match="that is not a token"):
        pin_image(bench.context())


def test_a_mirror_stands_in_for_the_registry(bench: Any, local: Registry) -> None:
    local.push("amd64", layer({DATABASE: status("a=1")}), tag="13")
    bench.origins = Origins(
        mirrors=(Mirror(prefix="https://registry.invalid/", places=(f"http://{local.host}/",)),)
    )
    file = recipe(bench, local, name=f"registry.invalid/{REPOSITORY}")
    pin_image(bench.context())
    assert row(file)["inventory"] == ["a=1"]
    assert row(file)["name"] == f"registry.invalid/{REPOSITORY}"


RPM = {'family = "debian"': 'family = "rpm"'}
RPM_DATABASE = "var/lib/rpm/rpmdb.sqlite"


def rpm_header(**values: str | int) -> bytes:
    """A header as rpm keeps it in its database; see builder.pin.image_packages."""
    tags = {"name": 1000, "version": 1001, "release": 1002, "epoch": 1003, "summary": 1004, "arch": 1022}
    entries, data = b"", b""
    for word, value in sorted(values.items()):
        data += b"\0" * (-len(data) % 4)
        entries += struct.pack(">IIII", tags[word], 4 if isinstance(value, int) else 6, len(data), 1)
        data += struct.pack(">I", value) if isinstance(value, int) else value.encode() + b"\0"
    return struct.pack(">II", len(values), len(data)) + entries + data


def rpm_database(*headers: bytes) -> bytes:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
        database.executemany("INSERT INTO Packages (blob) VALUES (?)", [(header,) for header in headers])
        database.commit()
        return database.serialize()


BASH = rpm_header(name="bash", version="5.2", release="1.el9", arch="x86_64", summary="a shell")
DBUS = rpm_header(name="dbus", epoch=1, version="1.12", release="8.el9", arch="noarch")
KEYS = [rpm_header(name="gpg-pubkey", version=version, release="1") for version in ("a", "b")]


@pytest.mark.parametrize("path", [RPM_DATABASE, "usr/lib/sysimage/rpm/rpmdb.sqlite"])
def test_an_rpm_inventory_is_read_and_replaces_the_old_one(bench: Any, local: Registry, path: str) -> None:
    """Before, the digest was bound again and the old inventory stayed, as `observed`."""
    below = rpm_database(rpm_header(name="old", version="0", release="1", arch="x86_64"))
    top = rpm_database(DBUS, BASH, *KEYS)
    amd64 = local.push("amd64", layer({path: below}), layer({path: top}), tag="13")
    file = recipe(bench, local, **RPM)
    pin_image(bench.context())
    found = row(file)
    assert (found["digest"], found["evidence"]) == (amd64["digest"], "observed")
    assert found["inventory"] == ["bash=5.2-1.el9", "dbus=1:1.12-8.el9"]
    assert "inventory-by" not in found


@pytest.mark.skipif(shutil.which("rpmbuild") is None, reason="needs rpm and rpmbuild")
def test_a_database_of_rpm_itself_is_read(bench: Any, local: Registry, tmp_path: Path) -> None:
    (tmp_path / "thing.spec").write_text(
        "Name: thing\nEpoch: 2\nVersion: 1.0\nRelease: 3\nSummary: x\nLicense: MIT\nBuildArch: noarch\n"
        "%description\nx\n%files\n"
    )
    words = ["rpmbuild", "-bb", "--quiet", "--define", f"_topdir {tmp_path}", str(tmp_path / "thing.spec")]
    subprocess.run(words, check=True, capture_output=True)
    (package,) = (tmp_path / "RPMS").rglob("*.rpm")
    database = tmp_path / "db"
    words = ["rpm", "--dbpath", str(database), "-i", "--justdb", "--nodeps", "--define", "_db_backend sqlite"]
    subprocess.run([*words, str(package)], check=True, capture_output=True)
    files = {f"var/lib/rpm/{path.name}": path.read_bytes() for path in database.iterdir() if path.is_file()}
    assert RPM_DATABASE in files
    local.push("amd64", layer(dict(files)), tag="13")
    file = recipe(bench, local, **RPM)
    pin_image(bench.context())
    assert row(file)["inventory"] == ["thing=2:1.0-3"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"etc/x": b""}, "has no RPM database in its layers"),
        ({"var/lib/rpm/Packages": b"x"}, "has an RPM database of format Berkeley DB, not SQLite"),
        ({"usr/lib/sysimage/rpm/Packages.db": b"x"}, "of format ndb"),
        ({RPM_DATABASE: b"x"}, "has an RPM database that cannot be read"),
        ({RPM_DATABASE: rpm_database()}, "has no package in its RPM database"),
        ({RPM_DATABASE: rpm_database(BASH[:-1])}, "has an RPM header of another length than it says"),
        ({RPM_DATABASE: rpm_database(b"x")}, "has an RPM header that cannot be read"),
        ({RPM_DATABASE: rpm_database(BASH, BASH)}, "has bash in two versions"),
        (
            {RPM_DATABASE: rpm_database(rpm_header(name="a", version="1", release="1", arch="i686"))},
            "has a of architecture i686",
        ),
        (
            {RPM_DATABASE: rpm_database(rpm_header(name="a", version="1"))},
            "without name, version or release: a",
        ),
    ],
)
def test_an_rpm_database_that_cannot_be_read_changes_nothing(
    bench: Any, local: Registry, files: dict[str, bytes | None], message: str
) -> None:
    local.push("amd64", layer(files), tag="13")
    file = recipe(bench, local, **RPM)
    before = file.read_bytes()
    with pytest.raises(FetchError, match=message):
        pin_image(bench.context())
    assert file.read_bytes() == before


def test_a_family_is_that_of_the_platform_that_is_extended(bench: Any, local: Registry) -> None:
    local.push("amd64", layer({RPM_DATABASE: rpm_database(BASH)}), tag="13")
    bench.write("platforms/base.toml", 'name = "base"\nfamily = "rpm"\n')
    file = recipe(bench, local, **{'family = "debian"': 'extends = "base"'})
    pin_image(bench.context(), "p")
    assert row(file)["inventory"] == ["bash=5.2-1.el9"]


METADATA = b"Metadata-Version: 2.1\nName: %b\nVersion: %b\n\nlong\nVersion: 9\n"
PYTHON = {'family = "debian"': 'family = "debian"\npython = "3.12"\nimage-python = true'}
SYSTEM, LOCAL = "usr/lib/python3/dist-packages", "usr/local/lib/python3.12/dist-packages"


def test_python_distributions_are_read_as_the_interpreter_finds_them(bench: Any, local: Registry) -> None:
    local.push(
        "amd64",
        layer(
            {
                DATABASE: status("a=1"),
                f"{SYSTEM}/six-1.0.dist-info/METADATA": METADATA % (b"six", b"1.0"),
                f"{SYSTEM}/old-1.egg-info": METADATA % (b"old", b"1"),
                f"{LOCAL}/gone-1.dist-info/METADATA": METADATA % (b"gone", b"1"),
                "opt/venv/lib/python3.12/site-packages/x-1.dist-info/METADATA": METADATA % (b"x", b"1"),
            }
        ),
        layer(
            {
                f"{LOCAL}/six-1.1.dist-info/METADATA": METADATA % (b"six", b"1.1"),
                f"{LOCAL}/Big_Thing-2.dist-info/METADATA": METADATA % (b"Big_Thing", b"2+cu130"),
                f"{LOCAL}/gone-1.dist-info": None,
            }
        ),
        tag="13",
    )
    file = recipe(bench, local, **PYTHON)
    pin_image(bench.context())
    assert row(file)["python"] == ["big-thing==2+cu130", "old==1", "six==1.1"]
    assert row(file)["python-by"].startswith("pin image")
    assert "opt/venv/lib/python3.12/site-packages" in bench.err.getvalue()


def test_an_image_without_the_python_of_its_platform_changes_nothing(bench: Any, local: Registry) -> None:
    other = {DATABASE: status("a=1"), "usr/lib/python3.9/site-packages/x-1.egg-info": METADATA % (b"x", b"1")}
    local.push("amd64", layer(dict(other)), tag="13")
    file = recipe(bench, local, **PYTHON)
    before = file.read_bytes()
    with pytest.raises(FetchError, match=r"has no distributions of Python 3\.12 in its layers"):
        pin_image(bench.context())
    assert file.read_bytes() == before


def test_python_of_an_image_is_listed_only_where_the_platform_uses_it(bench: Any, local: Registry) -> None:
    files = {DATABASE: status("a=1"), f"{SYSTEM}/x-1.egg-info": METADATA % (b"x", b"1")}
    local.push("amd64", layer(dict(files)), tag="13")
    file = recipe(bench, local)
    pin_image(bench.context())
    assert "python" not in row(file)


def test_a_tag_that_is_not_there(bench: Any, local: Registry) -> None:
    recipe(bench, local)
    with pytest.raises(FetchError, match=r"manifests/13: HTTP 404"):
        pin_image(bench.context())


@pytest.mark.parametrize("name", ["debian", "library/debian", "docker.io/Library/Debian"])
def test_a_name_without_its_registry_is_refused(bench: Any, local: Registry, name: str) -> None:
    recipe(bench, local, name=name)
    with pytest.raises(RecipeError, match=re.escape(f"{name!r} is not an image name with its registry")):
        pin_image(bench.context())


def test_dry_run_writes_nothing(bench: Any, local: Registry) -> None:
    local.push("amd64", layer({DATABASE: status("a=1")}), tag="13")
    file = recipe(bench, local)
    before = file.read_bytes()
    pin_image(bench.context(dry_run=True))
    assert file.read_bytes() == before
    assert "inventory" in bench.out.getvalue()


def test_a_platform_without_images(bench: Any) -> None:
    bench.write("platforms/p.toml", 'name = "p"\n')
    with pytest.raises(UsageError, match="no published images"):
        pin_image(bench.context())
