"""Metadata files: unpacked within the size that the signed repomd.xml states, and free of declarations."""

from __future__ import annotations

import bz2
import lzma
import zlib
from typing import TYPE_CHECKING, Protocol

from builder.errors import FetchError

if TYPE_CHECKING:
    from builder.resolve.rpm.repomd import IndexFile

__all__ = ["text_of"]

_MOST_BYTES = 2_000_000_000
_DECLARATIONS = (b"<!DOCTYPE", b"<!ENTITY", b"<!doctype", b"<!entity")


class _Unpacker(Protocol):
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def text_of(data: bytes, entry: IndexFile, *, place: str) -> bytes:
    """Return the XML text of a metadata file: plain, gzip, xz or bzip2.

    Raises FetchError, with `place`, for a file that is cut off, unpacks to
    another size than stated, is not UTF-8, or declares a document type or
    entities: metadata has neither, and only an attack would.
    """
    if entry.open_size > _MOST_BYTES:
        raise FetchError(f"{entry.open_size} bytes are too many for an index", place=place)
    text = _unpacked(data, entry.open_size + 1, place)
    if len(text) != entry.open_size:
        more = "more than " if len(text) > entry.open_size else ""
        stated = entry.open_size
        raise FetchError(
            f"it unpacks to {more}{min(len(text), stated)} bytes, repomd.xml says {stated}", place=place
        )
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FetchError(f"byte {error.start} is not UTF-8", place=place) from None
    if b"\0" in text or any(word in text for word in _DECLARATIONS):
        raise FetchError("it declares a document type or entities, which metadata must not have", place=place)
    return text


def _unpacked(data: bytes, most: int, place: str) -> bytes:
    unpacker: _Unpacker
    if data.startswith(b"\x1f\x8b"):
        unpacker = zlib.decompressobj(wbits=31)
    elif data.startswith(b"\xfd7zXZ\x00"):
        unpacker = lzma.LZMADecompressor(format=lzma.FORMAT_XZ)
    elif data.startswith(b"BZh"):
        unpacker = bz2.BZ2Decompressor()
    elif data.lstrip().startswith(b"<"):
        return data
    else:
        raise FetchError(
            "it is packed in a form that is not read: gzip, xz, bzip2 and plain XML are",
            place=place,
            hint="ask the repository for one of these (createrepo_c --general-compress-type=gz)",
        )
    try:
        text = unpacker.decompress(data, most)
    except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
        raise FetchError(f"it is cut off or damaged ({error})", place=place, hint="fetch it again") from None
    return text
