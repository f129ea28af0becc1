from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builder.pin.cli import main

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "pin"


def run(*words: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *words],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "HOME": str(cwd), **env},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_script_runs_from_anywhere(tmp_path: Path) -> None:
    done = run("--help", cwd=tmp_path)
    assert done.returncode == 0
    assert "repositories" in done.stdout


@pytest.mark.parametrize("verb", ["git", "archive", "repositories", "image"])
def test_every_verb_has_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([verb, "--help"])
    assert caught.value.code == 0
    assert f"  scripts/pin {verb}" in capsys.readouterr().out


def test_pinning_through_the_script(
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
    ],
)
def test_usage_errors_end_with_two(
    bench: Any, tmp_path: Path, words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.write("components/thing.toml", "")
    assert main([*words, "--project", str(bench.root), "--store", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err
