"""Signed repository metadata: repomd.xml, and the files whose digests it vouches for.

repomd.xml says who signed it and of when it is. Its files are unpacked within
the size that it states, and neither may declare a document type or entities.
"""

from __future__ import annotations

import bz2
import hashlib
import lzma
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol
from xml.parsers import expat

from builder.errors import FetchError
from builder.openpgp import certificates, verify_detached
from builder.resolve.os import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["RepodataFile", "Repomd", "check_moment", "read_repomd", "repodata_text"]

_REFETCH = "fetch repomd.xml and repomd.xml.asc again, if necessary from another mirror"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"[0-9]{1,12}")
_MOST_BYTES = 4_000_000
_MOST_INDEX_BYTES = 2_000_000_000
_DECLARATIONS = (b"<!DOCTYPE", b"<!ENTITY", b"<!doctype", b"<!entity")
_WANTED = ("primary", "filelists")
_NAMESPACE = "http://linux.duke.edu/metadata/repo"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepodataFile:
    """One metadata file: its path below the repository, its digest, and its sizes in bytes."""

    path: str
    sha256: str
    size: int
    open_size: int
    """Once it is unpacked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repomd:
    """What a signed repomd.xml says.

    `date` is the newest time stamp of its files, in UTC; `signers` are the
    fingerprints of the keyring's certificates that signed it, sorted.
    """

    place: str
    revision: str
    date: datetime
    primary: RepodataFile
    filelists: RepodataFile
    signers: tuple[str, ...]
    sha256: str

    @property
    def files(self) -> tuple[RepodataFile, RepodataFile]:
        """The metadata files that packages are chosen from."""
        return self.primary, self.filelists


def read_repomd(data: bytes, signature: bytes, keyring: Iterable[bytes], *, place: str) -> Repomd:
    """Verify repomd.xml against its detached signature and certificates, and parse it.

    One good signature by a certificate of `keyring` is enough. Raises
    DigestMismatchError when there is none; FetchError when the file declares
    entities, is cut off, or lacks what a repository needs.
    """
    signers = verify_detached(data, signature, certificates(keyring, place=place), place=place, hint=_REFETCH)
    return _parsed_repomd(data, signers=signers, place=place)


def check_moment(repomd: Repomd, at: datetime) -> None:
    """Raise FetchError when `repomd` is of later than `at`, which must be aware."""
    if repomd.date > at:
        raise FetchError(
            f"the metadata is of {utc_text(repomd.date)}, later than {utc_text(at)}",
            place=repomd.place,
            hint="pin it again with `python -m builder pin repositories`",
        )


class _RepomdReader:
    """The few elements of repomd.xml that matter, gathered by expat; declarations are refused."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.path: list[str] = []
        self.text = ""
        self.revision = ""
        self.kind = ""
        self.files: dict[str, dict[str, str]] = {}
        self.stamps: list[str] = []

    def read(self, data: bytes) -> None:
        parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        parser.StartDoctypeDeclHandler = self._refuse_declaration
        parser.EntityDeclHandler = self._refuse_declaration
        parser.StartElementHandler = self._start_element
        parser.EndElementHandler = self._end_element
        parser.CharacterDataHandler = self._add_text
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            raise FetchError(f"it is not well-formed XML: {error}", place=self.place, hint=_REFETCH) from None

    def _refuse_declaration(self, *_: object) -> None:
        raise FetchError(
            "it declares a document type or entities, which metadata must not have", place=self.place
        )

    def _start_element(self, name: str, attributes: Mapping[str, str]) -> None:
        namespace, _, word = name.rpartition(" ")
        self.path.append(word if namespace == _NAMESPACE else "")
        self.text = ""
        where = "/".join(self.path)
        if where == "repomd/data":
            self.kind = attributes.get("type", "")
            if self.kind in self.files:
                raise FetchError(f"it lists {self.kind[:40]!a} twice", place=self.place, hint=_REFETCH)
            self.files[self.kind] = {}
        elif where == "repomd/data/location":
            if "xml:base" in attributes or "http://www.w3.org/XML/1998/namespace base" in attributes:
                raise FetchError("its files have a base elsewhere, which is not followed", place=self.place)
            self.files[self.kind]["path"] = attributes.get("href", "")
        elif where == "repomd/data/checksum" and attributes.get("type") != "sha256":
            kind = attributes.get("type", "")
            self.files[self.kind]["refused"] = f"a checksum of type {kind[:40]!a}, not sha256"

    def _end_element(self, _: str) -> None:
        where, text = "/".join(self.path), self.text.strip()
        if where == "repomd/revision":
            self.revision = text
        elif where == "repomd/data/timestamp":
            self.stamps.append(text)
        elif where.startswith("repomd/data/") and self.path[-1] in {"checksum", "size", "open-size"}:
            self.files[self.kind][self.path[-1]] = text
        self.path.pop()
        self.text = ""

    def _add_text(self, text: str) -> None:
        self.text += text


def _parsed_repomd(data: bytes, *, signers: tuple[str, ...], place: str) -> Repomd:
    if len(data) > _MOST_BYTES:
        raise FetchError(f"{len(data)} bytes are too many for repomd.xml", place=place)
    reader = _RepomdReader(place)
    reader.read(data)
    primary, filelists = (_repodata_file(kind, reader.files.get(kind), place) for kind in _WANTED)
    return Repomd(
        place=place,
        revision=reader.revision,
        date=_newest_stamp(reader.stamps, place),
        primary=primary,
        filelists=filelists,
        signers=signers,
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _repodata_file(kind: str, fields: Mapping[str, str] | None, place: str) -> RepodataFile:
    if fields is None:
        raise FetchError(f"it lists no {kind}", place=place, hint="check the repository's path")
    if "refused" in fields:
        raise FetchError(f"{kind} has {fields['refused']}", place=place)
    path, sha256 = fields.get("path", ""), fields.get("checksum", "")
    if not path or path.startswith("/") or any(part in {"", ".", ".."} for part in path.split("/")):
        raise FetchError(f"{path[:60]!a} is not a path of {kind} below the repository", place=place)
    sizes = [fields.get(name, "") for name in ("size", "open-size")]
    if not _SHA256.fullmatch(sha256) or not all(_NUMBER.fullmatch(size) for size in sizes):
        raise FetchError(f"the row of {kind} lacks its sha256 or a size", place=place, hint=_REFETCH)
    return RepodataFile(path=path, sha256=sha256, size=int(sizes[0]), open_size=int(sizes[1]))


def _newest_stamp(stamps: list[str], place: str) -> datetime:
    """Return the newest time stamp; some tools write them with a fraction."""
    seconds = [int(stamp.partition(".")[0]) for stamp in stamps if _NUMBER.fullmatch(stamp.partition(".")[0])]
    if not seconds or len(seconds) != len(stamps):
        raise FetchError("its files have no time stamps", place=place, hint=_REFETCH)
    try:
        return datetime.fromtimestamp(max(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        raise FetchError(f"{max(seconds)} is not a time", place=place) from None


# The metadata files that repomd.xml lists.


class _RepodataUnpacker(Protocol):
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def repodata_text(data: bytes, entry: RepodataFile, *, place: str) -> bytes:
    """Return the XML text of a metadata file: plain, gzip, xz or bzip2.

    Raises FetchError, with `place`, for a file that is cut off, unpacks to
    another size than stated, is not UTF-8, or declares a document type or
    entities: metadata has neither, and only an attack would.
    """
    if entry.open_size > _MOST_INDEX_BYTES:
        raise FetchError(f"{entry.open_size} bytes are too many for an index", place=place)
    text = _unpacked_repodata(data, entry.open_size + 1, place)
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


def _unpacked_repodata(data: bytes, most: int, place: str) -> bytes:
    unpacker: _RepodataUnpacker
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
