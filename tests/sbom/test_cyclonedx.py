"""Bills of materials: complete, valid, the same bytes whoever makes them, and read by other tools."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from builder.cli import main
from builder.graph.graph import RECIPE_NODE as RECIPE
from builder.graph.graph import graph_of
from builder.lockfile.lock import Lock
from builder.lockfile.reading import parse_lock
from builder.model.digest import Sha256
from builder.sbom.cyclonedx import sbom
from builder.sbom.purls import os_purl

RECIPE_NODE = Path(__file__).resolve().parents[2]
LOCKS = sorted(path.relative_to(RECIPE_NODE).as_posix() for path in RECIPE_NODE.glob("lock/*/*/*.toml"))
SOME = [
    "lock/0.6.1/debian-12/vllm-x86_64.toml",
    "lock/1.4.2/debian-13-assembled-cuda-13.0/vllm-aarch64.toml",
    "lock/1.4.2/debian-13/dynamo-x86_64.toml",
]


@cache
def made(path: str) -> tuple[Lock, str, dict[str, Any]]:
    data = (RECIPE_NODE / path).read_bytes()
    lock = parse_lock(data, place=path)
    text = sbom(lock, Sha256.of(data))
    return lock, text, json.loads(text)


@pytest.mark.parametrize("path", SOME)
def test_it_fits_the_official_schema(path: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(made(path)[1]) is None


@pytest.mark.parametrize("path", SOME)
def test_every_row_is_there_with_its_digest_and_purl(path: str) -> None:
    lock, _, bom = made(path)
    hashes = {entry["content"] for item in bom["components"] for entry in item.get("hashes", ())}
    for table in (lock.python, lock.os_packages, lock.sources, lock.archives):
        assert {str(row.sha256) for row in table if row.sha256} <= hashes
    purls = [PackageURL.from_string(item["purl"]) for item in bom["components"] if "purl" in item]
    names = {(purl.type, purl.name, purl.version) for purl in purls}
    assert {("pypi", row.name, row.version) for row in lock.python} <= names
    assert {("deb", row.name, row.version) for row in lock.os_packages} <= names
    assert {str(row.commit) for row in lock.sources} <= {version for _, _, version in names}
    count = sum(
        map(len, (lock.python, lock.os_packages, lock.sources, lock.archives, lock.builds, lock.images))
    )
    count += sum(len(row.submodules) for row in lock.sources)
    count += len({line for image in lock.images for line in image.inventory})
    assert len(bom["components"]) == count


@pytest.mark.parametrize("path", SOME)
def test_edges_are_those_of_the_lock(path: str) -> None:
    lock, _, bom = made(path)
    references = [item["bom-ref"] for item in bom["components"]]
    assert len(set(references)) == len(references)
    edges = {row["ref"]: set(row.get("dependsOn", ())) for row in bom["dependencies"]}
    assert {*edges} == {*references, str(lock.target)}
    assert set().union(*edges.values()) == {*references}  # nothing is without a reason
    graph = graph_of(lock)
    assert len(edges[str(lock.target)]) == sum(RECIPE in askers for askers in graph.askers.values())
    assert sum(map(len, edges.values())) == sum(map(len, graph.askers.values()))


def test_licences_scope_and_origin_of_what_is_built() -> None:
    _, _, bom = made(SOME[2])
    items = {item["bom-ref"].partition("@")[0]: item for item in bom["components"]}
    ucx = items["build:ucx"]
    assert (ucx["scope"], ucx["licenses"]) == ("required", [{"expression": "BSD-3-Clause"}])
    assert items["source:ucx"]["externalReferences"][0]["url"] == "https://github.com/openucx/ucx.git"
    assert items["source:ucx"]["scope"] == items["os-package:autoconf"]["scope"] == "excluded"
    assert items["python:torch" if "python:torch" in items else "python:numpy"]["scope"] == "required"
    assert all("NONE" not in str(item) for item in items.values())


def test_python_of_a_published_image_is_listed() -> None:
    lock, _, _ = made(SOME[2])
    image = dataclasses.replace(lock.images[0], python=("torch==2.9.1",), python_by="somebody")
    bom = json.loads(sbom(dataclasses.replace(lock, images=(image,)), Sha256("0" * 64)))
    (torch,) = [item for item in bom["components"] if item["name"] == "torch"]
    assert (torch["purl"], torch["scope"]) == ("pkg:pypi/torch@2.9.1", "required")


def test_no_clock_no_zone_no_hash_seed(tmp_path: Path) -> None:
    texts = set()
    for seed, zone in (("0", "UTC"), ("7", "Pacific/Chatham")):
        out = tmp_path / seed
        words = ["sbom", "--quiet", "--framework", "dynamo", "--platform", "debian-13", "--arch", "x86_64"]
        subprocess.run(
            [sys.executable, "-m", "builder", *words, "--output", str(out), "--project", str(RECIPE_NODE)],
            env=os.environ | {"PYTHONHASHSEED": seed, "TZ": zone},
            cwd=RECIPE_NODE,
            check=True,
        )
        (file,) = out.rglob("*.cdx.json")
        texts.add(file.read_bytes())
    assert len(texts) == 1
    assert made(SOME[2])[1].encode() in texts


def test_files_are_named_after_their_locks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = RECIPE_NODE / "tests/faults/project"
    assert main(["sbom", "--output", str(tmp_path), "--project", str(small), "--format", "json"]) == 0
    files = [f"{tmp_path}/1.0/plain/tiny-{arch}.cdx.json" for arch in ("aarch64", "x86_64")]
    assert json.loads(capsys.readouterr().out) == {"format": 1, "command": "sbom", "files": files}


@pytest.mark.network
def test_cyclonedx_s_own_javascript_library_finds_every_lock_valid(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm here")
    packages = ("@cyclonedx/cyclonedx-library", "ajv", "ajv-formats", "ajv-formats-draft2019")
    words = ("install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts")
    subprocess.run([npm, *words, *packages], cwd=tmp_path, check=True)
    files = []
    for number, path in enumerate(LOCKS):
        files.append(tmp_path / f"{number}.cdx.json")
        files[-1].write_text(made(path)[1])
    script = Path(__file__).with_name("sbom_valid.mjs")
    done = subprocess.run(
        ["node", str(script), *map(str, files)], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert done.stdout.split("\n")[:-1] == ["valid"] * len(LOCKS)


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("1:4.3-8.el9", "pkg:rpm/centos/make@4.3-8.el9?arch=x86_64&distro=centos-stream-9&epoch=1"),
        ("4.3-8.el9", "pkg:rpm/centos/make@4.3-8.el9?arch=x86_64&distro=centos-stream-9"),
    ],
)
def test_an_rpm_package_keeps_its_epoch_apart(version: str, said: str) -> None:
    lock = parse_lock((RECIPE_NODE / "tests/golden/rpm/lock-x86_64.toml").read_bytes(), place="golden")
    lock = replace(lock, environment=replace(lock.environment, os="centos-stream-9"))
    row = replace(lock.os_packages[0], name="make", version=version)
    assert os_purl(row, lock).to_string() == said


def test_patches_are_the_pedigree_of_their_component() -> None:
    lock, _, bom = made("lock/1.4.2/debian-13-assembled-cuda-13.0/vllm-aarch64.toml")
    build = next(build for build in lock.builds if build.component == "libfabric")
    (item,) = (one for one in bom["components"] if "pedigree" in one and one["name"] == "libfabric")
    texts = [patch["diff"]["text"]["content"] for patch in item["pedigree"]["patches"]]
    assert texts == [patch.data.decode() for patch in build.patches]
    assert texts
