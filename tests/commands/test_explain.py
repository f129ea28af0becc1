"""`explain`: the target that is meant, the forms of the answer, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from builder.cli import main
from tests.recipe.samples import SMALL


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(SMALL, folder)
    monkeypatch.chdir(folder)
    return folder


def test_a_framework_is_shown_for_the_default_target(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "tiny"]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("1.0/plain/tiny-x86_64: ")
    header, *rows = [line.split("\t") for line in said.out.splitlines()]
    assert header == ["part", "key", "value", "written in", "when"]
    assert ["framework tiny", "name", "tiny", "recipes/frameworks/tiny.toml:1", ""] in rows


def test_json_has_the_written_form_and_every_place(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "tiny", "--arch", "aarch64", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["command"], document["target"]) == ("explain", "1.0/plain/tiny-aarch64")
    for row in document["values"]:
        for place in row["places"]:
            assert 1 <= place["line"] <= len((project / place["file"]).read_text().splitlines())


def test_a_project_with_the_catalogue_names_its_folder(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "lockwright.toml").write_text("catalogue = true\n")
    for path in project.rglob("recipes/*/*.toml"):
        path.unlink()
    assert main(["explain", "vllm", "--release", "1.4.2", "--platform", "debian-13-cuda-13.0"]) == 0
    said = capsys.readouterr()
    folder = Path(said.err.partition("catalogue/ is ")[2].splitlines()[0])
    rows = [line.split("\t") for line in said.out.splitlines()][1:]
    for row in rows:
        name, _, line = row[3].split(", ")[0].rpartition(":")
        assert name.startswith("catalogue/")
        assert len((folder / name.removeprefix("catalogue/")).read_text().splitlines()) >= int(line)


@pytest.mark.parametrize(
    ("words", "code", "cause", "hint"),
    [
        (("tinny",), 2, "no framework, component, platform or release 'tinny'", "`tiny`"),
        (("tiny", "--kind", "platform"), 2, "'tiny' is a framework", "--kind framework"),
        (("tiny", "--arch", "x86_64", "--arch", "aarch64"), 2, "one target is explained at a time", "name one"),
        (("plain", "--arch", "x86_64"), 2, "a platform is shown as it is", "leave these options out"),
        (("tiny", "--framework", "other"), 2, "there is no framework 'other'", "tiny"),
        (("tiny", "--release", "all"), 2, "one target is explained at a time", "name one"),
    ],
)  # fmt: skip
def test_what_is_refused(
    words: tuple[str, ...], code: int, cause: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", *words]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert cause in said.err
    assert hint in said.err.partition("hint: ")[2]


def test_a_component_belongs_to_a_target_of_a_framework(capsys: pytest.CaptureFixture[str]) -> None:
    name = next(path.stem for path in sorted(Path("recipes/components").glob("*.toml")))
    assert main(["explain", name, "--arch", "x86_64"]) == 2
    assert "add --framework NAME" in capsys.readouterr().err
    assert main(["explain", name]) == 0
    assert f"component {name}\tname\t{name}\t" in capsys.readouterr().out
