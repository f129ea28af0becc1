"""`pin image`: the digests of published images, and the OS packages in them."""

from __future__ import annotations

from dataclasses import dataclass

from builder.errors import FetchError, RecipeError, UsageError
from builder.model import Arch, ImageDigest
from builder.oci import ImageIndex, ImageManifest, Registry
from builder.pin.context import Context, finish
from builder.pin.layers import inventory
from builder.recipe import ImageRecipe, parse_recipe
from builder.recipe_editor import KeyPath, RecipeEditor, key_path_text

__all__ = ["pin_image"]

_FAMILY = "debian"
_VARIANTS = ("", "v1", "v8")  # the one that amd64 and arm64 images have, where they say it


@dataclass(frozen=True, slots=True, kw_only=True)
class _RegistryImage:
    """An image of one architecture as the registry has it."""

    index: ImageDigest | None
    digest: ImageDigest
    """Of the manifest."""
    inventory: tuple[str, ...] | None


def pin_image(context: Context, platform: str = "", *, recorded: bool = False) -> int:
    """Pin the images of one platform, or of all: index digest, digest per architecture, inventory.

    Tags are followed to what they mean now; with `recorded` the digests of
    the recipe stay, and their inventory is read. FetchError, also for an
    image without the architecture; DigestMismatchError for wrong bytes.
    """
    editors = context.editors("platforms", platform)
    seen: dict[tuple[str, str, Arch], _RegistryImage] = {}
    count = 0
    for editor in editors:
        family = str(editor.get(("family",), _FAMILY))
        for arch, keys in _image_rows(editor):
            name, reference = _image_reference(editor, keys, recorded=recorded)
            context.console.status(f"reading {name} {reference} for {arch}")
            subject = (name, reference, arch)
            if subject not in seen:
                seen[subject] = _read_image(context, name, reference, arch, family)
            _record_image(editor, keys, seen[subject], recorded=recorded)
            count += 1
    if not count:
        raise UsageError("no published images", place=f"recipes/platforms/{platform or '*'}.toml")
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


def _read_image(context: Context, name: str, reference: str, arch: Arch, family: str) -> _RegistryImage:
    with Registry(name, context.origins) as registry:
        top_digest, top = registry.manifest(reference)
        digest, manifest = _of_arch(registry, top_digest, top, arch)
        rows = inventory(registry, digest, manifest, arch) if family == _FAMILY else None
        if rows is None:
            context.console.warning(f"{name}: the packages of family {family} are not read yet")
        index = top_digest if isinstance(top, ImageIndex) else None
        return _RegistryImage(index=index, digest=digest, inventory=rows)


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


def _record_image(editor: RecipeEditor, keys: KeyPath, seen: _RegistryImage, *, recorded: bool) -> None:
    """Write what was seen; a claim that does not hold any more loses its author."""
    if editor.put((*keys, "digest"), str(seen.digest)):
        editor.drop((*keys, "by"))
    if seen.index is not None:
        editor.put((*keys, "index-digest"), str(seen.index))
    elif not recorded:
        editor.drop((*keys, "index-digest"))
    editor.put((*keys, "evidence"), "observed")
    if seen.inventory is not None and editor.put((*keys, "inventory"), list(seen.inventory)):
        editor.drop((*keys, "inventory-by"))
    parse_recipe(editor.get(keys), ImageRecipe, place=f"{editor.place}: {key_path_text(keys)}")
