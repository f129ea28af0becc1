"""What users copy: the workflow for pull requests and the pre-commit hooks, run for real as far as this machine can."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "tests/faults/project/lock/1.0/plain"
LOCK = "lock/1.0/plain/tiny-x86_64.toml"
DIFF, REPORT = ROOT / "docs/github/lock-diff.yml", ROOT / "docs/github/lock-report.yml"
AUDIT = ROOT / "docs/github/lock-audit.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"


def environment(folder: Path) -> dict[str, str]:
    who = {f"GIT_{role}_{key}": "a@invalid" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    passed = {
        name: value
        for name, value in os.environ.items()
        if name.endswith(("_PROXY", "_proxy", "_BUNDLE", "_FILE"))
    }
    return (
        passed
        | who
        | {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "PYTHONPATH": str(ROOT),
        }
    )


def run(folder: Path, *words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    env = environment(folder.parent) | (env or {})
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / LOCK).parent.mkdir(parents=True)
    (folder / LOCK).write_bytes((TINY / "tiny-x86_64.toml").read_bytes())
    (folder / "scripts").mkdir()
    (folder / "scripts/environment").write_text(f"#!/bin/sh\necho {sys.executable}\n")
    (folder / "scripts/environment").chmod(0o755)
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "lockwright").write_text(f'#!/bin/sh\nexec {sys.executable} -m builder "$@"\n')
    (bin_ / "gh").write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$HOME/gh.txt"\n')
    for program in bin_.iterdir():
        program.chmod(0o755)
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "locks"]):
        assert run(folder, "git", *words).returncode == 0
    return folder


def edit(folder: Path, old: str, new: str) -> None:
    text = (folder / LOCK).read_text()
    assert old in text
    (folder / LOCK).write_text(text.replace(old, new))


def steps(workflow: Path) -> list[str]:
    """Return the commands of a workflow's steps, as its lines have them."""
    found = []
    text = workflow.read_text()
    for match in re.finditer(r"^( +)(?:- )?run: (.*)\n((?:\1 +.*\n)*)", text, re.MULTILINE):
        body = match[3] if match[2] == "|" else match[2]
        found.append("\n".join(line.strip() for line in body.strip().split("\n")))
    return found


@pytest.mark.parametrize(
    ("change", "code", "heading"),
    [
        (
            ('glibc = "2.41"', 'glibc = "2.42"'),
            0,
            "### Build steps, flags, environment, checks, settings (1)",
        ),
        (('origin = "pypi"', 'origin = "elsewhere"'), 1, "### New origin or index"),
        (("format = 1", "format = 99"), 4, "cannot be compared (exit code 4)"),
    ],
)
def test_the_workflow_comments_and_fails_where_it_must(
    repository: Path, tmp_path: Path, change: tuple[str, str], code: int, heading: str
) -> None:
    base = run(repository, "git", "rev-parse", "HEAD").stdout.strip()
    run(repository, "git", "checkout", "-qb", "change")
    edit(repository, *change)
    run(repository, "git", "commit", "-qam", "change")
    head = run(repository, "git", "rev-parse", "HEAD").stdout.strip()
    run(repository, "git", "update-ref", "refs/pull/7/head", head)
    checkout = tmp_path / "checkout"
    run(tmp_path, "git", "clone", "-q", str(repository), str(checkout))
    run(checkout, "git", "checkout", "-q", base)
    env = {
        "BASE": base,
        "HEAD": head,
        "NUMBER": "7",
        "FAIL_ON": "tag",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GITHUB_ENV": str(tmp_path / "env.txt"),
    }
    fetch, compare, comment, fail = steps(DIFF)
    for step in (fetch, compare, comment):
        done = run(checkout, "bash", "-eo", "pipefail", "-c", step, env=env)
        assert done.returncode == 0, done.stderr
    kept = dict(line.split("=", 1) for line in (tmp_path / "env.txt").read_text().split())
    assert run(checkout, "bash", "-eo", "pipefail", "-c", fail, env=env | kept).returncode == code
    assert heading in (checkout / "lock-diff.md").read_text()
    assert (tmp_path / "summary.md").read_text() == (checkout / "lock-diff.md").read_text()
    said = (tmp_path / "gh.txt").read_text().split("\n")
    assert said[:3] == ["pr", "comment", "7"]
    assert said[-2] == "lock-diff.md"


def test_the_workflow_of_the_report_shows_the_change_before_and_after(
    repository: Path, tmp_path: Path
) -> None:
    run(repository, "git", "checkout", "-qb", "change")
    edit(repository, 'glibc = "2.41"', 'glibc = "2.42"')
    run(repository, "git", "commit", "-qam", "change")
    head = run(repository, "git", "rev-parse", "HEAD").stdout.strip()
    run(repository, "git", "update-ref", "refs/pull/7/head", head)
    checkout = tmp_path / "checkout"
    run(tmp_path, "git", "clone", "-q", "--branch", "main", str(repository), str(checkout))
    for step in steps(REPORT):
        env = {"HEAD": head, "NUMBER": "7", "RELEASE": "all"}
        done = run(checkout, "bash", "-eo", "pipefail", "-c", step, env=env)
        assert done.returncode == 0, done.stderr
    page = (checkout / "lock-report/change.html").read_text()
    assert "2.41" in page
    assert "2.42" in page


def test_the_workflow_of_the_audit_hands_over_findings_and_fails(repository: Path, tmp_path: Path) -> None:
    edit(repository, "format = 1", "format = 99")
    kept = tmp_path / "env.txt"
    env = {"RELEASE": "all", "ADVISORIES": str(tmp_path / "osv.json"), "GITHUB_ENV": str(kept)}
    env |= {"REPOSITORY": "acme/stack", "REF": "refs/heads/main", "COMMIT": "0" * 40}
    (tmp_path / "osv.json").write_text("[]")
    judge, show, fail = (step.replace("--online ", "") for step in steps(AUDIT))
    for step in (judge, show):
        done = run(repository, "bash", "-eo", "pipefail", "-c", step, env=env)
        assert done.returncode == 0, done.stderr
    log = json.loads((repository / "findings.sarif").read_text())
    assert {result["ruleId"] for result in log["runs"][0]["results"]} >= {"unreadable"}
    said = (tmp_path / "gh.txt").read_text().split("\n")
    (sent,) = (word.removeprefix("sarif=") for word in said if word.startswith("sarif="))
    assert json.loads(gzip.decompress(base64.b64decode(sent))) == log
    code = dict(line.split("=", 1) for line in kept.read_text().split())
    assert run(repository, "bash", "-eo", "pipefail", "-c", fail, env=env | code).returncode == 4


@pytest.mark.parametrize("workflow", [DIFF, REPORT, AUDIT], ids=lambda path: path.stem)
def test_a_workflow_names_its_actions_by_commit_and_no_expression_is_in_a_command(workflow: Path) -> None:
    text = workflow.read_text()
    assert re.findall(r"uses: \S+@(\S+)", text) == [
        word for word in re.findall(r"@(\S+)", text) if len(word) == 40
    ]
    assert not any("${{" in step for step in steps(workflow))


def test_the_hook_stops_a_commit_of_what_is_dangerous(repository: Path) -> None:
    entry = re.search(r"entry: (lockwright diff .*)\n\s+args: \[(.*)\]", HOOKS.read_text())
    assert entry
    words = shlex.join([*shlex.split(entry[1]), *entry[2].split(", ")])
    hook = repository / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nexec {words}\n")
    hook.chmod(0o755)
    edit(repository, 'glibc = "2.41"', 'glibc = "2.42"')
    done = run(repository, "git", "commit", "-qam", "settings")
    assert done.returncode == 0, done.stderr
    edit(repository, 'origin = "pypi"', 'origin = "elsewhere"')
    done = run(repository, "git", "commit", "-qam", "origin")
    assert done.returncode == 1
    assert "New origin or index" in done.stdout + done.stderr
    edit(repository, 'origin = "elsewhere"', 'origin = "pypi"')
    run(repository, "git", "add", "-A")
    edit(repository, 'origin = "pypi"', 'origin = "elsewhere"')
    assert (
        run(repository, "git", "commit", "-qm", "only what is staged counts", "--allow-empty").returncode == 0
    )


@pytest.mark.network
def test_pre_commit_itself_runs_the_hooks(repository: Path, tmp_path: Path) -> None:
    edit(repository, 'origin = "pypi"', 'origin = "elsewhere"')
    run(repository, "git", "add", "-A")
    copy = tmp_path / "lockwright"
    run(tmp_path, "git", "clone", "-q", str(ROOT), str(copy))
    words = (
        "tool",
        "run",
        "--from",
        "pre-commit>=4",
        "pre-commit",
        "try-repo",
        str(copy),
        "lockwright-diff",
        "--files",
        LOCK,
    )
    env = {"UV_CACHE_DIR": str(tmp_path / "uv"), "PYTHONPATH": ""}
    done = run(repository, sys.executable, "-m", "uv", *words, env=env)
    assert "New origin or index" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 1
