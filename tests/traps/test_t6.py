"""Trap T6: a branch or a moved tag as a version. Each case is a folder with `case.toml`.

`verb` is `read` (recipes are read, without network) or `pin` (the verb, for git
asks a repository that is made from the `[[remote]]` steps). The rest is the
recipe's versions. Author and dates are fixed, so commits are the same everywhere.
"""

from __future__ import annotations

import os
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from builder.cli import main
from builder.errors import BuilderError
from builder.recipe.reading import read_library

HERE = Path(__file__).parent
COMPONENT = {
    "name": "ucx",
    "summary": "Unified Communication X",
    "homepage": "https://example.invalid",
    "license": "BSD-3-Clause",
    "system": "autotools",
}
RELEASE = b"""\
version = "1.0"
date = "2026-01-01"
exclude-newer = "2026-01-02T00:00:00Z"
default = true
components = {}
python = {}
"""


def git(folder: Path, *words: str) -> None:
    env = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@example.invalid",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@example.invalid",
        "GIT_AUTHOR_DATE": "1700000000 +0000",
        "GIT_COMMITTER_DATE": "1700000000 +0000",
    }
    subprocess.run(["git", "-C", str(folder), *words], env=env, check=True, capture_output=True)


def make_remote(folder: Path, steps: list[dict[str, str]]) -> None:
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    for step in steps:
        if "commit" in step:
            (folder / "file").write_text(step["commit"])
            git(folder, "add", "--all")
            git(folder, "commit", "--quiet", f"--message={step['commit']}")
        if "tag" in step:
            git(folder, "tag", "--annotate", "--force", "--message=x", step["tag"])
        if "branch" in step:
            git(folder, "branch", step["branch"])


def read(recipe: bytes) -> tuple[str, int]:
    try:
        read_library({"components/ucx.toml": recipe, "releases/1.0.toml": RELEASE})
    except BuilderError as error:
        return f"error: {error}\nhint: {error.hint}\n", error.exit_code
    return "", 0


@pytest.mark.parametrize("folder", sorted(HERE.glob("T6-*")), ids=lambda folder: folder.name)
def test_trap(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    update_golden: bool,
) -> None:
    case: dict[str, Any] = tomllib.loads((folder / "case.toml").read_text())
    recipe = tomli_w.dumps({**COMPONENT, "versions": case["versions"]}).encode()
    if case["verb"] == "read":
        text, code = read(recipe)
    else:
        make_remote(tmp_path / "forge" / "ucx.git", case["remote"])
        monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
        monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{tmp_path}/forge/.insteadOf")
        monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://git.example.invalid/")
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        file = tmp_path / "project" / "recipes" / "components" / "ucx.toml"
        file.parent.mkdir(parents=True)
        file.write_bytes(recipe)
        code = main(
            ["pin", "git", "--project", str(tmp_path / "project"), "--store", str(tmp_path / "store")]
        )
        assert file.read_bytes() == recipe
        text = capsys.readouterr().err
    if update_golden:
        (folder / "expect.txt").write_text(text)
        (folder / "exit-code").write_text(f"{code}\n")
    assert text == (folder / "expect.txt").read_text()
    assert code == int((folder / "exit-code").read_text())
