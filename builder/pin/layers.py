"""The OS packages in an image, read from its layers without unpacking them."""

from __future__ import annotations

import tarfile
import tempfile
import zlib
from collections.abc import Iterable
from typing import BinaryIO

from builder.errors import FetchError
from builder.model import Arch, ImageDigest
from builder.oci import ImageManifest, Registry
from builder.resolve.debian import parse_status

__all__ = ["LayeredFiles", "inventory", "packages"]

_DATABASE = "var/lib/dpkg"
_STATUS = f"{_DATABASE}/status"
_PARTS = f"{_DATABASE}/status.d/"
_ANCESTORS = ("var", "var/lib", _DATABASE, f"{_DATABASE}/status.d")
_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_LARGEST = 64 * 2**20  # bytes; a status file of thousands of packages has two
_ZSTD = b"\x28\xb5\x2f\xfd"


class LayeredFiles:
    """The package database's files after some layers, applied from the bottom up."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

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
        except (tarfile.TarError, EOFError, zlib.error, OSError) as cause:
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
        elif path in _ANCESTORS and not member.isdir():
            raise FetchError(f"has {path} but not as a directory", place=place)
        elif path == _STATUS or (path.startswith(_PARTS) and not path.endswith(".md5sums")):
            content = archive.extractfile(member) if member.isfile() and member.size <= _LARGEST else None
            if content is None and not member.isdir():
                raise FetchError(f"has {path} but not as a small file", place=place)
            if content is not None:
                added[path] = content.read()

    def _apply_whiteouts(self, hidden: Iterable[str]) -> None:
        for path in hidden:
            below = path if path.endswith("/") else f"{path}/"
            for file in [
                file for file in self.files if file == path or file.startswith(below) or below == "/"
            ]:
                del self.files[file]


def inventory(
    registry: Registry, digest: ImageDigest, manifest: ImageManifest, arch: Arch
) -> tuple[str, ...]:
    """Return the installed packages of an image of `arch`, each `name=version`, sorted.

    FetchError for an image without a dpkg database, or with packages of a foreign architecture.
    """
    database = LayeredFiles()
    place = f"{registry.name}@{digest}"
    for layer in manifest.layers:
        if "tar" not in layer.media_type or "foreign" in layer.media_type:
            raise FetchError(f"has a layer of type {layer.media_type}, which is not read", place=place)
        with tempfile.TemporaryFile() as file:
            registry.blob(layer, file)
            file.seek(0)
            database.apply(file, place=f"{registry.name}@{layer.digest}")
    return packages(database.files, arch, place=place)


def packages(files: dict[str, bytes], arch: Arch, *, place: str) -> tuple[str, ...]:
    """Return `name=version` rows of a dpkg database: `status`, and files of `status.d` (as in distroless)."""
    rows = {}
    for path, data in sorted(files.items()):
        for stanza in parse_status(_with_status(data) if path != _STATUS else data, place=f"{place}: {path}"):
            if stanza.arch not in (arch.debian, "all"):
                raise FetchError(f"has {stanza.name} of architecture {stanza.arch}", place=place)
            rows[stanza.name] = stanza.version
    if not rows:
        raise FetchError("has no dpkg database in its layers", place=place)
    return tuple(f"{name}={version}" for name, version in sorted(rows.items()))


def _with_status(data: bytes) -> bytes:
    """Add the state that files in `status.d` leave out: they are there because they are installed."""
    text = data.rstrip(b"\n") + b"\n"
    return text if b"\nStatus:" in b"\n" + text else text + b"Status: install ok installed\n"


def _plain_path(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in ("", "."))
