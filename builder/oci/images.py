"""Images in OCI layout, as a folder or as a tar: manifests, layers, and the files in them. Reading only."""

from __future__ import annotations

__all__ = ["Entry", "Image", "Layer", "OciImages", "open_images"]

import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from builder.errors import DigestMismatchError, UsageError

_CHUNK = 2**20  # bytes
_LARGEST_TEXT = 2**26  # bytes of an index, a manifest or a configuration
_DEEPEST = 4
_SHA256 = "sha256:"
_SAVED = "manifest.json"
_KINDS = {
    tarfile.DIRTYPE: "directory",
    tarfile.SYMTYPE: "symlink",
    tarfile.LNKTYPE: "hardlink",
    tarfile.CHRTYPE: "character device",
    tarfile.BLKTYPE: "block device",
    tarfile.FIFOTYPE: "fifo",
}
_XATTR = "SCHILY.xattr."
_UNREADABLE = (tarfile.TarError, EOFError, zlib.error, OSError, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer: digest of the blob and of the tar in it, and the step that made it."""

    digest: str
    size: int
    diff_id: str
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image of one platform."""

    platform: str
    digest: str
    """Of its manifest."""
    config: dict[str, Any]
    layers: tuple[Layer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
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


class OciImages:
    """The images of one OCI layout; use `open_images`."""

    def __init__(self, path: Path, archive: tarfile.TarFile | None) -> None:
        self.place = str(path)
        self._folder = path
        self._archive = archive
        self._members = {member.name.removeprefix("./"): member for member in archive or ()}

    @property
    def digest(self) -> str:
        """The digest that names all of it: of its only manifest or index."""
        found = self._index()
        if len(found) != 1:
            raise UsageError(f"holds {len(found)} images or indexes, expected one", place=self.place)
        return str(found[0]["digest"])

    def images(self) -> tuple[Image, ...]:
        """Return the images by platform; attestations are left out."""
        try:
            found = [image for row in self._index() for image in self._images(row, _DEEPEST)]
        except (KeyError, TypeError, AttributeError, ValueError) as cause:
            raise UsageError(
                f"its index or a manifest is malformed: {cause!r:.200}", place=self.place
            ) from cause
        return tuple(sorted(found, key=lambda image: (image.platform, image.digest)))

    def check(self, image: Image) -> None:
        """Hash the manifest and every layer of `image` (DigestMismatchError for one that is another)."""
        named = (image.digest, *(layer.digest for layer in image.layers))
        for digest in (text for text in named if text.startswith(_SHA256)):
            with self._file(_blob(digest)) as file:
                observed = _sha256(file)
            if f"{_SHA256}{observed}" != digest:
                raise DigestMismatchError(f"blob {digest[:80]} has sha256 {observed}", place=self.place)

    def entries(self, layer: Layer) -> Iterator[Entry]:
        """Yield the members of a layer in its order, files hashed."""
        with self._layer(layer) as archive:
            for member in archive:
                yield _entry(member, archive.extractfile(member) if member.isreg() else None)

    def each(self, layer: Layer, take: Callable[[Entry, IO[bytes] | None], None]) -> None:
        """Give `take` each member of a layer in order, not hashed, and a file's content to read at once."""
        with self._layer(layer) as archive:
            for member in archive:
                take(_entry(member, None), archive.extractfile(member) if member.isreg() else None)

    @contextmanager
    def opened(self, layer: Layer) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
        """Give an iterator over the files of a layer, as path and content; read each before the next."""
        with self._layer(layer) as archive:
            yield (
                (_plain(member.name), content)
                for member in archive
                if member.isreg() and (content := archive.extractfile(member)) is not None
            )

    def _index(self) -> list[dict[str, Any]]:
        if self._archive is not None and "index.json" not in self._members and _SAVED in self._members:
            return [{"saved": number} for number in range(len(self._saved()))]
        rows = self._json("index.json").get("manifests")
        return [row for row in rows or () if isinstance(row, dict)]

    def _saved(self) -> list[dict[str, Any]]:
        """Return the rows of an older `docker save`, which has no index."""
        with self._file(_SAVED) as file:
            return list(json.loads(file.read(_LARGEST_TEXT)))

    def _images(self, row: dict[str, Any], deeper: int) -> Iterator[Image]:
        if "saved" in row:
            saved = self._saved()[row["saved"]]
            config = self._json(saved["Config"])
            layers = [{"digest": name, "size": self._members[name].size} for name in saved["Layers"]]
            found = tuple(_layers(layers, config))
            yield Image(platform=_platform(config), digest="", config=config, layers=found)
            return
        if deeper == 0:
            raise ValueError("indexes in indexes in indexes")
        if row.get("annotations", {}).get("vnd.docker.reference.type") == "attestation-manifest":
            return
        manifest = self._json(_blob(row["digest"]))
        if "manifests" in manifest:
            for inner in manifest["manifests"]:
                yield from self._images(inner, deeper - 1)
            return
        config = self._json(_blob(manifest["config"]["digest"]))
        yield Image(
            platform=_platform(config),
            digest=row["digest"],
            config=config,
            layers=tuple(_layers(manifest["layers"], config)),
        )

    def _json(self, name: str) -> dict[str, Any]:
        with self._file(name) as file:
            try:
                found = json.loads(file.read(_LARGEST_TEXT))
            except (ValueError, RecursionError) as cause:
                raise UsageError(f"{name} is not JSON: {cause}", place=self.place) from cause
        if not isinstance(found, dict):
            raise UsageError(f"{name} is not a JSON object", place=self.place)
        return found

    @contextmanager
    def _layer(self, layer: Layer) -> Iterator[tarfile.TarFile]:
        with self._file(_blob(layer.digest)) as file:
            if file.read(4) == b"\x28\xb5\x2f\xfd":
                raise UsageError(f"layer {layer.digest} is compressed with zstd", place=self.place)
            file.seek(0)
            try:
                with tarfile.open(fileobj=file, mode="r|*") as archive:
                    yield archive
            except _UNREADABLE as cause:
                raise UsageError(f"layer {layer.digest} cannot be read: {cause}", place=self.place) from cause

    @contextmanager
    def _file(self, name: str) -> Iterator[BinaryIO]:
        try:
            with self._open(name) as file:
                yield file
        except (FileNotFoundError, KeyError) as cause:
            hint = "name an image in OCI layout, as `build` writes it"
            raise UsageError(f"has no {name}", place=self.place, hint=hint) from cause

    def _open(self, name: str) -> BinaryIO:
        if self._archive is None:
            return (self._folder / name).open("rb")
        content = self._archive.extractfile(self._members[name])
        return cast("BinaryIO", content if content is not None else io.BytesIO())


@contextmanager
def open_images(path: Path) -> Iterator[OciImages]:
    """Open an OCI layout: a folder, or a tar of it (UsageError for anything else)."""
    if path.is_dir():
        yield OciImages(path, None)
        return
    try:
        archive = tarfile.open(path, mode="r:")  # noqa: SIM115 - closed below
    except (tarfile.TarError, OSError) as cause:
        hint = "name an image in OCI layout, as `build` writes it"
        raise UsageError(f"is not an image: {cause}", place=str(path), hint=hint) from cause
    with archive:
        try:
            images = OciImages(path, archive)
        except _UNREADABLE as cause:
            raise UsageError(f"is not an image: {cause}", place=str(path)) from cause
        yield images


def _blob(digest: str) -> str:
    """Return the path of a blob; an older `docker save` names its files themselves."""
    return f"blobs/{digest.replace(':', '/')}" if digest.startswith(_SHA256) else digest


def _platform(config: dict[str, Any]) -> str:
    words = (config.get("os", ""), config.get("architecture", ""), config.get("variant", ""))
    return "/".join(word for word in words if word)


def _layers(rows: list[dict[str, Any]], config: dict[str, Any]) -> Iterator[Layer]:
    diff_ids = config.get("rootfs", {}).get("diff_ids", [])
    steps = [row.get("created_by", "") for row in config.get("history", []) if not row.get("empty_layer")]
    for number, row in enumerate(rows):
        yield Layer(
            digest=row["digest"],
            size=row["size"],
            diff_id=diff_ids[number] if number < len(diff_ids) else "",
            step=steps[number] if number < len(steps) else "",
        )


def _entry(member: tarfile.TarInfo, content: IO[bytes] | None) -> Entry:
    return Entry(
        path=_plain(member.name),
        kind=_KINDS.get(member.type, "file"),
        mode=member.mode,
        uid=member.uid,
        gid=member.gid,
        mtime=int(member.mtime),
        size=member.size,
        sha256=_sha256(content) if content is not None else "",
        target=member.linkname,
        device=(member.devmajor, member.devminor),
        xattrs=tuple(sorted((k, v) for k, v in member.pax_headers.items() if k.startswith(_XATTR))),
    )


def _sha256(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := content.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _plain(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in ("", ".")) or "."
