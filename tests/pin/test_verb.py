from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builder.cli import main

ROOT = Path(__file__).resolve().parents[2]


def run(*words: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "builder", "pin", *words],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "HOME": str(cwd), "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("kind", ["git", "archive", "repositories", "image", "assembled"])
def test_every_kind_has_an_example(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["pin", "--help"])
    assert caught.value.code == 0
    assert f"  python -m builder pin {kind}" in capsys.readouterr().out


def test_pinning_through_the_program(
    bench: Any, forge: Any, component: Callable[[str, str], Path], tmp_path: Path
) -> None:
    url = forge.make("thing")
    commit = forge.commit("thing", {"a": "1"}, tag="v1.0")
    file = component("thing", f'[versions."1.0".git]\nurl = "{url}"\ntag = "v1.0"\n')
    git = {name: os.environ[name] for name in os.environ if name.startswith("GIT_CONFIG_")}
    places = ("--project", str(bench.root), "--store", str(tmp_path / "store"))

    looked = run("git", "--dry-run", *places, cwd=tmp_path, **git)
    assert looked.returncode == 0, looked.stderr
    assert commit not in file.read_text()
    assert "dry run: no recipe was written" in looked.stderr
    assert 'versions."1.0".git.commit' in looked.stdout

    done = run("git", "thing", "1.0", "--quiet", *places, cwd=tmp_path, **git)
    assert (done.returncode, done.stderr) == (0, "")
    assert f'commit = "{commit}"' in file.read_text()


def test_errors_are_one_line_with_their_exit_code(bench: Any, tmp_path: Path) -> None:
    bench.write("components/thing.toml", "name = \n")
    done = run("git", "--project", str(bench.root), "--store", str(tmp_path / "store"), cwd=tmp_path)
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.startswith("error: recipes/components/thing.toml")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("git", "nothing"), "there is no recipe 'nothing'"),
        (("git", "--mirror", "x"), "expected FROM=TO, two URLs"),
        (("repositories",), "there is no recipe"),
        (("image", "p"), "there is no recipe 'p'"),
        (("image", "p", "1.0"), "'1.0' belongs to `pin git or archive`"),
        (("git", "--recorded"), "--recorded belongs to `pin image`"),
        (("archive", "thing", "1.0"), "expected a component, a version and the name of a file"),
    ],
)
def test_usage_errors_end_with_two(
    bench: Any, tmp_path: Path, words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.write("components/thing.toml", "")
    assert main(["pin", *words, "--project", str(bench.root), "--store", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err


def test_a_recipe_of_the_catalogue_is_not_pinned(
    bench: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.root.mkdir(parents=True, exist_ok=True)
    (bench.root / "lockwright.toml").write_text("catalogue = true\n")
    places = ["--project", str(bench.root), "--store", str(tmp_path)]
    assert main(["pin", "git", "ucx", *places]) == 2
    said = capsys.readouterr().err
    assert "catalogue/components/ucx.toml: 'ucx' is a recipe of the catalogue" in said
    assert "`replaces = true`" in said


def test_a_platform_that_extends_one_of_the_catalogue_is_read_through_it(
    bench: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its repositories are the catalogue's: there is nothing to pin, and no file of the package is written."""
    bench.root.mkdir(parents=True, exist_ok=True)
    (bench.root / "lockwright.toml").write_text("catalogue = true\n")
    bench.write("platforms/ours.toml", 'name = "ours"\nsummary = "s"\nextends = "debian-13"\n')
    before = {path: path.read_bytes() for path in (ROOT / "recipes/platforms").iterdir()}
    places = ["--project", str(bench.root), "--store", str(tmp_path)]
    assert main(["pin", "repositories", "ours", *places]) == 2
    said = capsys.readouterr().err
    assert "recipes/platforms/ours.toml: no repositories of its own" in said
    assert {path: path.read_bytes() for path in (ROOT / "recipes/platforms").iterdir()} == before
