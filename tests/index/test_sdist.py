from __future__ import annotations

import io
import tarfile
import zipfile

import pytest

from builder.errors import FetchError
from builder.index.sdist import read_sdist

STATIC = b"Metadata-Version: 2.2\nName: a\nVersion: 1\nRequires-Dist: b\nRequires-Dist: c\n"
DYNAMIC = b"Metadata-Version: 2.2\nName: a\nVersion: 1\nDynamic: requires-dist\n"
OLD = b"Metadata-Version: 2.1\nName: a\nVersion: 1\n"
STUB = b"""[build-system]
requires = ["wheel-stub"]
build-backend = "wheel_stub.buildapi"
[tool.wheel_stub]
index_url = "https://vendor.invalid/"
"""


def tar(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(
                "a-1/" + {"pyproject": "pyproject.toml", "info": "PKG-INFO"}.get(name, name)
            )
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


@pytest.mark.parametrize(("info", "static"), [(STATIC, True), (DYNAMIC, False), (OLD, False), (b"", False)])
def test_static_metadata(info: bytes, static: bool) -> None:
    facts = read_sdist("a-1.tar.gz", tar(info=info))
    assert (facts.static, facts.stub) == (static, False)


def test_stub() -> None:
    facts = read_sdist("a-1.tar.gz", tar(info=STATIC, pyproject=STUB))
    assert (facts.stub, facts.static, facts.bytes_at) == (True, False, "https://vendor.invalid/")


@pytest.mark.parametrize(
    "pyproject",
    [b"[build-system\n", b"\xff", b"a = " + b"[" * 100_000],
    ids=["malformed", "not UTF-8", "deep"],
)
def test_a_hostile_pyproject_is_an_error_that_a_message_can_do_without(pyproject: bytes) -> None:
    with pytest.raises(FetchError, match=r"a-1\.tar\.gz: pyproject\.toml: "):
        read_sdist("a-1.tar.gz", tar(info=STATIC, pyproject=pyproject))


@pytest.mark.parametrize("pyproject", [b"build-system = 3", b"tool = []", b"[build-system]\nrequires = [3]"])
def test_a_pyproject_of_another_shape_makes_no_stub(pyproject: bytes) -> None:
    facts = read_sdist("a-1.tar.gz", tar(info=STATIC, pyproject=pyproject))
    assert (facts.stub, facts.static) == (False, True)


def test_zip() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a-1/PKG-INFO", STATIC)
        archive.writestr("a-1/deep/PKG-INFO", DYNAMIC)
    assert read_sdist("a-1.zip", buffer.getvalue()).requires == ("b", "c")


def test_links_and_deep_files_are_not_read() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        link = tarfile.TarInfo("a-1/PKG-INFO")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        deep = tarfile.TarInfo("a-1/src/a.egg-info/PKG-INFO")
        deep.size = len(STATIC)
        archive.addfile(deep, io.BytesIO(STATIC))
    assert not read_sdist("a-1.tar", buffer.getvalue()).static
