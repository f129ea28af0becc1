"""From a recipe to an image, for real: locked, rendered, built from source twice, checked, and changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.tiny_extension import build_with_wrong_check, make_project, ran, record, run

pytestmark = [pytest.mark.lab, pytest.mark.network]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of one small framework on our own base, locked."""
    return make_project(tmp_path_factory.mktemp("project"), "x86_64")


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
