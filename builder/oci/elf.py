"""The dynamic section of an ELF file: which libraries an object needs, and where it looks for them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO

from builder.model import ElfObject

__all__ = ["ELF_MAGIC", "read_elf"]

ELF_MAGIC = b"\x7fELF\x02\x01"
"""Of a 64-bit little-endian file, which all architectures of locks have."""

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NULL, _DT_NEEDED, _DT_STRTAB, _DT_RPATH, _DT_RUNPATH = 0, 1, 5, 15, 29
_ET_EXEC, _ET_DYN = 2, 3
_MOST_HEADERS, _MOST_ENTRIES, _LONGEST = 1024, 16384, 4096


def read_elf(file: IO[bytes]) -> ElfObject | None:
    """Return what the dynamic section of a program or shared object says; None for any other file.

    A damaged file is none that the dynamic linker would load, so it is None too. Reads at most 1,024 program
    headers, 16,384 entries of the section and 4,096 bytes of a name.
    """
    try:
        return _read_object(file)
    except (struct.error, ValueError, OverflowError):
        return None


def _read_object(file: IO[bytes]) -> ElfObject | None:
    header = _bytes_at(file, 0, 64)
    if not header.startswith(ELF_MAGIC):
        return None
    kind, machine = struct.unpack_from("<HH", header, 16)
    (start,) = struct.unpack_from("<Q", header, 32)
    size, count = struct.unpack_from("<HH", header, 54)
    if kind not in (_ET_EXEC, _ET_DYN) or count > _MOST_HEADERS or size < struct.calcsize("<IIQQQQQQ"):
        return None
    headers = _bytes_at(file, start, size * count)
    loads, dynamic, interpreter = [], (0, 0), ""
    for index in range(count):
        what, _, offset, address, _, length, _, _ = struct.unpack_from("<IIQQQQQQ", headers, index * size)
        if what == _PT_LOAD:
            loads.append((address, offset, length))
        elif what == _PT_DYNAMIC:
            dynamic = (offset, length)
        elif what == _PT_INTERP:
            interpreter = _text_at(file, offset)
    entries = list(_dynamic_entries(file, *dynamic))
    table = next((value for tag, value in entries if tag == _DT_STRTAB), 0)
    strings = next((o + table - a for a, o, length in loads if a <= table < a + length), 0)
    texts = {
        wanted: tuple(_text_at(file, strings + value) for tag, value in entries if tag == wanted)
        for wanted in (_DT_NEEDED, _DT_RUNPATH, _DT_RPATH)
    }
    paths = texts[_DT_RUNPATH] or texts[_DT_RPATH]
    return ElfObject(
        machine=machine,
        needed=texts[_DT_NEEDED],
        folders=tuple(folder for path in paths for folder in path.split(":") if folder),
        interpreter=interpreter,
    )


def _bytes_at(file: IO[bytes], offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


def _text_at(file: IO[bytes], offset: int) -> str:
    data = _bytes_at(file, offset, _LONGEST)
    return data[: data.index(b"\0")].decode("utf-8", "backslashreplace")


def _dynamic_entries(file: IO[bytes], offset: int, size: int) -> Iterator[tuple[int, int]]:
    if size > 16 * _MOST_ENTRIES:
        raise ValueError("a dynamic section of more entries than any object needs")
    data = _bytes_at(file, offset, size)
    for start in range(0, size, 16):
        tag, value = struct.unpack_from("<qQ", data, start)
        if tag == _DT_NULL:
            return
        yield tag, value
