"""An image's layers laid over one another: what is in the image in the end."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import tempfile
from collections.abc import Callable

from builder.errors import UsageError
from builder.model import ElfObject, FileFact, ImageFiles
from builder.oci.elf import ELF_MAGIC, read_elf
from builder.oci.images import ImageLayout, LayerEntry, OciImage
from builder.tars import ByteReader

__all__ = ["read_tree"]

_CHUNK = 2**20  # bytes
_LARGEST_KEPT = 2**25  # bytes of one content that is kept
_MOST_ENTRIES = 5_000_000
_FREE, _LARGEST_RATIO = 2**30, 300  # a layer may unpack to this many bytes, and times its packed size
_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_KEPT = re.compile(
    r"var/lib/dpkg/(status|diversions)|var/lib/dpkg/info/[^/]+\.(list|md5sums)|etc/dpkg/dpkg\.cfg\.d/[^/]+"
    r"|etc/ld\.so\.cache|(.*/)?[^/]+\.dist-info/(METADATA|RECORD|entry_points\.txt)|.*/pyvenv\.cfg|.*/venv/bin/[^/]+"
)
_NO_MD5 = re.compile(r"opt/")


def read_tree(
    images: ImageLayout, image: OciImage, progress: Callable[[int], None] = lambda _: None
) -> ImageFiles:
    """Read every layer of `image` in order (UsageError, DigestMismatchError for what cannot be read).

    Later layers replace and, by whiteouts, remove what earlier ones have. A
    path that leaves the image is kept apart as strange. Contents that explain
    other files are kept, and so is what ELF objects need. Nothing is executed; an object that does not fit
    into memory passes through a temporary file.
    """
    images.check(image)
    tree = _ImageTree()
    for number, layer in enumerate(image.layers):
        tree.begin(number, layer.size)
        images.each(layer, tree.add)
        progress(number)
    return ImageFiles(
        files=tree.files,
        contents={path: data for path, data in tree.contents.items() if path in tree.files},
        layers=tuple(map(tuple, tree.held)),
        config=dict(image.config.settings),
        objects={path: one for path, one in tree.objects.items() if path in tree.files},
        strange=tuple(tree.strange),
    )


class _ImageTree:
    """What has been laid out so far."""

    def __init__(self) -> None:
        self.files: dict[str, FileFact] = {}
        self.contents: dict[str, bytes] = {}
        self.objects: dict[str, ElfObject] = {}
        self.strange: list[str] = []
        self.held: list[list[str]] = []
        self._children: dict[str, set[str]] = {}
        self._layer = 0
        self._left = 0
        self._count = 0

    def begin(self, layer: int, packed: int) -> None:
        """Go on to the next layer, which has `packed` bytes."""
        self._layer = layer
        self.held.append([])
        self._left = _FREE + _LARGEST_RATIO * packed

    def add(self, entry: LayerEntry, content: ByteReader | None) -> None:
        """Take one member of a layer."""
        self._count += 1
        self._left -= entry.size
        if self._count > _MOST_ENTRIES or self._left < 0:
            raise UsageError(f"layer {self._layer} unpacks to more than any image needs", place="image")
        folder, _, name = entry.path.rpartition("/")
        if ".." in entry.path.split("/"):
            self.strange.append(f"{entry.path}: it leaves the image")
        elif name == _OPAQUE:
            self._remove_below(folder)
        elif name.startswith(_WHITEOUT):
            self._remove_path(f"{folder}/{name.removeprefix(_WHITEOUT)}".lstrip("/"))
        elif entry.path != ".":
            self._put_entry(entry, content)

    def _put_entry(self, entry: LayerEntry, content: ByteReader | None) -> None:
        path = entry.path
        there = self.files.get(path)
        if there is not None and not there.kind == entry.kind == "directory":
            self._remove_below(path)
            self.contents.pop(path, None)
            self.objects.pop(path, None)
        for above in _parent_paths(path):
            found = self.files.get(above)
            if found is not None and found.kind != "directory":
                self.strange.append(f"{path}: {above} is a {found.kind}")
                break
        fact = FileFact(
            path=path,
            kind=entry.kind,
            mode=entry.mode,
            size=entry.size,
            layer=self._layer,
            target=entry.target,
        )
        if entry.kind == "hardlink":
            fact = self._linked_fact(fact, entry.target)
        elif content is not None:
            fact = self._hashed_fact(fact, content)
        self.files[path] = fact
        if entry.kind != "directory":
            self.held[self._layer].append(path)
        self._register_path(path)

    def _register_path(self, path: str) -> None:
        """Remember what is below what; a layer need not list its folders."""
        while path:
            above = path.rpartition("/")[0]
            known = self._children.setdefault(above, set())
            if path in known:
                return
            known.add(path)
            path = above

    def _linked_fact(self, fact: FileFact, target: str) -> FileFact:
        plain = "/".join(part for part in target.split("/") if part not in ("", "."))
        source = self.files.get(plain)
        if source is None or source.kind != "file":
            self.strange.append(f"{fact.path}: a hard link to {plain}, which is not an earlier file")
            return fact
        if plain in self.contents:
            self.contents[fact.path] = self.contents[plain]
        if plain in self.objects:
            self.objects[fact.path] = self.objects[plain]
        return dataclasses.replace(source, path=fact.path, layer=fact.layer)

    def _hashed_fact(self, fact: FileFact, content: ByteReader) -> FileFact:
        sha256 = hashlib.sha256()
        # MD5 is what package managers list; it proves nothing, and no message calls it a proof.
        md5 = None if _NO_MD5.match(fact.path) else hashlib.md5(usedforsecurity=False)
        kept = bytearray() if fact.size <= _LARGEST_KEPT and _KEPT.fullmatch(fact.path) else None
        with tempfile.SpooledTemporaryFile(max_size=_LARGEST_KEPT) as whole:
            chunk = content.read(_CHUNK)
            is_object = chunk.startswith(ELF_MAGIC)
            while chunk:
                sha256.update(chunk)
                if md5 is not None:
                    md5.update(chunk)
                if kept is not None:
                    kept += chunk
                if is_object:
                    whole.write(chunk)
                chunk = content.read(_CHUNK)
            if is_object and (one := read_elf(whole)) is not None:
                self.objects[fact.path] = one
        if kept is not None:
            self.contents[fact.path] = bytes(kept)
        return dataclasses.replace(
            fact, sha256=sha256.hexdigest(), md5=md5.hexdigest() if md5 is not None else ""
        )

    def _remove_path(self, path: str) -> None:
        """Remove `path` and everything below it, as earlier layers have it; this layer's own members stay."""
        self._remove_all([path])

    def _remove_below(self, folder: str) -> None:
        self._remove_all(list(self._children.get(folder, ())))

    def _remove_all(self, waiting: list[str]) -> None:
        while waiting:
            path = waiting.pop()
            waiting += self._children.get(path, ())
            if path in self.files and self.files[path].layer < self._layer:
                del self.files[path]
                self.contents.pop(path, None)
                self.objects.pop(path, None)


def _parent_paths(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]
