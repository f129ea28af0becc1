"""Small images, written by the tests themselves."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EPOCH = 1787875200


@dataclass(frozen=True, kw_only=True)
class File:
    path: str
    data: bytes = b""
    mode: int = 0o644
    mtime: int = EPOCH
    uid: int = 0
    gid: int = 0
    kind: bytes = tarfile.REGTYPE
    target: str = ""


def layer(files: list[File]) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for file in files:
            info = tarfile.TarInfo(file.path)
            info.size, info.mode, info.mtime = len(file.data), file.mode, file.mtime
            info.uid, info.gid, info.type, info.linkname = file.uid, file.gid, file.kind, file.target
            archive.addfile(info, io.BytesIO(file.data))
    return sink.getvalue()


def image(
    folder: Path,
    layers: list[list[File]],
    *,
    level: int = 6,
    config: dict[str, Any] | None = None,
    arches: tuple[str, ...] = ("amd64",),
    tar: bool = False,
) -> Path:
    """Write an OCI layout with one image an architecture, all of the same layers."""
    blobs: dict[str, bytes] = {}

    def add(data: bytes) -> dict[str, Any]:
        digest = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = data
        return {"digest": f"sha256:{digest}", "size": len(data)}

    manifests = []
    for arch in arches:
        tars = [layer(files) for files in layers]
        body = {
            "architecture": arch,
            "os": "linux",
            "created": "2026-08-28T00:00:00Z",
            "config": {"Env": ["PATH=/usr/bin"]},
            "rootfs": {
                "type": "layers",
                "diff_ids": [f"sha256:{hashlib.sha256(t).hexdigest()}" for t in tars],
            },
            "history": [{"created_by": f"RUN step {n}"} for n, _ in enumerate(tars, start=1)],
            **(config or {}),
        }
        manifest = {
            "schemaVersion": 2,
            "config": add(json.dumps(body).encode()),
            "layers": [add(gzip.compress(data, level, mtime=0)) for data in tars],
        }
        manifests.append(add(json.dumps(manifest).encode()))
    if len(manifests) > 1:
        manifests = [add(json.dumps({"schemaVersion": 2, "manifests": manifests}).encode())]
    blobs["index.json"] = json.dumps({"schemaVersion": 2, "manifests": manifests}).encode()
    blobs["oci-layout"] = b'{"imageLayoutVersion":"1.0.0"}'
    if tar:
        with tarfile.open(folder, "w") as archive:
            for name, data in sorted(blobs.items()):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        return folder
    for name, data in blobs.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder
