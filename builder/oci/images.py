"""Images in OCI layout, as a folder or as a tar: manifests, layers, and the files in them.

A published image of the store is written as a layout that BuildKit, skopeo and
podman read, and an image that a Docker engine has is saved as such a file.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO

from builder.errors import DigestMismatchError, FetchError, ToolError, UsageError
from builder.io import open_regular, stream, write_atomic
from builder.model import Arch, ImageDigest
from builder.oci.manifests import (
    LARGEST_CONFIG,
    OCI_LAYOUT,
    Descriptor,
    ImageConfig,
    ImageIndex,
    SavedImage,
    dump_index,
    parse_config,
    parse_image_manifest,
    parse_index,
    parse_manifest,
    parse_saved_images,
)
from builder.store import Store, unwritable
from builder.tars import (
    ByteReader,
    MemberContent,
    TarBounds,
    TarMember,
    UnreadableError,
    content_sha256,
    open_section,
    open_unpacked,
    read_tar,
)

__all__ = [
    "ImageLayer",
    "ImageLayout",
    "LayerEntry",
    "OciImage",
    "image_file",
    "layout_path",
    "open_images",
    "write_layout",
]


_CHUNK = 2**20  # bytes
_DEEPEST = 4
_SHA256 = "sha256:"
_INDEX, _SAVED = "index.json", "manifest.json"
_HINT = "name an image in OCI layout, as `build` writes it"
_XATTR = "SCHILY.xattr."
_IMAGE_BOUNDS = TarBounds(members=100_000, unpacked=2**40)
_LAYER_BOUNDS = TarBounds(members=5_000_000, unpacked=2**40)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLayer:
    """One layer: digest of the blob and of the tar in it, and the step that made it."""

    digest: str
    size: int
    diff_id: str
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OciImage:
    """One image of one platform."""

    platform: str
    digest: str
    """Of its manifest."""
    config: ImageConfig
    layers: tuple[ImageLayer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerEntry:
    """One member of a layer; `mtime` is in seconds since 1970, `sha256` is empty for all but files."""

    path: str
    kind: str
    mode: int
    uid: int
    gid: int
    mtime: int
    size: int
    sha256: str = ""
    target: str = ""
    device: tuple[int, int] = (0, 0)
    xattrs: tuple[tuple[str, str], ...] = ()


class ImageLayout:
    """The images of one OCI layout; use `open_images`."""

    def __init__(self, path: Path, archive: BinaryIO | None) -> None:
        """Read the members of `archive`, a tar (UnreadableError); None for a folder."""
        self.place = str(path)
        self._folder = path
        self._archive = archive
        self._members: dict[str, TarMember] = {}
        if archive is not None:
            members = (member for member, _ in read_tar(archive, _IMAGE_BOUNDS))
            self._members = {member.name.removeprefix("./"): member for member in members}

    @property
    def digest(self) -> str:
        """The digest that names all of it: of its only manifest or index."""
        if self._is_saved():
            raise UsageError("was saved without an index", place=self.place, hint=_HINT)
        found = self._read_index().manifests
        if len(found) != 1:
            raise UsageError(f"holds {len(found)} images or indexes, expected one", place=self.place)
        return str(found[0].digest)

    def images(self) -> tuple[OciImage, ...]:
        """Return the images by platform; attestations are left out."""
        if self._is_saved():
            place = f"{self.place}: {_SAVED}"
            rows = parse_saved_images(self._read_document(_SAVED), place=place, error=UsageError)
            found = [self._saved_image(row) for row in rows]
        else:
            found = [
                image for part in self._read_index().manifests for image in self._images_below(part, _DEEPEST)
            ]
        return tuple(sorted(found, key=lambda image: (image.platform, image.digest)))

    def check(self, image: OciImage) -> None:
        """Hash the manifest and every layer of `image` (DigestMismatchError for one that is another).

        A layer that is named by a path, as older `docker save` does, must have the digest that the
        configuration states of its tar.
        """
        for digest in (image.digest, *(layer.digest for layer in image.layers)):
            if digest.startswith(_SHA256):
                self._check_blob(_blob_path(digest), digest)
        for layer in image.layers:
            if not layer.digest.startswith(_SHA256):
                self._check_blob(layer.digest, layer.diff_id, unpacked=True)

    def check_named(self) -> None:
        """Hash everything that the layout's digest names (DigestMismatchError for one that is another).

        That are indexes, manifests, configurations and layers; attestations of an engine are left out.
        """
        pending = [(self.digest, _DEEPEST)]
        while pending:
            digest, deeper = pending.pop()
            name = _blob_path(digest)
            self._check_blob(name, digest)
            manifest = parse_manifest(
                self._read_document(name), place=f"{self.place}: {name}", error=UsageError
            )
            if not isinstance(manifest, ImageIndex):
                for part in (manifest.config, *manifest.layers):
                    self._check_blob(_blob_path(str(part.digest)), str(part.digest))
            elif deeper:
                inner = (one for one in manifest.manifests if not one.is_attestation)
                pending += [(str(one.digest), deeper - 1) for one in inner]
            else:
                raise UsageError("has indexes in indexes in indexes", place=self.place)

    def _check_blob(self, name: str, digest: str, *, unpacked: bool = False) -> None:
        with self._open_file(name) as file:
            if unpacked:
                with self._unpacked_layer(file, name) as stream:
                    observed = content_sha256(stream)
            else:
                observed = content_sha256(file)
        if f"{_SHA256}{observed}" != digest:
            expected = "" if name == _blob_path(digest) else f", and its configuration states {digest[:80]!r}"
            raise DigestMismatchError(f"blob {name[:120]} has sha256 {observed}{expected}", place=self.place)

    @contextmanager
    def _unpacked_layer(self, file: BinaryIO, name: str) -> Iterator[ByteReader]:
        try:
            with open_unpacked(file) as stream:
                yield stream
        except UnreadableError as cause:
            raise UsageError(f"layer {name[:80]} cannot be read: {cause}", place=self.place) from cause

    def entries(self, layer: ImageLayer) -> Iterator[LayerEntry]:
        """Yield the members of a layer in its order, files hashed."""
        with self._open_layer(layer) as members:
            for member, content in members:
                yield _layer_entry(member, content if member.kind == "file" else None)

    def each(self, layer: ImageLayer, take: Callable[[LayerEntry, MemberContent | None], None]) -> None:
        """Give `take` each member of a layer in order, not hashed, and a file's content to read at once."""
        with self._open_layer(layer) as members:
            for member, content in members:
                take(_layer_entry(member, None), content if member.kind == "file" else None)

    @contextmanager
    def opened(self, layer: ImageLayer) -> Iterator[Iterator[tuple[str, MemberContent]]]:
        """Give an iterator over the files of a layer, as path and content; read each before the next."""
        with self._open_layer(layer) as members:
            yield (
                (_plain_path(member.name), content) for member, content in members if member.kind == "file"
            )

    def _is_saved(self) -> bool:
        """Whether an older `docker save` wrote it, which writes no index."""
        return self._archive is not None and _INDEX not in self._members and _SAVED in self._members

    def _read_index(self) -> ImageIndex:
        return parse_index(self._read_document(_INDEX), place=f"{self.place}: {_INDEX}", error=UsageError)

    def _saved_image(self, saved: SavedImage) -> OciImage:
        config = self._read_config(saved.config)
        sizes = {name: self._members[name].size for name in saved.layers if name in self._members}
        rows = [(name, sizes.get(name, 0)) for name in saved.layers]
        return OciImage(
            platform=config.platform, digest="", config=config, layers=_described_layers(rows, config)
        )

    def _images_below(self, part: Descriptor, deeper: int) -> Iterator[OciImage]:
        if part.is_attestation:
            return
        if deeper == 0:
            raise UsageError("has indexes in indexes in indexes", place=self.place)
        name = _blob_path(part.digest)
        manifest = parse_manifest(self._read_document(name), place=f"{self.place}: {name}", error=UsageError)
        if isinstance(manifest, ImageIndex):
            for inner in manifest.manifests:
                yield from self._images_below(inner, deeper - 1)
            return
        config = self._read_config(_blob_path(manifest.config.digest))
        rows = [(str(layer.digest), layer.size) for layer in manifest.layers]
        yield OciImage(
            platform=config.platform,
            digest=part.digest,
            config=config,
            layers=_described_layers(rows, config),
        )

    def _read_config(self, name: str) -> ImageConfig:
        return parse_config(self._read_document(name), place=f"{self.place}: {name}", error=UsageError)

    def _read_document(self, name: str) -> bytes:
        """Return a document's bytes; one that is too large is cut, and refused where it is parsed."""
        with self._open_file(name) as file:
            return file.read(LARGEST_CONFIG + 1)

    @contextmanager
    def _open_layer(self, layer: ImageLayer) -> Iterator[Iterator[tuple[TarMember, MemberContent]]]:
        with (
            self._open_file(_blob_path(layer.digest)) as file,
            self._unpacked_layer(file, layer.digest) as stream,
        ):
            yield read_tar(stream, _LAYER_BOUNDS)

    @contextmanager
    def _open_file(self, name: str) -> Iterator[BinaryIO]:
        with self._opened_file(name) as file:
            yield file

    def _opened_file(self, name: str) -> BinaryIO:
        if self._archive is None:
            try:
                return open_regular(self._folder / name)
            except FileNotFoundError as cause:
                raise UsageError(f"has no {name[:120]}", place=self.place, hint=_HINT) from cause
            except OSError as cause:
                text = f"its {name[:120]} cannot be read: {cause.strerror or cause}"
                raise UsageError(text, place=self.place, hint=_HINT) from cause
        member = self._members.get(name)
        if member is None or member.kind != "file":
            raise UsageError(f"has no {name[:120]}", place=self.place, hint=_HINT)
        return open_section(self._archive, member.offset, member.size)


@contextmanager
def open_images(path: Path) -> Iterator[ImageLayout]:
    """Open an OCI layout: a folder, or a tar of it (UsageError for anything else)."""
    if path.is_dir():
        yield ImageLayout(path, None)
        return
    try:
        archive = open_regular(path)
    except OSError as cause:
        text = f"is not an image: {cause.strerror or cause}"
        raise UsageError(text, place=str(path), hint=_HINT) from cause
    with archive:
        try:
            images = ImageLayout(path, archive)
        except (UnreadableError, OSError) as cause:
            raise UsageError(f"is not an image: {cause}", place=str(path), hint=_HINT) from cause
        yield images


def _blob_path(digest: str) -> str:
    """Return the path of a blob; an older `docker save` names its files themselves."""
    return f"blobs/{digest.replace(':', '/')}" if digest.startswith(_SHA256) else digest


def _described_layers(rows: Iterable[tuple[str, int]], config: ImageConfig) -> tuple[ImageLayer, ...]:
    """Return layers (digest and size) with what the configuration says of each, from the bottom up."""
    described = zip_longest(rows, config.diff_ids, config.steps, fillvalue="")
    return tuple(
        ImageLayer(digest=row[0], size=row[1], diff_id=diff_id, step=step)
        for row, diff_id, step in described
        if isinstance(row, tuple)
    )


def _layer_entry(member: TarMember, content: ByteReader | None) -> LayerEntry:
    return LayerEntry(
        path=_plain_path(member.name),
        kind=member.kind,
        mode=member.mode,
        uid=member.uid,
        gid=member.gid,
        mtime=int(member.mtime),
        size=member.size,
        sha256=content_sha256(content) if content is not None else "",
        target=member.link_name,
        device=member.device,
        xattrs=tuple(sorted((k, v) for k, v in member.pax.items() if k.startswith(_XATTR))),
    )


def _plain_path(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in ("", ".")) or "."


_PREFIX = "sha256:"


def layout_path(store: Store, manifest: str) -> Path:
    """Return where the layout of the image is whose manifest has this SHA-256."""
    return store.root / "oci" / store.path(manifest).parent.name / store.path(manifest).name


def write_layout(store: Store, manifest: str, arch: Arch) -> Path:
    """Write the layout of an image of one architecture, whose blobs are in the store; return its folder.

    Blobs are hard links to the store's files, or copies where that cannot be.
    `index.json` comes last: a folder without it is not finished. FetchError
    for an absent blob, a manifest that is none, or a store that cannot be written.
    """
    folder = layout_path(store, manifest)
    body = store.read(manifest)
    parsed = parse_image_manifest(body, place=f"{_PREFIX}{manifest}")
    try:
        blobs = folder / "blobs" / "sha256"
        blobs.mkdir(parents=True, exist_ok=True)
        for digest in (manifest, *(blob.sha256 for blob in parsed.blobs)):
            if not store.has(digest):
                raise FetchError("is not in the store", place=f"sha256:{digest}", hint="run `fetch --images`")
            _link_blob(store.path(digest), blobs / digest)
    except OSError as cause:
        raise unwritable(store.root, cause) from cause
    image = Descriptor(
        media_type=parsed.media_type,
        digest=ImageDigest(f"{_PREFIX}{manifest}"),
        size=len(body),
        os="linux",
        architecture=arch.oci.partition("/")[2],
    )
    write_atomic(folder / "oci-layout", OCI_LAYOUT)
    write_atomic(folder / "index.json", dump_index(ImageIndex(manifests=(image,))))
    return folder


def _link_blob(source: Path, target: Path) -> None:
    """Make `target` the same file as `source`, or a copy of it."""
    if target.exists() and target.stat().st_size == source.stat().st_size:
        return
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as folder:
        made = Path(folder) / target.name
        try:
            os.link(source, made)
        except OSError:
            shutil.copyfile(source, made)
        made.replace(target)


@contextmanager
def image_file(image: str) -> Iterator[Path]:
    """Give the file or folder `image`, or without one the image of that name, saved by the engine.

    UsageError where neither is there, ToolError where there is no engine to ask.
    """
    if Path(image).exists():
        yield Path(image)
        return
    if not image or image.startswith(("-", "/", ".")):
        raise UsageError("no such file", place="--image", hint="name an image, or a tar of one")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.tar"
        said: list[str] = []
        try:
            code = stream(["docker", "save", "--output", str(path), image], env=os.environ, heard=said.append)
        except ToolError as error:
            hint = "name a tar of the image (OCI layout or `docker save`), or install the docker client"
            raise ToolError(f"it is not a file, and {error}", place="--image", hint=hint) from None
        if code or not path.exists():
            raise ToolError(f"docker save: {''.join(said).strip()[-300:]}", place="--image")
        yield path
