"""From a recipe to an image, for real: locked, rendered, built from source twice, checked, and changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from builder.cli import main
from builder.engine.buildah import Buildah
from builder.engine.compare import compare
from builder.engine.images import open_images
from builder.engine.tree import read_tree
from builder.model.filesystem import FileFact

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.lab, pytest.mark.network]

PLATFORM = "debian-13-assembled"
# netifaces is published as an sdist only, with an extension in C: its build requirements are locked too.
COMPONENT = """\
name = "netifaces"
summary = "Addresses of network interfaces"
homepage = "https://github.com/al45tair/netifaces"
license = "MIT"
system = "python-wheel"

[packages.debian]
build = ["python3-dev"]

[python]
wheels = [{ name = "netifaces" }]
build-requires = ["pip==26.2.1", "setuptools==80.9.0"]

[[versions."0.11.0".archives]]
file = "netifaces-0.11.0.tar.gz"
origin = "pypi"
path = "a6/91/86a6eac449ddfae239e93ffc1918cf33fd9bab35c04d1e963b311e347a73"
sha256 = "043a79146eb2907edf439899f262b3dfe41717d34124298ed281139a8b93ca32"
evidence = "observed"
"""
FRAMEWORK = """\
name = "tiny"
summary = "One extension from source"
license = "MIT"
roots = ["idna", "netifaces"]
components = ["netifaces"]

[[checks]]
run = ["python", "-c", "import netifaces; print('netifaces', netifaces.version)"]
expect = "netifaces 0.11.0"
"""
RELEASE = """\
version = "1.0"
date = "2026-08-28"
exclude-newer = "2026-08-29T00:00:00Z"
default = true
components = { netifaces = "0.11.0" }

[python.all]
idna = "3.10"
netifaces = "0.11.0"

[python.installer]
pip = "26.2.1"

[[targets]]
framework = "tiny"
platforms = ["debian-13-assembled"]
arches = ["x86_64"]
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of one small framework on our own base, locked."""
    folder = tmp_path_factory.mktemp("project")
    recipes = folder / "recipes"
    for name in ("keys", "indexes"):
        shutil.copytree(ROOT / "recipes" / name, recipes / name)
    shutil.copy2(ROOT / "recipes/origins.toml", recipes / "origins.toml")
    for name in ("debian-13", PLATFORM):
        (recipes / "platforms").mkdir(exist_ok=True)
        shutil.copy2(ROOT / f"recipes/platforms/{name}.toml", recipes / "platforms")
    for path, text in (
        ("components/netifaces.toml", COMPONENT),
        ("frameworks/tiny.toml", FRAMEWORK),
        ("releases/1.0.toml", RELEASE),
    ):
        (recipes / path).parent.mkdir(exist_ok=True)
        (recipes / path).write_text(text)
    if (ROOT / "origins.toml").is_file():
        shutil.copy2(ROOT / "origins.toml", folder / "origins.toml")
    assert run(folder, "lock") == 0
    return folder


def run(project: Path, verb: str, *words: str) -> int:
    return main(
        [verb, *words, "--project", str(project), "--store", str(project / "caches/store"), "--quiet"]
    )


def record(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / name).read_text("utf-8"))
    return found


def ran(stages: list[dict[str, Any]]) -> set[str]:
    return {stage["stage"] for stage in stages if stage["ran"]}


def test_a_component_from_source_built_twice_is_one_image(project: Path, tmp_path: Path) -> None:
    out = tmp_path / "twice"
    assert run(project, "reproduce", "--inputs", "store", "--output", str(out)) == 0
    found = record(out, "reproduce.json")
    assert found["verdict"] == "identical"
    for stages in found["stages"]:
        assert {"netifaces-x86_64", "python-x86_64"} <= ran(stages)
    again = tmp_path / "remote"
    assert run(project, "build", "--inputs", "remote", "--output", str(again)) == 0
    built = record(again, "runtime.json")
    assert built["digest"] == found["digests"][0], "both input forms give one image"


def build_with_buildah(project: Path, store: Path, output: Path) -> dict[str, Any]:
    argv = [sys.executable, "-m", "builder", "build", "--engine", "buildah", "--inputs", "store", "--quiet"]
    places = ["--project", str(project), "--store", str(store), "--output", str(output)]
    done = subprocess.run([*argv, *places], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return record(output, "runtime.json")


def files(image: Path) -> dict[str, FileFact]:
    with open_images(image) as layout:
        (one,) = layout.images()
        return dict(read_tree(layout, one).files)


def told(fact: FileFact) -> tuple[str, int, str, str]:
    return fact.kind, fact.mode, fact.target, fact.sha256


def test_buildah_makes_one_image_of_the_same_files(project: Path, tmp_path: Path, buildah: Buildah) -> None:
    """Two builds at a time, each from a store of its own; BuildKit's image beside them."""
    assert run(project, "build", "--inputs", "store", "--output", str(tmp_path / "buildkit")) == 0
    stores = [tmp_path / "first-store", tmp_path / "second-store"]
    for store in stores:
        # Files alone: a linked lock would let one build wait for the other.
        shutil.copytree(project / "caches/store/sha256", store / "sha256", copy_function=os.link)
    with ThreadPoolExecutor(2) as pool:
        outputs = [tmp_path / "first", tmp_path / "second"]
        first, second = pool.map(build_with_buildah, [project] * 2, stores, outputs)
    assert first["digest"] == second["digest"]
    assert first["engine"] == buildah.describe()
    assert {"netifaces-x86_64", "python-x86_64"} <= ran(first["stages"])
    images = [tmp_path / name / "tiny-1.0.oci.tar" for name in ("buildkit", "first")]
    ours, theirs = map(files, images)
    # buildah leaves the folder in which packages were mounted, and gives steps no /etc/hosts: netbase makes one.
    left = {path: theirs.pop(path).kind for path in theirs.keys() - ours.keys()}
    assert left == {"debs": "directory", "etc/hosts": "file"}
    assert {path: told(fact) for path, fact in ours.items()} == {
        path: told(fact) for path, fact in theirs.items()
    }
    found = compare(images[0], images[1]).findings
    assert not [one for one in found if one.what in {"content", "mode", "owner"}]


def test_the_image_is_checked_and_a_wrong_version_is_seen(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(project, "build", "--target", "check", "--output", str(tmp_path / "good")) == 0
    lock = project / "lock/1.0" / PLATFORM / "tiny-x86_64.toml"
    before = lock.read_text("utf-8")
    try:
        lock.write_text(before.replace('expect = "netifaces 0.11.0"', 'expect = "netifaces 0.11.1"'), "utf-8")
        assert run(project, "build", "--target", "check", "--output", str(tmp_path / "bad")) == 8
    finally:
        lock.write_text(before, "utf-8")
    said = capsys.readouterr().err
    assert "stage check-x86_64" in said
    assert "not in this output: netifaces 0.11.1" in said


def test_a_changed_python_pin_builds_no_component_again(project: Path, tmp_path: Path) -> None:
    release = project / "recipes/releases/1.0.toml"
    assert run(project, "build", "--output", str(tmp_path / "before")) == 0
    release.write_text(release.read_text("utf-8").replace('idna = "3.10"', 'idna = "3.9"'), "utf-8")
    assert run(project, "lock") == 0
    assert run(project, "build", "--output", str(tmp_path / "after")) == 0
    assert ran(record(tmp_path / "after", "runtime.json")["stages"]) == {"python-x86_64"}
