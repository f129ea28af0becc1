"""The stand-in: pins of archives whose layout is the real one, and no name that nobody published."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from builder.cli import main
from builder.console import Console
from builder.locks import read_stand_in
from builder.project import Project, open_project
from tests.standin.rpm_repository import Rpm, TinyRepo
from tests.standin.world import (
    StandIn,
    check_source,
    published_digest,
    published_wheels,
    read_published,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def copied(tmp_path: Path) -> Project:
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    (tmp_path / "cache").mkdir()
    return open_project(
        project=str(tmp_path), store=str(tmp_path / "store"), origins=(), mirrors=(), console=Console()
    )


@pytest.fixture
def world(httpserver: HTTPServer, copied: Project) -> StandIn:
    found = StandIn(httpserver)
    found.serve_indexes(published_wheels())
    platforms = list(copied.library().platforms.values())
    found.serve_debian_archive(copied.origins.origin("ubuntu").url, "ubuntu", platforms)
    found.serve_rpm_archive(copied.origins.origin("centos-stream").url, "centos-stream", platforms)
    found.serve_registry(["registry-1.docker.io", "quay.io"])
    found.replace_keys(copied.recipes, copied.library())
    return found


def run_pin(project: Project, world: StandIn, *words: str) -> int:
    places = [word for mirror in world.mirrors for word in ("--mirror", mirror)]
    where = ["--project", str(project.root), "--store", str(project.store.root)]
    return main(["pin", *words, "--quiet", *where, *places])


@pytest.mark.parametrize("platform", ["ubuntu-24.04", "ubuntu-22.04", "centos-stream-9"])
def test_signed_indexes_of_each_layout_are_pinned(copied: Project, world: StandIn, platform: str) -> None:
    assert run_pin(copied, world, "repositories", platform) == 0
    rows = copied.library().platform(platform).repositories
    assert all(row.inrelease is not None or row.repomd for row in rows)


def test_the_key_is_the_stand_ins_own(copied: Project, world: StandIn) -> None:
    shutil.copytree(ROOT / "recipes/keys", copied.recipes / "keys", dirs_exist_ok=True)
    assert run_pin(copied, world, "repositories", "ubuntu-24.04") == 7


def test_an_image_of_which_no_list_is_published_is_what_is_missing(copied: Project, world: StandIn) -> None:
    assert run_pin(copied, world, "image", "ubuntu-24.04") == 6
    assert set(world.lacking) == {"the list of what is in docker.io/library/ubuntu:24.04"}


def test_a_repository_without_a_path_is_named_with_its_file(
    copied: Project, world: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_pin(copied, world, "repositories", "amazonlinux-2023") == 3
    said = capsys.readouterr().err
    assert "recipes/platforms/amazonlinux-2023.toml: repositories[0]" in said
    assert "path: this key is missing" in said


def test_each_published_name_has_a_source() -> None:
    for row in (*read_published()["stubs"], *read_published()["wheels"]):
        check_source(row)


def test_an_invented_name_fails(world: StandIn) -> None:
    wheel = published_wheels()[0]
    with pytest.raises(ValueError, match="an invented name: torch has no source"):
        world.serve_indexes([replace(wheel, source="")])
    assert world.invented_names() == []
    world.indexes["nvidia"].wheel("made-up", "1.0", "py3-none-any")
    assert world.invented_names() == ["made_up-1.0-py3-none-any.whl"]


def test_an_invented_requirement_fails(world: StandIn) -> None:
    wheel = published_wheels()[0]
    with pytest.raises(ValueError, match="invented requirements: those of torch have no source"):
        world.serve_indexes([replace(wheel, requires_source="")])
    index = world.indexes[wheel.index]
    tag = wheel.files[0].removeprefix(f"{wheel.name}-{wheel.version}-").removesuffix(".whl")
    index.wheel(wheel.name, wheel.version, tag, requires=("filelock", "made-up>=1"))
    assert world.invented_names() == [f"{wheel.files[0]}: requires made-up>=1"]


def test_an_invented_package_of_an_archive_fails(world: StandIn) -> None:
    world.archives["ubuntu"].publish("noble", {"main/amd64": b"Package: made-up\nVersion: 1\n"})
    folder = next(iter(world.rpm_files)).partition("repodata/")[0]
    files = TinyRepo(packages=(Rpm(name="made-up-too"),), key=world.key).publish()
    world.rpm_files.update({f"{folder}{path}": data for path, data in files.items()})
    assert world.invented_names() == ["made-up", "made-up-too"]


def test_the_record_is_of_what_is_published_now() -> None:
    project = open_project(project=str(ROOT), store="", origins=(), mirrors=(), console=Console())
    assert read_stand_in(project).published == published_digest(), "run scripts/checks/try-on-stand-in again"
