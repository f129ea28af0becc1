"""Bundles: locks, and every file of the store that they need, as one tar whose bytes depend on these alone.

Members are `manifest.toml`, `lock/<path>` and `sha256/ab/cdef…`, in the order
of the manifest: plain ustar, owner 0:0, mode 0644, time 0. A reader therefore
knows every header beforehand and accepts no other: no link, no second name, no
path of somebody else's choice can be in a bundle.

As an OCI artifact a bundle has one layer each for its table of contents, its
locks and its files. Layers are the files themselves, so that two bundles in one
registry share what they have in common. The manifest depends on the bundle alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import BinaryIO

from builder.bundle.contents import Bundle, BundledFile, BundledLock, Content, dump_bundle, parse_bundle
from builder.errors import DigestMismatchError, FetchError
from builder.model import Sha256
from builder.oci import Descriptor, ImageManifest, empty_config, parse_image_manifest
from builder.store import Staging, Store
from builder.tars import BLOCK, END, Member, UnreadableError, header, header_size, padding

__all__ = [
    "MANIFEST",
    "Heard",
    "artifact_manifest",
    "contents_layer",
    "layers_of",
    "lock_member",
    "make_bundle",
    "read_bundle",
    "write_bundle",
]


Heard = Callable[[str], None]
"""Is told the name of each file that has passed."""

MANIFEST = "manifest.toml"
_CHUNK = 2**20  # bytes
_LARGEST_TEXT = 64 * 2**20  # bytes; of a manifest or a lock
_CUT_OFF = "is cut off"


def lock_member(path: str) -> str:
    """Return the name of a lock in a bundle."""
    return f"lock/{path}"


def make_bundle(locks: Mapping[str, bytes], files: Iterable[Content], store: Store, *, apt: bool) -> Bundle:
    """Return the table of contents of `locks` (by path) and `files`; FetchError for one not in the store."""
    rows = [
        BundledFile(
            sha256=file.sha256,
            size=_stored_size(store, file),
            kind=file.kind,
            name=file.name,
            rows=file.rows,
        )
        for file in files
    ]
    listed = [
        BundledLock(path=path, sha256=Sha256.of(data), size=len(data)) for path, data in sorted(locks.items())
    ]
    return Bundle(format=1, apt=apt, locks=tuple(listed), files=tuple(rows))


def write_bundle(
    bundle: Bundle, locks: Mapping[str, bytes], store: Store, sink: BinaryIO, heard: Heard
) -> Sha256:
    """Write a bundle to `sink` and return its SHA-256.

    Every file is hashed on the way: DigestMismatchError for one that was
    damaged in the store, FetchError for one that is gone.
    """
    digest = hashlib.sha256()

    def put(data: bytes) -> None:
        digest.update(data)
        sink.write(data)

    def member(name: str, size: int, chunks: Iterable[bytes]) -> None:
        put(_member_header(name, size))
        for chunk in chunks:
            put(chunk)
        put(padding(size))

    manifest = dump_bundle(bundle)
    member(MANIFEST, len(manifest), (manifest,))
    for lock in bundle.locks:
        member(lock_member(lock.path), lock.size, (locks[lock.path],))
    for file in bundle.files:
        member(_file_member(file.sha256), file.size, _verified_chunks(store, file))
        heard(file.name)
    put(END)
    return Sha256(digest.hexdigest())


def read_bundle(
    source: BinaryIO, staged: Staging, heard: Heard, *, expected: str = "", place: str
) -> tuple[Bundle, dict[str, bytes]]:
    """Read a whole bundle into `staged`; return its table of contents and its locks by path.

    FetchError for a file that is not a bundle, is cut off, or holds another member than
    its table says; DigestMismatchError for other bytes than it says, or when
    the SHA-256 of the whole is not `expected`.
    """
    reader = _BundleReader(source, place)
    data = reader.manifest()
    bundle = parse_bundle(data, place=f"{place}: {MANIFEST}")
    locks = {}
    for lock in bundle.locks:
        reader.header(lock_member(lock.path), lock.size)
        if lock.size > _LARGEST_TEXT:
            raise FetchError(f"{lock.size} bytes are too many for a lock", place=f"{place}: {lock.path!r}")
        locks[lock.path] = b"".join(reader.content(lock.size))
        if Sha256.of(locks[lock.path]) != lock.sha256:
            raise DigestMismatchError("has other bytes than the table says", place=f"{place}: {lock.path}")
    for file in bundle.files:
        reader.header(_file_member(file.sha256), file.size)
        staged.add(file.sha256, file.size, reader.content(file.size), place=f"{place}: {file.name}")
        heard(file.name)
    reader.end()
    if expected and reader.digest.hexdigest() != expected:
        cause = f"expected sha256 {expected}, got {reader.digest.hexdigest()}"
        raise DigestMismatchError(cause, place=place, hint="copy it again, or ask who made it")
    return bundle, locks


class _BundleReader:
    """The members of a bundle, one after the other."""

    def __init__(self, source: BinaryIO, place: str) -> None:
        self._source = source
        self._place = place
        self.digest = hashlib.sha256()

    def manifest(self) -> bytes:
        """Return the first member, the only one whose size is not known before."""
        block = self._read_exactly(BLOCK)
        try:
            size = header_size(block)
        except UnreadableError as cause:
            raise FetchError("is not a bundle", place=self._place) from cause
        if not 0 <= size <= _LARGEST_TEXT or block != _member_header(MANIFEST, size):
            raise FetchError(f"is not a bundle: it does not begin with {MANIFEST}", place=self._place)
        return b"".join(self.content(size))

    def header(self, name: str, size: int) -> None:
        """Insist on the header of the member `name`."""
        wanted = _member_header(name, size)
        if self._read_exactly(len(wanted)) != wanted:
            cause = f"has another member where its table says {name}"
            raise FetchError(cause, place=self._place, hint="make the bundle again")

    def content(self, size: int) -> Iterator[bytes]:
        """Yield the content of a member, and insist on the zeros after it."""
        left = size
        while left:
            chunk = self._read_exactly(min(left, _CHUNK))
            left -= len(chunk)
            yield chunk
        self._expect_zeros(padding(size))

    def end(self) -> None:
        """Insist that nothing follows."""
        self._expect_zeros(END)
        if self._read_some(1):
            raise FetchError("continues after its end", place=self._place)

    def _expect_zeros(self, wanted: bytes) -> None:
        if wanted and self._read_exactly(len(wanted)) != wanted:
            raise FetchError("has unexpected bytes between its members", place=self._place)

    def _read_exactly(self, size: int) -> bytes:
        data = self._read_some(size)
        while len(data) < size:
            more = self._read_some(size - len(data))
            if not more:
                raise FetchError(_CUT_OFF, place=self._place, hint="copy it again")
            data += more
        return data

    def _read_some(self, size: int) -> bytes:
        try:
            data = self._source.read(size)
        except OSError as cause:
            raise FetchError(f"cannot be read: {cause.strerror or cause}", place=self._place) from cause
        self.digest.update(data)
        return data


def _member_header(name: str, size: int) -> bytes:
    return header(Member(path=name.encode(), kind="file", mode=0o644, mtime=0, size=size))


def _file_member(sha256: str) -> str:
    return f"sha256/{sha256[:2]}/{sha256[2:]}"


def _stored_size(store: Store, file: Content) -> int:
    try:
        return store.path(file.sha256).stat().st_size
    except OSError:
        hint = "run `python -m builder fetch` on a machine with a network"
        raise FetchError(
            "is not in the store", place=f"{file.name} (sha256:{file.sha256})", hint=hint
        ) from None


def _verified_chunks(store: Store, file: BundledFile) -> Iterator[bytes]:
    """Yield the bytes of a stored file; DigestMismatchError at the end when they are not its own."""
    digest, count = hashlib.sha256(), 0
    with store.open(file.sha256) as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            count += len(chunk)
            yield chunk
    if digest.hexdigest() != file.sha256 or count != file.size:
        cause = f"expected sha256 {file.sha256}, got {digest.hexdigest()}: the store is damaged"
        hint = "delete that file and fetch again"
        raise DigestMismatchError(cause, place=str(store.path(file.sha256)), hint=hint)


_ARTIFACT_TYPE = "application/vnd.lockwright.bundle.v1"
_CONTENTS_TYPE = "application/vnd.lockwright.bundle.contents.v1+toml"
_LOCK_TYPE = "application/vnd.lockwright.lock.v1+toml"
_FILE_TYPE = "application/octet-stream"


def layers_of(bundle: Bundle) -> tuple[Descriptor, ...]:
    """Return the layers of a bundle in order; the first is its table of contents."""
    text = dump_bundle(bundle)
    first = Descriptor.titled(_CONTENTS_TYPE, Sha256.of(text), len(text), MANIFEST)
    locks = (
        Descriptor.titled(_LOCK_TYPE, row.sha256, row.size, lock_member(row.path)) for row in bundle.locks
    )
    files = (
        Descriptor.titled(_FILE_TYPE, row.sha256, row.size, f"sha256/{row.sha256[:2]}/{row.sha256[2:]}")
        for row in bundle.files
    )
    return (first, *locks, *files)


def artifact_manifest(bundle: Bundle) -> ImageManifest:
    """Return the manifest of a bundle's artifact."""
    return ImageManifest(config=empty_config(), layers=layers_of(bundle), artifact_type=_ARTIFACT_TYPE)


def contents_layer(body: bytes, *, place: str) -> Descriptor:
    """Return the first layer of an artifact: its table of contents (FetchError if it is not a bundle)."""
    manifest = parse_image_manifest(body, place=place)
    first = manifest.layers[0] if manifest.layers else None
    if manifest.artifact_type != _ARTIFACT_TYPE or first is None or first.media_type != _CONTENTS_TYPE:
        raise FetchError(f"is not a bundle, but {manifest.artifact_type[:80]!r}", place=place)
    return Descriptor.titled(_CONTENTS_TYPE, first.sha256, first.size, MANIFEST)
