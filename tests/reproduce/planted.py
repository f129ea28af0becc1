"""Planted differences: for each cause two versions of a file, as two builds would leave them."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
from dataclasses import dataclass
from typing import Any

from tests.oci.samples_oci import EPOCH, File


@dataclass(frozen=True, kw_only=True)
class Case:
    name: str
    causes: tuple[str, ...]
    first: File
    second: File
    harmless: bool = True
    detail: str = ""


def both(
    name: str, cause: str | tuple[str, ...], path: str, first: bytes, second: bytes, **rest: Any
) -> Case:
    causes = (cause,) if isinstance(cause, str) else cause
    return Case(
        name=name,
        causes=causes,
        first=File(path=path, data=first),
        second=File(path=path, data=second),
        **rest,
    )


def elf(build_id: bytes, body: bytes = b"code") -> bytes:
    note = struct.pack("<III", 4, len(build_id), 3) + b"GNU\0" + build_id
    return b"\x7fELF\2\1\1" + bytes(57) + note + body + bytes(64)


def ar(*members: tuple[str, bytes, int]) -> bytes:
    out = b"!<arch>\n"
    for name, data, mtime in members:
        header = f"{name + '/':<16}{mtime:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n"
        out += header.encode() + data + b"\n" * (len(data) % 2)
    return out


def tar(*members: tuple[str, bytes, int]) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, data, mtime in members:
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), mtime
            archive.addfile(info, io.BytesIO(data))
    return sink.getvalue()


def wheel(*members: tuple[str, bytes], second: int = 0) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name, (2026, 8, 28, 0, 0, second)), data)
    return sink.getvalue()


A, B = b"object a" * 9, b"object b" * 9
PYC = b"\xcb\x0d\x0d\x0a" + bytes(4)
DATED = b"\x7fELF\2\1\1\0" + bytes(90)

CASES = (
    both("date in a binary", "build-time", "opt/x/bin/tool", DATED + b"Nov 22 2026\0" + b"20:01:34\0",
         DATED + b"Nov 22 2026\0" + b"20:07:02\0"),
    both("seconds in a header", "build-time", "opt/x/include/config.h", b"#define BUILT 1787875200\n",
         b"#define BUILT 1787879999\n"),
    both("date and host in one line", ("build-time", "hostname"), "opt/x/share/built",
         b"built on buildkitsandbox at 2026-11-22T20:01:34Z\n", b"built on another-machine at 2026-11-23T01:00:09Z\n"),
    both("order in a static archive", "archive-order", "opt/x/lib/libx.a", ar(("a.o", A, 0), ("b.o", B, 0)),
         ar(("b.o", B, 0), ("a.o", A, 0))),
    both("times in a static archive", "archive-metadata", "opt/x/lib/liby.a", ar(("a.o", A, 1787875200)),
         ar(("a.o", A, 1787875260))),
    both("order in a tar", "archive-order", "opt/x/share/x.tar", tar(("a", A, 0), ("b", B, 0)),
         tar(("b", B, 0), ("a", A, 0))),
    both("times in a compressed tar", "archive-metadata", "opt/x/share/x.tar.gz",
         gzip.compress(tar(("a", A, 1)), mtime=0), gzip.compress(tar(("a", A, 2)), mtime=0)),
    both("time in a gzip header", "archive-metadata", "usr/share/man/man1/x.1.gz", gzip.compress(A, mtime=1),
         gzip.compress(A, mtime=2)),
    both("times in a wheel", "archive-metadata", "opt/x/x-1-py3-none-any.whl", wheel(("x.py", A), second=0),
         wheel(("x.py", A), second=2)),
    both("a date inside a member", "build-time", "opt/x/lib/libz.a", ar(("a.o", b"2026-11-22 20:01", 0)),
         ar(("a.o", b"2026-11-22 20:02", 0)), detail="in a.o"),
    both("compiled python", "bytecode", "opt/x/__pycache__/x.cpython-313.pyc", PYC + b"\1\2\3\4", PYC + b"\5\6\7\4"),
    both("a log", "log", "var/log/dpkg.log", b"2026-11-22 20:01:34 startup\n", b"2026-11-22 20:01:39 startup\n"),
    both("the linker's cache", "cache", "var/cache/ldconfig/aux-cache", b"glibc\1", b"glibc\2"),
    both("a package manager's cache", "cache", "opt/v/lib/x-1.dist-info/uv_cache.json", b'{"t":1}', b'{"t":2}'),
    both("host name", "hostname", "opt/x/share/host", b"buildkitsandbox\n", b"another-machine\n"),
    both("number of processors", "processors", "opt/x/share/flags", b"make -j2 all\n", b"make -j1 all\n"),
    both("order by parallel work", "line-order", "opt/x/share/list", b"c 1\na 1\nb 1\n", b"c 1\nb 1\na 1\n"),
    both("order of a locale", "locale-order", "opt/x/share/names", b"Bear\nZebra\nant\n", b"ant\nBear\nZebra\n"),
    both("order of keys", "key-order", "opt/x/share/x.json", b'{"a": 1, "b": [1, 2]}', b'{"b": [2, 1], "a": 1}'),
    both("build id", "build-id", "opt/x/lib/libx.so", elf(b"\1" * 20), elf(b"\2" * 20)),
    both("build id because of a date", ("build-id", "build-time"), "opt/x/lib/liby.so",
         elf(b"\1" * 20, b"Nov 22 2026"), elf(b"\2" * 20, b"Nov 23 2026")),
    both("temporary name", "temporary-name", "opt/x/lib/x.o", b"\0/tmp/ccAbC123.o\0", b"\0/tmp/ccZyX987.o\0"),
    both("day in the password file", "password-date", "etc/shadow", b"messagebus:!:20680:::::\n",
         b"messagebus:!:20681:::::\n"),
    both("machine id", "identity", "etc/machine-id", b"0" * 32, b"1" * 32, harmless=False),
    both("real change", "unknown", "opt/x/lib/code.so", b"return 1", b"return 2", harmless=False,
         detail="at byte 7"),
    Case(name="umask", causes=("umask",), harmless=False, first=File(path="opt/x/a", mode=0o644),
         second=File(path="opt/x/a", mode=0o664), detail="0644 and 0664"),
    Case(name="set-user-id is no umask", causes=("unknown",), harmless=False,
         first=File(path="opt/x/su", mode=0o755), second=File(path="opt/x/su", mode=0o4755)),
    Case(name="mtime", causes=("mtime",), first=File(path="opt/x/a", mtime=EPOCH),
         second=File(path="opt/x/a", mtime=EPOCH - 3)),
    Case(name="owner", causes=("owner",), harmless=False, first=File(path="opt/x/a", uid=0),
         second=File(path="opt/x/a", uid=1000)),
    Case(name="link", causes=("unknown",), harmless=False,
         first=File(path="opt/x/l", kind=tarfile.SYMTYPE, target="a"),
         second=File(path="opt/x/l", kind=tarfile.SYMTYPE, target="b")),
)  # fmt: skip
