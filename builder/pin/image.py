"""`pin image`: the digests of published images, and the OS packages and Python distributions in them.

Their files are read from an image's layers without unpacking them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import BinaryIO

from builder.errors import FetchError, RecipeError, UsageError
from builder.lockfile import RUNTIME
from builder.model import Arch, ImageDigest, key_path_text
from builder.oci import ImageIndex, ImageManifest, Registry
from builder.pin.context import Context, finish, inherited_value
from builder.pin.image_packages import (
    DATABASE_FOLDERS,
    dpkg_packages,
    is_package_file,
    python_distributions,
    rpm_packages,
)
from builder.recipe import ImageRecipe, parse_recipe
from builder.recipe_editor import KeyPath, RecipeEditor
from builder.tars import ByteReader, TarMember, UnreadableError, open_unpacked, read_tar

__all__ = ["LayeredFiles", "pin_image", "read_layers"]


_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_LARGEST = 256 * 2**20  # bytes; a dpkg status file of thousands of packages has two, an RPM database forty
_LARGEST_TOGETHER = 2**30  # bytes


@dataclass(slots=True)
class _LayerFiles:
    """What one layer hides and adds."""

    hidden: list[str] = field(default_factory=list)
    added: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    """Every hard link, and the path that it repeats."""
    size: int = 0

    def fill_hard_links(self, stream: ByteReader) -> None:
        """Give each hard link of `added` the bytes of the earlier file that it repeats (UnreadableError)."""
        wanted = self.links.keys() & self.added.keys()
        needed, waiting = set(wanted), list(wanted)
        while waiting:
            target = self.links.get(waiting.pop(), "")
            if target not in needed:
                needed.add(target)
                waiting.append(target)
        contents: dict[str, bytes] = {}
        for member, content in read_tar(stream):
            path = _plain_path(member.name)
            if path not in needed:
                continue
            if member.kind == "hardlink":
                target = _plain_path(member.link_name)
                if target not in contents:
                    raise UnreadableError(f"{path} is a hard link to {target}, which is not an earlier file")
                contents[path] = contents[target]
            elif member.kind == "file" and member.size <= _LARGEST:
                contents[path] = content.read(member.size)
        self.added |= {path: contents[path] for path in wanted}


class LayeredFiles:
    """The wanted files after some layers, applied from the bottom up."""

    def __init__(self, wanted: Callable[[str], bool], folders: frozenset[str]) -> None:
        """Keep the files of the paths that `wanted` says; `folders` must be folders wherever they stand."""
        self.files: dict[str, bytes] = {}
        self._wanted = wanted
        self._folders = folders

    def apply(self, layer: BinaryIO, *, place: str) -> None:
        """Apply a layer (tar, plain or gzip); what it hides is hidden whatever its order (FetchError)."""
        found = _LayerFiles()
        try:
            with open_unpacked(layer) as stream:
                for member, content in read_tar(stream):
                    self._take_member(member, content, found, place)
            if found.links.keys() & found.added.keys():
                layer.seek(0)
                with open_unpacked(layer) as stream:
                    found.fill_hard_links(stream)
        except (UnreadableError, OSError) as cause:
            raise FetchError(f"is not a readable layer: {cause}", place=place) from cause
        self._apply_whiteouts(found.hidden)
        self.files |= found.added

    def _take_member(
        self,
        member: TarMember,
        content: ByteReader,
        found: _LayerFiles,
        place: str,
    ) -> None:
        path = _plain_path(member.name)
        folder, _, name = path.rpartition("/")
        if name == _OPAQUE:
            found.hidden.append(f"{folder}/")
        elif name.startswith(_WHITEOUT):
            found.hidden.append(f"{folder}/{name.removeprefix(_WHITEOUT)}".lstrip("/"))
        elif path in self._folders and member.kind != "directory":
            raise FetchError(f"has {path} but not as a directory", place=place)
        elif self._wanted(path) and member.kind != "directory":
            if member.kind not in ("file", "hardlink") or member.size > _LARGEST:
                raise FetchError(f"has {path} but not as a small file", place=place)
            # pip and uv may hard-link a distribution's files; such a member has no bytes of its own.
            found.added[path] = content.read(member.size)
            found.size += member.size
            if found.size > _LARGEST_TOGETHER:
                raise FetchError(f"has more than {_LARGEST_TOGETHER} bytes of package metadata", place=place)
        if member.kind == "hardlink":
            found.links[path] = _plain_path(member.link_name)
        else:
            found.links.pop(path, None)

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


_FAMILY = "debian"
_FAMILIES = {"debian": dpkg_packages, "rpm": rpm_packages}
_READ_BY = "pin image, which read it from the layers"
_VARIANTS = ("", "v1", "v8")  # the one that amd64 and arm64 images have, where they say it


@dataclass(frozen=True, slots=True, kw_only=True)
class _RegistryImage:
    """An image of one architecture as the registry has it."""

    index: ImageDigest | None
    digest: ImageDigest
    """Of the manifest."""
    files: dict[str, bytes]
    """Package databases and metadata of Python distributions, by path."""


def pin_image(context: Context, platform: str = "", *, recorded: bool = False) -> int:
    """Pin the images of one platform, or of all: index digest, digest per architecture, inventory.

    Tags are followed to what they mean now; with `recorded` the digests of
    the recipe stay, and their inventory is read. A runtime image whose
    platform says `image-python` gets its Python distributions too. FetchError,
    also for an image without the architecture; DigestMismatchError for wrong bytes.
    """
    editors = context.editors("platforms", platform)
    every = context.readable_editors("platforms")
    seen: dict[tuple[str, str, Arch], _RegistryImage] = {}
    count = 0
    for editor in editors:
        for arch, keys in _image_rows(editor):
            name, reference = _image_reference(editor, keys, recorded=recorded)
            context.console.status(f"reading {name} {reference} for {arch}")
            subject = (name, reference, arch)
            if subject not in seen:
                seen[subject] = _read_image(context, name, reference, arch)
            image, place = seen[subject], f"{name}@{seen[subject].digest}"
            _record_digests(editor, keys, image, recorded=recorded)
            family = inherited_value(every, editor.path.stem, "family", _FAMILY)
            _record_list(editor, keys, "inventory", _os_packages(family)(image.files, arch, place=place))
            if RUNTIME in editor.get((*keys, "roles"), (RUNTIME,)) and inherited_value(
                every, editor.path.stem, "image-python", default=False
            ):
                python = inherited_value(every, editor.path.stem, "python", "")
                _record_python(context, editor, keys, image, python=python, place=place)
            parse_recipe(editor.get(keys), ImageRecipe, place=f"{editor.place}: {key_path_text(keys)}")
            count += 1
    if not count:
        raise UsageError(
            "no published images",
            place=f"recipes/platforms/{platform or '*'}.toml",
            hint="name one: a table [[images.x86_64]] with `name` and `tag`; the rest is filled in",
        )
    finish(context, editors)
    return 0


def _image_rows(editor: RecipeEditor) -> list[tuple[Arch, KeyPath]]:
    """Return the key path of every image that the file itself has."""
    tables = editor.get(("images",), {})
    try:
        return [
            (Arch(arch), ("images", arch, index)) for arch in tables for index in range(len(tables[arch]))
        ]
    except ValueError as error:
        raise RecipeError(str(error), place=f"{editor.place}: images") from None


def _image_reference(editor: RecipeEditor, keys: KeyPath, *, recorded: bool) -> tuple[str, str]:
    name, tag, digest = (str(editor.get((*keys, word), "")) for word in ("name", "tag", "digest"))
    if not name or not (digest if recorded else tag):
        missing = "name" if not name else "digest" if recorded else "tag"
        raise RecipeError("this key is missing", place=f"{editor.place}: {key_path_text((*keys, missing))}")
    return name, digest if recorded else tag


def _read_image(context: Context, name: str, reference: str, arch: Arch) -> _RegistryImage:
    with Registry(name, context.origins) as registry:
        top_digest, top = registry.manifest(reference)
        digest, manifest = _of_arch(registry, top_digest, top, arch)
        files = read_layers(registry, digest, manifest, LayeredFiles(is_package_file, DATABASE_FOLDERS))
        index = top_digest if isinstance(top, ImageIndex) else None
        return _RegistryImage(index=index, digest=digest, files=files)


def _of_arch(
    registry: Registry, digest: ImageDigest, top: ImageManifest | ImageIndex, arch: Arch
) -> tuple[ImageDigest, ImageManifest]:
    """Return the manifest of one architecture and its digest, checked to be of it."""
    place = f"{registry.name}@{digest}"
    if isinstance(top, ImageIndex):
        fitting = [
            part
            for part in top.manifests
            if (part.os, part.architecture) == ("linux", arch.debian) and part.variant in _VARIANTS
        ]
        if len(fitting) != 1:
            has = ", ".join(f"{part.os}/{part.architecture}" for part in top.manifests) or "nothing"
            raise FetchError(f"has {len(fitting)} images for {arch.oci}: {has}", place=place)
        digest, manifest = registry.manifest(fitting[0].digest)
        if isinstance(manifest, ImageIndex):
            raise FetchError("is an index in an index", place=f"{registry.name}@{digest}")
        return digest, manifest
    config = registry.config(top.config)
    if config.architecture != arch.debian:
        raise FetchError(f"is for {config.architecture or 'no architecture'}, not {arch.debian}", place=place)
    return digest, top


def _os_packages(family: str) -> Callable[..., tuple[str, ...]]:
    if family not in _FAMILIES:
        known = ", ".join(_FAMILIES)
        raise RecipeError(f"packages of family {family!r} cannot be read", hint=f"known: {known}")
    return _FAMILIES[family]


def _record_digests(editor: RecipeEditor, keys: KeyPath, seen: _RegistryImage, *, recorded: bool) -> None:
    """Write what was seen; a claim that does not hold any more loses its author."""
    if editor.put((*keys, "digest"), str(seen.digest)):
        editor.drop((*keys, "by"))
    if seen.index is not None:
        editor.put((*keys, "index-digest"), str(seen.index))
    elif not recorded:
        editor.drop((*keys, "index-digest"))
    editor.put((*keys, "evidence"), "observed")


def _record_list(editor: RecipeEditor, keys: KeyPath, word: str, rows: tuple[str, ...]) -> bool:
    """Write a list that was read from the layers, and say whether it differs; then it loses its author."""
    differs = editor.put((*keys, word), list(rows))
    if differs:
        editor.drop((*keys, f"{word}-by"))
    return differs


def _record_python(
    context: Context, editor: RecipeEditor, keys: KeyPath, seen: _RegistryImage, *, python: str, place: str
) -> None:
    rows, others = python_distributions(seen.files, python, place=place)
    if _record_list(editor, keys, "python", rows):
        # A lock demands an author of this list; an inventory that was read needs none.
        editor.put((*keys, "python-by"), _READ_BY)
    if others:
        context.console.warning(f"{place}: not the distributions of Python {python}: {', '.join(others)}")
