"""A published image of the store as an OCI image layout, which BuildKit, skopeo and podman read."""

from __future__ import annotations

__all__ = ["layout_path", "write_layout"]

import os
import shutil
import tempfile
from pathlib import Path

from builder.errors import FetchError
from builder.io import write_atomic
from builder.model import Arch, ImageDigest
from builder.oci.manifests import OCI_LAYOUT, Descriptor, ImageIndex, dump_index, parse_image_manifest
from builder.store import Store, unwritable

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
