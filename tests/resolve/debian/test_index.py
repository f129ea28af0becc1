from __future__ import annotations

import gzip
import lzma
from typing import TYPE_CHECKING

import pytest
from debian.deb822 import Packages

from builder.errors import FetchError
from builder.resolve.debian.index import parse_packages, parse_status, unpack

if TYPE_CHECKING:
    from collections.abc import Callable

    Text = Callable[..., bytes]

FULL = b"""\
Package: libx
Source: x (1.2)
Version: 1.2+b1
Architecture: amd64
Multi-Arch: same
Essential: yes
Important: yes
Priority: Required
Section: libs
Pre-Depends: a (>= 1)
Depends: b | c,
 d
Description: one line
 and a continuation: that looks like a field
Conflicts: e
Breaks: f (<< 2)
Replaces: g
Recommends: h
Suggests: i
Enhances: j
Provides: k (= 1)
Filename: pool/x.deb
Size: 12
SHA256: 00000000000000000000000000000000000000000000000000000000000000aa
"""


def test_every_field_is_read() -> None:
    (stanza,) = parse_packages(FULL, place="test")
    assert {name: getattr(stanza, name) for name in stanza.__slots__} == {
        "name": "libx",
        "version": "1.2+b1",
        "arch": "amd64",
        "multi_arch": "same",
        "essential": True,
        "protected": True,
        "priority": "required",
        "section": "libs",
        "source": "x",
        "source_version": "1.2",
        "pre_depends": "a (>= 1)",
        "depends": "b | c,\n d",
        "conflicts": "e",
        "breaks": "f (<< 2)",
        "recommends": "h",
        "suggests": "i",
        "replaces": "g",
        "enhances": "j",
        "provides": "k (= 1)",
        "filename": "pool/x.deb",
        "size": 12,
        "sha256": "00000000000000000000000000000000000000000000000000000000000000aa",
    }


def test_the_reader_agrees_with_python_debian(packages: Text) -> None:
    data = FULL + b"\n" + packages("a", "b 2; Depends: a,\n libx:any")
    ours = parse_packages(data, place="test")
    theirs = list(Packages.iter_paragraphs(data.decode().splitlines(), use_apt_pkg=False))
    assert [(s.name, s.version, s.depends, s.provides) for s in ours] == [
        (p["Package"], p["Version"], p.get("Depends", ""), p.get("Provides", "")) for p in theirs
    ]


def test_source_defaults_to_the_package(packages: Text) -> None:
    (stanza,) = parse_packages(packages("a 3"), place="test")
    assert (stanza.source, stanza.source_version) == ("a", "3")


@pytest.mark.parametrize("pack", [lzma.compress, gzip.compress, bytes])
def test_compression_is_told_by_the_bytes(packages: Text, pack: Callable[[bytes], bytes]) -> None:
    (stanza,) = parse_packages(pack(packages("a")), place="test")
    assert stanza.name == "a"


@pytest.mark.parametrize("pack", [lzma.compress, gzip.compress])
def test_a_truncated_stream_is_refused(packages: Text, pack: Callable[[bytes], bytes]) -> None:
    data = pack(packages(*(f"a{number}" for number in range(50))))
    with pytest.raises(FetchError, match=r"suite/Packages: the compressed index is cut off or damaged"):
        unpack(data[: len(data) // 2], place="suite/Packages")


def test_a_damaged_stream_is_refused(packages: Text) -> None:
    data = bytearray(gzip.compress(packages("a")))
    data[12] ^= 0xFF
    with pytest.raises(FetchError, match=r"cut off or damaged"):
        unpack(bytes(data), place="test")


def test_a_truncated_plain_index_is_refused(packages: Text) -> None:
    data = packages("a", "b")
    cut = data[: data.rindex(b"Size:")]
    with pytest.raises(FetchError, match=r"suite/Packages: the stanza of b has no Size and no SHA256"):
        parse_packages(cut, place="suite/Packages")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"Package: a\n", b"", "the stanza of an unnamed package has no Package"),
        (b"Version: 1\n", b"", "the stanza of a has no Version"),
        (b"Size: 10", b"Size: ten", "the stanza of a has a malformed Size or SHA256"),
        (b"Size: 10", "Size: \u0661".encode(), "malformed Size or SHA256"),
        (b"SHA256: 0", b"SHA256: g", "malformed Size or SHA256"),
        (b"Size: 10", b"<html>\nSize: 10", "line 5 is neither a field nor its continuation: '<html>'"),
        (b"Size", b"\xff\xfe", "the index is not UTF-8"),
    ],
)
def test_a_malformed_index_is_refused(packages: Text, old: bytes, new: bytes, message: str) -> None:
    data = packages("a").replace(old, new)
    with pytest.raises(FetchError, match=message) as caught:
        parse_packages(data, place="suite/Packages")
    assert caught.value.place == "suite/Packages"


@pytest.mark.parametrize("data", [b"", b"\n", b"\n\n\n"])
def test_an_empty_index_is_empty(data: bytes) -> None:
    assert parse_packages(data, place="test") == ()


STATUS = b"""\
Package: a
Status: install ok installed
Version: 1
Architecture: amd64

Package: gone
Status: deinstall ok config-files
Version: 1
Architecture: amd64
"""


def test_a_status_file_lists_what_is_installed() -> None:
    assert [(s.name, s.version, s.filename, s.size) for s in parse_status(STATUS, place="test")] == [
        ("a", "1", "", 0)
    ]


def test_a_half_configured_package_is_refused() -> None:
    data = STATUS.replace(b"ok installed", b"ok half-configured")
    with pytest.raises(FetchError, match=r"package a has the status 'install ok half-configured'"):
        parse_status(data, place="test")
