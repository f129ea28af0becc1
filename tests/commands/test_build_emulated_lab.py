"""The small framework for aarch64 on a machine of x86_64: locked, built twice under emulation, and checked."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import pytest

from builder.build.buildkit import find_engine
from builder.model.target import Arch
from builder.oci.images import open_images
from tests.commands.tiny_extension import (
    build_stages,
    build_with_wrong_check,
    make_project,
    ran,
    record,
    run,
)

pytestmark = [pytest.mark.lab, pytest.mark.network]

ELF = b"\x7fELF"
MACHINES = {"linux/amd64": 62, "linux/arm64": 183}  # e_machine of elf(5): EM_X86_64, EM_AARCH64


class Program(NamedTuple):
    """The name and the ELF machine of a file."""

    name: str
    machine: int


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of one small framework on our own base, locked for both architectures."""
    missing = set(MACHINES) - set(find_engine().platforms)
    assert not missing, f"the engine cannot build for {missing}: scripts/lab up --emulate aarch64"
    return make_project(tmp_path_factory.mktemp("project"), "x86_64", "aarch64")


def programs(image: Path, pattern: str) -> dict[str, Program]:
    """Return, for each platform, the file of its image that matches, which must be ELF."""
    found = {}
    with open_images(image) as layout:
        for one in layout.images():
            for layer in one.layers:
                with layout.opened(layer) as files:
                    for path, content in files:
                        if not fnmatch(path, pattern):
                            continue
                        header = content.read(20)
                        assert header[:4] == ELF
                        name = path.rpartition("/")[2]
                        found[one.platform] = Program(name, int.from_bytes(header[18:20], "little"))
    return found


def test_the_base_is_configured_under_emulation(project: Path, tmp_path: Path) -> None:
    image = tmp_path / "base" / "image.oci.tar"
    build_stages(project, "base-aarch64", image, Arch.AARCH64)
    assert programs(image, "usr/bin/dpkg") == {"linux/arm64": Program("dpkg", MACHINES["linux/arm64"])}
    with open_images(image) as layout:
        (base,) = layout.images()
        made = {entry.path for layer in base.layers for entry in layout.entries(layer)}
    assert made >= {"etc/ld.so.cache", "etc/shadow"}, "by maintainer scripts"


@pytest.mark.slow
def test_a_component_and_the_python_layer_built_twice_are_one_index(project: Path, tmp_path: Path) -> None:
    first = tmp_path / "first"
    assert run(project, "build", "--inputs", "remote", "--output", str(first)) == 0
    found = record(first, "runtime.json")
    assert sorted(found["platforms"]) == sorted(MACHINES)
    built = programs(first / "tiny-1.0.oci.tar", "*/netifaces.*.so")
    assert {name: row.machine for name, row in built.items()} == MACHINES
    assert built["linux/arm64"].name.endswith("-aarch64-linux-gnu.so")

    anew = tuple(f"{stage}-{arch}" for arch in ("aarch64", "x86_64") for stage in ("netifaces", "python"))
    again = build_stages(project, "runtime", tmp_path / "second" / "image.oci.tar", anew=anew)
    steps = {step.stage for step in again.steps if step.what.startswith("RUN") and not step.cached}
    assert steps >= set(anew), "neither came from the cache"
    with open_images(tmp_path / "second" / "image.oci.tar") as layout:
        assert layout.digest == found["digest"], "built again, and in the other form, it is the same index"


@pytest.mark.slow
def test_the_emulated_image_is_checked_and_a_wrong_version_is_seen(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--arch", "aarch64", "--target", "check", "--output", str(tmp_path / "good"))
    assert run(project, "build", *words) == 0
    assert "check-aarch64" in {row["stage"] for row in record(tmp_path / "good", "check.json")["stages"]}
    assert build_with_wrong_check(project, "aarch64", tmp_path / "bad") == 8
    said = capsys.readouterr().err
    assert "stage check-aarch64" in said
    assert "not in this output: netifaces 0.11.1" in said


@pytest.mark.slow
def test_all_of_it_built_twice_is_one_index(project: Path, tmp_path: Path) -> None:
    """The base and the OS packages too, which dpkg configures under emulation."""
    out = tmp_path / "twice"
    assert run(project, "reproduce", "--inputs", "store", "--output", str(out)) == 0
    found = record(out, "reproduce.json")
    assert found["verdict"] == "identical"
    for stages in found["stages"]:
        assert {"base-configured-aarch64", "os-aarch64", "netifaces-aarch64", "python-aarch64"} <= ran(stages)
    with open_images(out / "tiny-1.0.oci.tar") as layout:
        assert [image.platform for image in layout.images()] == sorted(MACHINES)
