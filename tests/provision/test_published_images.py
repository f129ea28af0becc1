"""Published base images from a real registry (Debian's docker-registry) into OCI layouts of the store."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from builder.console import Console
from builder.errors import FetchError
from builder.lockfile.reading import dump_lock, parse_lock
from builder.model.digest import ImageDigest
from builder.model.target import Arch
from builder.oci.images import layout_path, write_layout
from builder.origins.origins import Origins
from builder.project import Project
from builder.render.fetches import Inputs
from builder.selection import Selection
from builder.store.store import Store
from tests.commands.fetching import fetch_into
from tests.commands.registries import running_registry
from tests.oci.test_images import put_image

GOLDEN = Path(__file__).parents[1] / "golden" / "fabric" / "lock-x86_64.toml"
EVERYTHING = Selection(releases=("all",), platforms=(), frameworks=(), arches=())


@pytest.fixture
def tools() -> None:
    for program in ("docker-registry", "skopeo"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


def project_of(folder: Path, name: str, manifest: str) -> tuple[Project, io.StringIO]:
    """Return a project with one lock that names the image and nothing else."""
    golden = parse_lock(GOLDEN.read_bytes(), place="golden")
    image = dataclasses.replace(golden.images[0], name=name, digest=ImageDigest(f"sha256:{manifest}"))
    lock = dataclasses.replace(
        golden,
        images=(image,),
        sources=(),
        archives=(),
        python=(),
        os_packages=(),
        builds=(),
        repositories=(),
    )
    file = folder / "project" / "lock" / lock.target.path
    file.parent.mkdir(parents=True)
    file.write_bytes(dump_lock(lock))
    err = io.StringIO()
    store = Store(folder / "store")
    root = folder / "project"
    return Project(root=root, store=store, origins=Origins(), console=Console(io.StringIO(), err)), err


def test_images_of_a_registry(tools: None, tmp_path: Path) -> None:
    made = Store(tmp_path / "made")
    manifest = put_image(made)
    folder = write_layout(made, manifest, Arch.AARCH64)
    with running_registry(tmp_path / "registry") as host:
        copy = [
            "skopeo",
            "--insecure-policy",
            "copy",
            "--quiet",
            "--preserve-digests",
            "--dest-tls-verify=false",
        ]
        subprocess.run(
            [*copy, f"oci:{folder}", f"docker://{host}/library/base:1"], check=True, capture_output=True
        )
        project, err = project_of(tmp_path, f"{host}/library/base", manifest)
        assert fetch_into(project, EVERYTHING) == 0
        assert "--images brings it" in err.getvalue()
        assert not project.store.has(manifest)
        assert fetch_into(project, EVERYTHING, images=True) == 0
    layout = layout_path(project.store, manifest)
    assert str(layout) in err.getvalue()
    raw = subprocess.run(["skopeo", "inspect", "--raw", f"oci:{layout}"], check=True, capture_output=True)
    assert hashlib.sha256(raw.stdout).hexdigest() == manifest
    (row,) = json.loads((layout / "index.json").read_text())["manifests"]
    assert row["platform"]["architecture"] == "amd64"
    assert fetch_into(project, EVERYTHING, images=True) == 0, "the registry is gone"
    before = err.getvalue()
    assert fetch_into(project, EVERYTHING, inputs=Inputs.REMOTE) == 0
    assert "published image" not in err.getvalue()[len(before) :]


def test_an_image_that_nobody_has(tools: None, tmp_path: Path) -> None:
    with running_registry(tmp_path / "registry") as host:
        project, _ = project_of(tmp_path, f"{host}/library/base", "0" * 64)
        with pytest.raises(FetchError) as caught:
            fetch_into(project, EVERYTHING, images=True)
    assert caught.value.exit_code == 6
    assert list(project.store.digests()) == []
