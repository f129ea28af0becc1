"""Failures of the environment: no home folder, no uv, no network, a read-only checkout, a checkout of somebody else.

Each verb runs in each of them: it does its work, or ends with a documented exit code and an error, whose
message, on one line, says what is missing. None shows a traceback.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from builder.cli import VERBS, main
from tests.recipe.samples import ROOT, SMALL

WORDS: dict[str, tuple[str, ...]] = {
    "lock": ("--upgrade", "--index-url", "https://index.invalid/"),
    "render": ("--stale", "--arch", "x86_64"),
    "export": ("--arch", "x86_64"),
    "fetch": ("--arch", "x86_64"),
    "bundle": ("--output", "out.tar"),
    "build": ("--stale", "--arch", "x86_64"),
    "check": ("--arch", "x86_64", "--image", "registry.invalid/team/image:1"),
    "reproduce": ("--stale", "--arch", "x86_64"),
    "verify": (),
    "pin": ("git",),
    "init": ("project", "fresh", "--root", "idna", "--index-url", "https://index.invalid/"),
    "report": ("--output", "site"),
    "explain": ("tiny",),
    "why": ("idna",),
    "image-size": ("--arch", "x86_64"),
    "sbom": ("--arch", "x86_64"),
    "align": ("--offline",),
    "diff": ("HEAD",),
    "git-driver": ("lock/1.0/plain/tiny-x86_64.toml",),
}
"""What each verb is asked; any other is asked without a word."""
DOCUMENTED = frozenset(range(9))
SETPRIV = shutil.which("setpriv")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small project as a checkout, with places that do not exist and caches of its own."""
    folder = tmp_path / "project"
    shutil.copytree(SMALL, folder)
    (folder / "origins.toml").write_text(
        "".join(
            f'[origins.{name}]\nurl = "https://{name}.invalid/"\nlayout = "flat"\n'
            for name in ("files", "pypi", "debian")
        )
        + '[software-heritage]\nurl = ""\n'
    )
    for words in (("init", "-q"), ("add", "-A"), ("-c", "user.name=A", "-c", "user.email=a@invalid", "commit", "-qm", "x")):  # fmt: skip
        subprocess.run(["git", *words], cwd=folder, check=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def run_in_process(verb: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main([verb, "--quiet", *WORDS.get(verb, ())])
    return code, capsys.readouterr().err


def check_answer(code: int, said: str) -> None:
    assert code in DOCUMENTED
    assert "Traceback" not in said
    if code != 8:  # the words of a program that failed are its own
        lines = [line for line in said.splitlines() if ": no connection: " not in line]  # a line a file
        assert {line.partition(" ")[0] for line in lines} <= {"error:", "hint:", "warning:"}, said
    if code in {2, 3, 4, 8}:
        assert "error: " in said


@pytest.mark.parametrize("verb", VERBS)
def test_without_a_home_folder(
    verb: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A container that runs as an unknown number: neither HOME nor a row of the user database."""

    def nobody(number: int) -> pwd.struct_passwd:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(RuntimeError):
        Path.home()
    code, said = run_in_process(verb, capsys)
    check_answer(code, said)
    if verb in {"verify", "explain", "why", "matrix", "diff", "image-size"}:
        assert code in {0, 1}, said  # what only reads needs no home


def test_what_needs_a_home_says_which_option_replaces_it(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nobody(number: int) -> pwd.struct_passwd:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    code, said = run_in_process("fetch", capsys)
    assert code == 2
    assert "this user has no home folder, and HOME is not set" in said
    assert "name a directory with --store" in said.partition("hint: ")[2]


def test_without_uv(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "uv", None)
    code, said = run_in_process("lock", capsys)
    check_answer(code, said)
    assert code == 8
    assert "is not installed\nhint: install the distribution uv" in said
    for verb in ("verify", "explain", "why", "sbom", "diff"):
        assert run_in_process(verb, capsys)[0] in {0, 1}, verb


@pytest.mark.parametrize("verb", ["lock", "init", "pin", "align", "outdated", "fetch"])
def test_without_network(verb: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No name of the project's places can be resolved, as on a machine without network."""
    before = {path: path.read_bytes() for path in project.rglob("*.toml")}
    code, said = run_in_process(verb, capsys)
    check_answer(code, said)
    assert {path: path.read_bytes() for path in project.rglob("*.toml")} == before
    if verb in {"lock", "init"}:
        assert code == 6
        assert "index.invalid" in said


WRITERS = ("export", "sbom", "report", "render", "init")


@pytest.mark.parametrize("verb", WRITERS)
def test_in_a_read_only_checkout(verb: str, project: Path) -> None:
    """What is written beside the recipes ends in one line; with root the capability to write anyway is taken."""
    words = WORDS[verb]
    if verb == "init":
        words = ("framework", "fresh", "--summary", "s", "--license", "MIT", "--root", "idna")
    before = sorted(project.rglob("*"))
    subprocess.run(["chmod", "-R", "a-w", str(project)], check=True)
    denied: list[str] = []
    if os.geteuid() == 0:
        if SETPRIV is None:
            pytest.skip("root may write everywhere, and setpriv is not installed")
        drop = "-dac_override,-dac_read_search"
        denied = [SETPRIV, f"--bounding-set={drop}", f"--inh-caps={drop}"]
    try:
        done = subprocess.run(
            [*denied, sys.executable, "-m", "builder", verb, *words],
            cwd=project, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(project)], check=True)
    check_answer(done.returncode, done.stderr)
    assert done.returncode == 2, done.stderr
    assert "cannot be written: Permission denied" in done.stderr
    assert sorted(project.rglob("*")) == before


def test_judging_a_read_only_checkout_works(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_in_process("verify", capsys)[0] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a folder to somebody else")
@pytest.mark.parametrize("verb", ["diff", "render", "verify", "explain"])
def test_a_checkout_of_somebody_else(
    verb: str,
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))  # without safe.directory of the tester
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for path in (project, *project.rglob("*")):
        os.chown(path, 65533, 65533)
    code, said = run_in_process(verb, capsys)
    check_answer(code, said)
    if verb == "diff":
        assert code == 2
        assert "dubious ownership" in said
        assert f"git config --global --add safe.directory {project}" in said.partition("hint: ")[2]
