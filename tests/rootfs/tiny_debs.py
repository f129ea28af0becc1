"""Packages of a few files, written byte by byte, so that they can hold what dpkg-deb would refuse."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

from builder.rootfs.deb import LockedDeb

WHEN = 1_700_000_000
PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".xz": lzma.compress,
}


def member(
    name: str,
    data: bytes | None = None,
    *,
    mode: int | None = None,
    owner: tuple[int, int] = (0, 0),
    when: int = WHEN,
    link: str = "",
    hard: str = "",
    kind: bytes = b"",
) -> tuple[tarfile.TarInfo, bytes]:
    """Return a member: a directory without `data`, a link with `link`, a hard link with `hard`."""
    info = tarfile.TarInfo(name)
    info.type = tarfile.DIRTYPE if data is None else tarfile.REGTYPE
    info.mode = mode if mode is not None else (0o755 if data is None else 0o644)
    info.uid, info.gid, info.mtime = owner[0], owner[1], when
    info.size = len(data or b"")
    if link or hard:
        info.type, info.linkname, info.size = tarfile.SYMTYPE if link else tarfile.LNKTYPE, link or hard, 0
        info.mode = 0o777 if link else info.mode
    info.type = kind or info.type
    return info, data or b""


def tar(members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """Return a tar as dpkg-deb writes it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return out.getvalue()


def archive(parts: Iterable[tuple[str, bytes]]) -> bytes:
    """Return an ar archive."""
    out = [b"!<arch>\n"]
    for name, data in parts:
        out.append(f"{name:<16}{WHEN:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode() + data)
        out.append(b"\n" * (len(data) % 2))
    return b"".join(out)


def parents(names: Iterable[str]) -> list[tuple[tarfile.TarInfo, bytes]]:
    """Return the directories above some names, each once, the root first."""
    found = {"./": None}
    for name in names:
        parts = name.split("/")
        found |= {"/".join(parts[:depth]) + "/": None for depth in range(2, len(parts))}
    return [member(name) for name in found]


def deb(
    folder: Path,
    name: str,
    members: Iterable[tuple[tarfile.TarInfo, bytes]] = (),
    *,
    version: str = "1.0",
    arch: str = "amd64",
    fields: str = "",
    control: dict[str, str] | None = None,
    pack: str = ".xz",
    claims: str = "",
    above: bool = True,
) -> LockedDeb:
    """Write a package into `folder`; directories that members need and nobody lists are added, unless not `above`."""
    listed = list(members)
    given = {info.name.rstrip("/") for info, _ in listed}
    needed = [
        entry for entry in parents(info.name for info, _ in listed) if entry[0].name.rstrip("/") not in given
    ]
    whole = (needed if above else []) + listed
    sums = "".join(
        f"{hashlib.md5(data).hexdigest()}  {info.name[2:]}\n" for info, data in whole if info.isreg()
    )
    stanza = (
        f"Package: {claims or name}\nVersion: {version}\nArchitecture: {arch}\n"
        f"Maintainer: A <a@example.invalid>\n{fields}Description: tiny\n more of it\n"
    )
    files = {"control": stanza, "md5sums": sums, **(control or {})}
    scripts = ("preinst", "postinst", "prerm", "postrm")
    parts = [
        member(f"./{file}", text.encode(), mode=0o755 if file in scripts else 0o644)
        for file, text in files.items()
    ]
    path = folder / f"{name}_{version}_{arch}.deb"
    path.write_bytes(
        archive(
            (
                ("debian-binary", b"2.0\n"),
                ("control.tar.gz", PACK[".gz"](tar([member("./"), *parts]))),
                (f"data.tar{pack}", PACK[pack](tar(whole))),
            )
        )
    )
    return LockedDeb(name=name, version=version, arch=arch, path=path)
