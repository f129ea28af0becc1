"""From a recipe to an image, for real: locked, rendered, built from source twice, checked, and changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from builder.attest import parse_statement
from builder.build.buildah import Buildah
from builder.model.image_files import FileFact
from builder.oci.images import open_images
from builder.oci.tree import read_tree
from builder.reproduce.comparison import compare
from tests.commands.tiny_extension import ROOT, build_with_wrong_check, make_project, ran, record, run

pytestmark = [pytest.mark.lab, pytest.mark.network]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of one small framework on our own base, locked."""
    return make_project(tmp_path_factory.mktemp("project"), "x86_64")


def test_a_component_from_source_built_twice_is_one_image(project: Path, tmp_path: Path) -> None:
    out = tmp_path / "twice"
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    words = ("--inputs", "store", "--output", str(out), "--attest", str(key))
    assert run(project, "reproduce", *words) == 0
    found = record(out, "reproduce.json")
    assert found["verdict"] == "identical"
    (statement,) = (project / "attestations").rglob("*.json")
    signed = parse_statement(statement.read_bytes(), place=statement.name)
    assert (signed.digest, dict(signed.locks)) == (found["digests"][0], found["locks"])
    assert signed.engine
    assert signed.conditions == tuple(found["varied"])
    for stages in found["stages"]:
        assert {"netifaces-x86_64", "python-x86_64"} <= ran(stages)
    again = tmp_path / "remote"
    assert run(project, "build", "--inputs", "remote", "--output", str(again)) == 0
    built = record(again, "runtime.json")
    assert built["digest"] == found["digests"][0], "both input forms give one image"


def test_a_component_alone_is_built_again_as_it_was(project: Path, tmp_path: Path) -> None:
    out, image = tmp_path / "alone", tmp_path / "alone/netifaces-0.11.0.oci.tar"
    assert run(project, "build", "--component", "netifaces", "--output", str(out)) == 0
    (wheel,) = (path for path, fact in files(image).items() if fact.kind == "file")
    assert wheel.startswith("wheels/netifaces-0.11.0-")
    words = ("--component", "netifaces", "--against", str(image), "--inputs", "store")
    assert run(project, "reproduce", *words, "--output", str(tmp_path / "again")) == 0
    found = record(tmp_path / "again", "reproduce.json")
    assert (found["component"], found["verdict"]) == ("netifaces", "identical")
    assert found["digests"][0] == record(out, "netifaces.json")["digest"]
    (stages,) = found["stages"]
    assert "netifaces-x86_64" in ran(stages)
    assert "python-x86_64" not in {stage["stage"] for stage in stages}


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
    """Two builds that are asked for at once, each from a store of its own; BuildKit's image beside them."""
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
    assert build_with_wrong_check(project, "x86_64", tmp_path / "bad") == 8
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
