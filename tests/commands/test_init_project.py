"""`init project`: recipes that are read at once, files that other programs read, and nothing by halves."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from builder.cli import command_line, main
from builder.recipe.effective import effective_recipe
from builder.recipe.reading import parse_table
from builder.recipe.targets import lockable_targets
from builder.selection import Selection
from tests.commands.projects import opened
from tests.local_index import LocalIndex


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def init(folder: Path, index: LocalIndex, *words: str) -> int:
    return main(["init", "project", str(folder), "--index-url", index.url, "--quiet", *words])


@pytest.fixture
def web(index: LocalIndex) -> LocalIndex:
    index.wheel("pip", "26.1")
    index.wheel("fastapi", "0.120.0")
    index.wheel("uvicorn", "0.38.0")
    return index


def test_a_project_of_a_stack_that_the_catalogue_does_not_know(tmp_path: Path, web: LocalIndex) -> None:
    folder = tmp_path / "My Web"
    assert init(folder, web, "--arch", "x86_64", "--until", "2026-11-24", "--release", "1") == 0
    library = opened(folder).library()
    (target,) = lockable_targets(library, Selection())
    recipe = effective_recipe(library, target)
    assert str(target) == "1/debian-13/my-web-x86_64"
    assert recipe.roots == ("fastapi==0.120.0", "uvicorn[standard]==0.38.0")
    assert recipe.release.exclude_newer == "2026-11-24T00:00:00Z"
    assert dict(recipe.release.python["installer"]) == {"pip": "26.1"}
    assert recipe.checks[0].sha256 == library.programs["checks/versions.py"]


def test_a_project_on_top_of_a_framework_of_the_catalogue(tmp_path: Path, index: LocalIndex) -> None:
    index.wheel("acme-router", "3.1")
    assert init(tmp_path / "router", index, "--extends", "vllm", "--root", "acme-router") == 0
    library = opened(tmp_path / "router").library()
    targets = lockable_targets(library, Selection())
    base = library.releases["1.4.2"]
    recipe = effective_recipe(library, targets[0])
    assert {"acme-router==3.1", "vllm==0.26.0"} <= set(recipe.roots)
    assert recipe.release.exclude_newer == base.exclude_newer
    assert [target.platform for target in targets] == ["debian-13-assembled-cuda-13.0"] * 2
    # What the base release or a pin states is asked of no index.
    assert not [line for line in index.requests if "acme-router" not in line]


def test_what_other_programs_read(tmp_path: Path, web: LocalIndex) -> None:
    folder = tmp_path / "web"
    assert init(folder, web) == 0
    workflow = yaml.safe_load((folder / ".github/workflows/locks.yml").read_text("utf-8"))
    runs = [step["run"] for step in workflow["jobs"]["judge"]["steps"] if "run" in step]
    assert runs[1:] == ["lockwright lock --release all --check", "lockwright verify --release all"]
    hook = yaml.safe_load((folder / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]["hooks"][0]
    assert hook["entry"] == runs[1]
    attributes = subprocess.run(
        ["git", "check-attr", "diff", "--", "lock/1/debian-13/web-x86_64.toml"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "GIT_ATTR_SOURCE": "", "GIT_DIR": str(tmp_path / "none")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert attributes.returncode or "lockwright" in attributes.stdout
    assert parse_table((folder / "lockwright.toml").read_bytes(), place="") == {"catalogue": True}


def test_the_workflow_that_opens_a_pull_request(tmp_path: Path, web: LocalIndex) -> None:
    """Its last step is run as written, with a real git and a `gh` that notes what it is told."""
    folder, remote, tools = tmp_path / "web", tmp_path / "remote.git", tmp_path / "tools"
    assert init(folder, web) == 0
    steps = yaml.safe_load((folder / ".github/workflows/upgrade.yml").read_text("utf-8"))["jobs"]["upgrade"][
        "steps"
    ]
    *words, _, _ = shlex.split(steps[2]["run"])
    assert words[0] == "lockwright"
    assert command_line(words[1:]).parse_args(words[1:]).all
    tools.mkdir()
    (tools / "gh").write_text(
        '#!/bin/sh\necho "$@" >> "$RUNNER_TEMP/told"\n[ "$2" != view ] || cat "$RUNNER_TEMP/state"\n'
    )
    (tools / "gh").chmod(0o755)
    environment = {"PATH": f"{tools}:/usr/bin:/bin", "RUNNER_TEMP": str(tmp_path), "HOME": str(tmp_path)}

    def sh(script: str) -> str:
        done = subprocess.run(["bash", "-e", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=True)  # fmt: skip
        return done.stdout

    (tmp_path / "state").write_text("MERGED\n")
    sh(
        f"git init -q -b main . && git init -q --bare {remote} && git remote add origin {remote} && git add -A"
    )
    sh("git -c user.name=a -c user.email=a@invalid commit -qm x")
    script = steps[3]["run"]
    assert sh(script) == "nothing is newer\n"
    (folder / "lock").mkdir()
    (folder / "lock/new.toml").write_text("")
    sh(script)
    assert sh(f"git --git-dir {remote} ls-tree -r --name-only lockwright/upgrade lock") == "lock/new.toml\n"
    (tmp_path / "state").write_text("OPEN\n")
    sh("git switch -q main && git branch -qD lockwright/upgrade && mkdir -p lock && touch lock/other.toml")
    sh(script)
    told = [line.split()[1] for line in (tmp_path / "told").read_text().splitlines()]
    assert told == ["view", "create", "view", "edit"]


def test_files_that_are_there_stay(tmp_path: Path, web: LocalIndex) -> None:
    folder = tmp_path / "web"
    folder.mkdir()
    (folder / "README.md").write_text("mine\n")
    assert init(folder, web) == 0
    assert (folder / "README.md").read_text() == "mine\n"
    assert (folder / "lockwright.toml").is_file()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--extends", "vlm"), 2, "did you mean `vllm`?"),
        (("--extends", "vllm", "--base", "1.4.3"), 2, "there is no release '1.4.3'"),
        (("--base", "1.4.2"), 2, "--base goes with --extends"),
        (("--called", "vllm"), 2, "the catalogue has a framework 'vllm'"),
        (("--called", "No Name"), 2, "is not a recipe's name"),
        (("--release", "1.4.2"), 2, "the catalogue has a release '1.4.2'"),
        (("--until", "soon"), 2, "is not a day"),
        (("--platform", "debian-14"), 2, "did you mean"),
        (("--platform", "ubuntu-24.04"), 6, "pins are missing"),
        (("--component", "ucxx"), 3, "did you mean `ucx`?"),
        (("--root", "nothing-of-it"), 5, "the index has no distribution 'nothing-of-it'"),
        (("--root", "a b"), 2, "is not a requirement"),
        (("--git", "https://git.invalid"), 2, "--git belongs to a component"),
    ],
)
def test_what_does_not_fit_is_written_nowhere(
    tmp_path: Path,
    web: LocalIndex,
    words: tuple[str, ...],
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert init(tmp_path / "web", web, *words) == code
    assert said in capsys.readouterr().err
    assert not (tmp_path / "web").exists()


def test_a_project_is_not_begun_twice(
    tmp_path: Path, web: LocalIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(tmp_path / "web", web) == 0
    assert init(tmp_path / "web", web) == 2
    assert "a project is here already" in capsys.readouterr().err


def test_options_of_a_project_are_of_no_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "framework", "x", "--extends", "vllm"]) == 2
    assert "--extends belongs to a project" in capsys.readouterr().err
    assert main(["init", "framework"]) == 2
    assert "a framework needs a name" in capsys.readouterr().err
