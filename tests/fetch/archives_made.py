"""Archives of the same things, made differently."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping

FILES = {
    "ucx-1.0/configure": b"#!/bin/sh\n",
    "ucx-1.0/src/a.c": b"int a;\n" * 900,
    "ucx-1.0/src/b.c": b"int b;\n",
}


def tar(
    files: Mapping[str, bytes] = FILES, *, time: int = 1, owner: int = 0, mode: int = 0o644, link: str = ""
) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.uid, member.mode = len(data), time, owner, mode
            archive.addfile(member, io.BytesIO(data))
        if link:
            member = tarfile.TarInfo("ucx-1.0/link")
            member.type, member.linkname, member.mtime = tarfile.SYMTYPE, link, time
            archive.addfile(member)
    return buffer.getvalue()


def packed(data: bytes, packing: str, level: int = 9) -> bytes:
    if packing == "gz":
        return gzip.compress(data, compresslevel=level, mtime=0)
    if packing == "bz2":
        return bz2.compress(data, level)
    if packing == "xz":
        return lzma.compress(data, preset=level)
    if packing == "zst":
        argv = ["zstd", "--stdout", "--quiet", f"-{level}"]
        return subprocess.run(argv, input=data, stdout=subprocess.PIPE, check=True).stdout
    return data


def wheel(
    files: Mapping[str, bytes] = FILES, *, year: int = 2020, level: int = 9, stored: bool = False
) -> bytes:
    buffer = io.BytesIO()
    kind = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(buffer, "w", kind, compresslevel=level) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0)), data, kind, level)
    return buffer.getvalue()
