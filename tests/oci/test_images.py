"""Published images as OCI layouts, read back by skopeo where there is one."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from builder.errors import DigestMismatchError, FetchError, UsageError
from builder.model.target import Arch
from builder.oci.images import layout_path, open_images, write_layout
from builder.store.store import Store


def layer() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("etc/hostname")
        member.size = 5
        archive.addfile(member, io.BytesIO(b"here\n"))
    return buffer.getvalue()


def put_image(store: Store) -> str:
    """Store an image of one layer; return the SHA-256 of its manifest."""
    plain = layer()
    packed = store.add_bytes(gzip.compress(plain, mtime=0))
    config = {
        "architecture": "arm64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(plain).hexdigest()}"]},
    }
    configuration = json.dumps(config).encode()

    def row(kind: str, digest: str) -> dict[str, object]:
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(store.read(digest))}

    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": row("application/vnd.oci.image.config.v1+json", store.add_bytes(configuration)),
        "layers": [row("application/vnd.oci.image.layer.v1.tar+gzip", packed)],
    }
    return store.add_bytes(json.dumps(manifest).encode())


def test_a_layout(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    manifest = put_image(store)
    folder = write_layout(store, manifest, Arch.AARCH64)
    assert folder == layout_path(store, manifest)
    assert json.loads((folder / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    (found,) = json.loads((folder / "index.json").read_text())["manifests"]
    assert found["digest"] == f"sha256:{manifest}"
    assert found["platform"] == {"os": "linux", "architecture": "arm64"}
    for blob in (folder / "blobs" / "sha256").iterdir():
        assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name
        assert blob.stat().st_ino == store.path(blob.name).stat().st_ino, "it takes no space"
    before = sorted(path.stat().st_mtime_ns for path in folder.rglob("*"))
    assert write_layout(store, manifest, Arch.AARCH64) == folder
    assert len(before) == len(list(folder.rglob("*")))


def test_skopeo_reads_it(tmp_path: Path) -> None:
    if shutil.which("skopeo") is None:
        pytest.skip("skopeo is not installed")
    store = Store(tmp_path / "store")
    manifest = put_image(store)
    folder = write_layout(store, manifest, Arch.AARCH64)
    raw = subprocess.run(["skopeo", "inspect", "--raw", f"oci:{folder}"], capture_output=True, check=True)
    assert hashlib.sha256(raw.stdout).hexdigest() == manifest
    copy = ["skopeo", "--insecure-policy", "copy", "--quiet", f"oci:{folder}", f"dir:{tmp_path / 'copy'}"]
    subprocess.run(copy, capture_output=True, check=True)
    assert (tmp_path / "copy" / "manifest.json").read_bytes() == raw.stdout


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    manifest = put_image(store)
    part = json.loads(store.read(manifest))["layers"][0]["digest"].removeprefix("sha256:")
    store.path(part).unlink()
    with pytest.raises(FetchError, match=part):
        write_layout(store, manifest, Arch.X86_64)
    assert not (layout_path(store, manifest) / "index.json").exists()


@pytest.mark.parametrize("body", [b"[]", b"no json", b"{}", b'{"config": 1, "layers": []}'])
def test_what_is_no_manifest(tmp_path: Path, body: bytes) -> None:
    store = Store(tmp_path / "store")
    with pytest.raises(FetchError, match="manifest"):
        write_layout(store, store.add_bytes(body), Arch.X86_64)


def saved_image(folder: Path, layer: bytes, diff_id: str) -> Path:
    """An image as `docker save` wrote it before OCI layouts: layers are named by paths."""
    config = json.dumps({"os": "linux", "rootfs": {"diff_ids": [diff_id]}}).encode()
    rows = json.dumps([{"Config": "c.json", "Layers": ["l/layer.tar"]}]).encode()
    with tarfile.open(folder / "saved.tar", "w") as archive:
        for name, data in (("c.json", config), ("manifest.json", rows), ("l/layer.tar", layer)):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return folder / "saved.tar"


def test_a_layer_that_a_path_names_is_hashed(tmp_path: Path) -> None:
    right = f"sha256:{hashlib.sha256(layer()).hexdigest()}"
    with open_images(saved_image(tmp_path, layer(), right)) as images:
        images.check(images.images()[0])
    for diff_id in ("sha256:" + "0" * 64, ""):
        path = saved_image(tmp_path, layer(), diff_id)
        with (
            open_images(path) as images,
            pytest.raises(DigestMismatchError, match=r"l/layer\.tar has sha256"),
        ):
            images.check(images.images()[0])


def test_a_fifo_in_an_image_folder_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "index.json")
    with (
        open_images(tmp_path) as images,
        pytest.raises(UsageError, match=r"its index\.json cannot be read: is not a regular file"),
    ):
        images.images()
