"""`scripts/checks/check-airgap` on an image of a few files: a published base, one archive, one build."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pytest_httpserver import HTTPServer

from builder.lockfile.lock import Lock, Runtime
from builder.lockfile.reading import dump_lock, parse_lock
from builder.model.digest import ImageDigest, Sha256
from builder.oci.registry import Push, Registry
from builder.origins.origins import Origins
from tests.build.samples_root import write_root

pytestmark = pytest.mark.lab

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "fabric" / "lock-x86_64.toml"
NAME = "lockwright-test/airgap-base"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
PROGRAMS = ("cp", "env", "find", "sha256sum")


@dataclass
class Tiny:
    project: Path
    lock: Lock


def lab_registry() -> str:
    """Return where the lab's engine looks for images of docker.io first."""
    argv = ["docker", "info", "--format", "{{json .RegistryConfig.Mirrors}}"]
    mirrors = json.loads(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)
    return str(urlsplit(mirrors[0]).netloc)


def push_base(folder: Path) -> ImageDigest:
    """Put an image of this machine's own programs into the lab's registry."""
    write_root(folder / "root.tar", PROGRAMS)
    layer = (folder / "root.tar").read_bytes()
    rootfs = {"type": "layers", "diff_ids": [digest_of(layer)]}
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs}).encode()
    parts = [
        {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest_of(data), "size": len(data)}
        for kind, data in (("config.v1+json", config), ("layer.v1.tar", layer))
    ]
    table = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": parts[0], "layers": parts[1:]}
    manifest = json.dumps(table).encode()
    with Registry(f"{lab_registry()}/{NAME}", Origins()) as registry, Push(registry) as push:
        for data in (config, layer):
            push.blob(digest_of(data), lambda data=data: io.BytesIO(data))  # type: ignore[misc]
        push.manifest("1", manifest, MANIFEST_TYPE)
    return digest_of(manifest)


def digest_of(data: bytes) -> ImageDigest:
    return ImageDigest(f"sha256:{hashlib.sha256(data).hexdigest()}")


def archive() -> bytes:
    """Return the archive that the build unpacks."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as made:
        info = tarfile.TarInfo("nats/nats-server")
        data = b"#!/bin/sh\necho hello\n"
        info.size, info.mode = len(data), 0o755
        made.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.fixture
def tiny(tmp_path: Path, httpserver: HTTPServer) -> Tiny:
    lock = parse_lock(GOLDEN.read_bytes(), place="golden")
    (build,) = [row for row in lock.builds if row.component == "nats-server"]
    files = {file: archive() if file.endswith(".gz") else b"licence\n" for file in build.archives}
    origins = []
    archives = []
    for row in (row for row in lock.archives if row.component == build.component):
        data = files[row.file]
        path = f"{row.path}/{row.file}" if row.path else row.file
        httpserver.expect_request(f"/{row.origin}/{path}").respond_with_data(data)
        origins.append(
            f'[origins.{row.origin}]\nurl = "{httpserver.url_for(f"/{row.origin}/")}"\nlayout = "flat"\n'
        )
        archives.append(
            dataclasses.replace(row, sha256=Sha256.of(data), size=None if row.size is None else len(data))
        )
    image = dataclasses.replace(
        lock.images[0], name=f"docker.io/{NAME}", tag="1", digest=push_base(tmp_path), index_digest=None
    )
    lock = dataclasses.replace(
        lock,
        images=(image,),
        archives=tuple(archives),
        builds=(dataclasses.replace(build, checks=()),),
        sources=(),
        python=(),
        os_packages=(),
        repositories=(),
        runtime=Runtime(),
    )
    project = tmp_path / "project"
    file = project / "lock" / lock.target.path
    file.parent.mkdir(parents=True)
    file.write_bytes(dump_lock(lock))
    # The registry of the lab is a mirror of docker.io for the engine; for lockwright it must be named.
    registry = f'[mirrors]\n"https://registry-1.docker.io/v2/" = ["http://{lab_registry()}/v2/"]\n'
    (project / "origins.toml").write_text("".join(sorted(set(origins))) + registry)
    return Tiny(project=project, lock=lock)


def check(tiny: Tiny, tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = ["scripts/checks/check-airgap", "--project", str(tiny.project), "--store", str(tmp_path / "store")]
    return subprocess.run(
        [*argv, "--release", tiny.lock.release, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_an_image_built_behind_an_air_gap_has_the_same_digest(tiny: Tiny, tmp_path: Path) -> None:
    done = check(tiny, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "interfaces: lo; a connection elsewhere: Network is unreachable" in done.stderr
    networked, airgapped, verdict = done.stdout.splitlines()
    assert verdict == "equal"
    assert networked.split()[1] == airgapped.split()[1]
    base = tiny.lock.images[0].digest
    assert f"GET /v2/{NAME}/manifests/{base}" in done.stderr, "BuildKit took the base from the served store"
    assert f"GET /v2/{NAME}/blobs/sha256:" in done.stderr


def test_another_digest_is_a_difference(tiny: Tiny, tmp_path: Path) -> None:
    done = check(tiny, tmp_path, "--expect", f"sha256:{'0' * 64}")
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "DIFFERENT"
