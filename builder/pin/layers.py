"""Files of an image, read from its layers without unpacking them."""

from __future__ import annotations

import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterable
from typing import BinaryIO

from builder.errors import FetchError
from builder.model import ImageDigest
from builder.oci import ImageManifest, Registry

__all__ = ["LayeredFiles", "read_layers"]

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_LARGEST = 256 * 2**20  # bytes; a dpkg status file of thousands of packages has two, an RPM database forty
_ZSTD = b"\x28\xb5\x2f\xfd"


class LayeredFiles:
    """The wanted files after some layers, applied from the bottom up."""

    def __init__(self, wanted: Callable[[str], bool], folders: frozenset[str]) -> None:
        """Keep the files of the paths that `wanted` says; `folders` must be folders wherever they stand."""
        self.files: dict[str, bytes] = {}
        self._wanted = wanted
        self._folders = folders

    def apply(self, layer: BinaryIO, *, place: str) -> None:
        """Apply a layer (tar, plain or gzip); what it hides is hidden whatever its order (FetchError)."""
        if layer.read(4) == _ZSTD:
            raise FetchError("is compressed with zstd, which is not read here", place=place)
        layer.seek(0)
        hidden: list[str] = []
        added: dict[str, bytes] = {}
        try:
            with tarfile.open(fileobj=layer, mode="r:*") as archive:
                for member in archive:
                    self._take_member(archive, member, hidden, added, place)
        except (tarfile.TarError, EOFError, zlib.error, OSError, KeyError) as cause:
            raise FetchError(f"is not a readable layer: {cause}", place=place) from cause
        self._apply_whiteouts(hidden)
        self.files |= added

    def _take_member(
        self,
        archive: tarfile.TarFile,
        member: tarfile.TarInfo,
        hidden: list[str],
        added: dict[str, bytes],
        place: str,
    ) -> None:
        path = _plain_path(member.name)
        folder, _, name = path.rpartition("/")
        if name == _OPAQUE:
            hidden.append(f"{folder}/")
        elif name.startswith(_WHITEOUT):
            hidden.append(f"{folder}/{name.removeprefix(_WHITEOUT)}".lstrip("/"))
        elif path in self._folders and not member.isdir():
            raise FetchError(f"has {path} but not as a directory", place=place)
        elif self._wanted(path) and not member.isdir():
            # pip and uv may hard-link a distribution's files; such a member has no bytes of its own.
            readable = (member.isfile() and member.size <= _LARGEST) or member.islnk()
            content = archive.extractfile(member) if readable else None
            if content is None:
                raise FetchError(f"has {path} but not as a small file", place=place)
            added[path] = content.read()

    def _apply_whiteouts(self, hidden: Iterable[str]) -> None:
        for path in hidden:
            below = path if path.endswith("/") else f"{path}/"
            for file in [
                file for file in self.files if file == path or file.startswith(below) or below == "/"
            ]:
                del self.files[file]


def read_layers(
    registry: Registry, digest: ImageDigest, manifest: ImageManifest, files: LayeredFiles
) -> dict[str, bytes]:
    """Apply every layer of an image to `files`, and return them by path (FetchError)."""
    for layer in manifest.layers:
        if "tar" not in layer.media_type or "foreign" in layer.media_type:
            place = f"{registry.name}@{digest}"
            raise FetchError(f"has a layer of type {layer.media_type}, which is not read", place=place)
        with tempfile.TemporaryFile() as file:
            registry.blob(layer, file)
            file.seek(0)
            files.apply(file, place=f"{registry.name}@{layer.digest}")
    return files.files


def _plain_path(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in ("", "."))
