"""ELF files of a few hundred bytes: a header, one segment with everything, and a dynamic section."""

from __future__ import annotations

import struct
from pathlib import Path

X86_64, AARCH64 = 62, 183


def elf(
    *,
    needed: tuple[str, ...] = (),
    soname: str = "",
    runpath: str = "",
    texts: tuple[str, ...] = (),
    machine: int = X86_64,
) -> bytes:
    """Return a 64-bit shared object with this dynamic section; `texts` are strings that its code would use."""
    strings = b"\0"
    entries = []
    for tag, names in ((1, needed), (14, (soname,) if soname else ()), (29, (runpath,) if runpath else ())):
        for name in names:
            entries.append((tag, len(strings)))
            strings += name.encode() + b"\0"
    read_only = b"".join(b"\0" + text.encode() + b"\0" for text in texts)
    table = 64 + 2 * 56
    dynamic = table + len(strings) + len(read_only)
    rows = [*entries, (5, table), (0, 0)]
    body = b"".join(struct.pack("<qQ", *row) for row in rows)
    size = dynamic + len(body)
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, 2, 64, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, size, size, 4096)
    section = struct.pack("<IIQQQQQQ", 2, 6, dynamic, dynamic, dynamic, len(body), len(body), 8)
    return header + load + section + strings + read_only + body


def write(root: Path, path: str, data: bytes) -> None:
    """Write a file of an image below `root`."""
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)


def linker_cache(entries: dict[str, str]) -> bytes:
    """Return an ld.so.cache of glibc's format, name to path."""
    header = 48 + 24 * len(entries)
    rows, strings = b"", b""
    for name, path in entries.items():
        places = []
        for text in (name, path):
            places.append(header + len(strings))
            strings += text.encode() + b"\0"
        rows += struct.pack("<iIIIQ", 0x0303, places[0], places[1], 0, 0)
    return (
        b"glibc-ld.so.cache1.1" + struct.pack("<II", len(entries), len(strings)) + bytes(20) + rows + strings
    )
