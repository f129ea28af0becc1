"""A published image of the store as an OCI image layout, which BuildKit, skopeo and podman read."""

from __future__ import annotations

__all__ = ["layout_path", "write_layout"]

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from builder.errors import FetchError
from builder.io import write_atomic
from builder.model import Arch
from builder.store import Store, unwritable

_OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
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
    table = _manifest(body, manifest)
    try:
        blobs = folder / "blobs" / "sha256"
        blobs.mkdir(parents=True, exist_ok=True)
        for digest in (manifest, *_parts(table, manifest)):
            if not store.has(digest):
                raise FetchError("is not in the store", place=f"sha256:{digest}", hint="run `fetch --images`")
            _link(store.path(digest), blobs / digest)
    except OSError as cause:
        raise unwritable(store.root, cause) from cause
    descriptor = {
        "mediaType": table.get("mediaType", _OCI_MANIFEST),
        "digest": f"{_PREFIX}{manifest}",
        "size": len(body),
        "platform": {"os": "linux", "architecture": arch.oci.partition("/")[2]},
    }
    index = {"schemaVersion": 2, "manifests": [descriptor]}
    write_atomic(folder / "oci-layout", b'{"imageLayoutVersion":"1.0.0"}\n')
    write_atomic(folder / "index.json", json.dumps(index, indent=2).encode() + b"\n")
    return folder


def _manifest(body: bytes, digest: str) -> dict[str, Any]:
    try:
        table = json.loads(body)
    except ValueError:
        table = None
    if not isinstance(table, dict):
        raise FetchError("is not an image manifest", place=f"sha256:{digest}")
    return table


def _parts(table: dict[str, Any], manifest: str) -> list[str]:
    """Return the digests of the configuration and the layers."""
    try:
        return [str(part["digest"]).removeprefix(_PREFIX) for part in (table["config"], *table["layers"])]
    except (KeyError, TypeError) as cause:
        raise FetchError("is not the manifest of one image", place=f"sha256:{manifest}") from cause


def _link(source: Path, target: Path) -> None:
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
