"""`diff` in real repositories: revisions, ranges, paths, staged files, exit codes, commits between sources."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from builder.cli import main

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "tests/faults/project/lock/1.0/plain"
NAMES = ("tiny-x86_64.toml", "tiny-aarch64.toml")
QUIET = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
WHO = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in (("NAME", "Ann"), ("EMAIL", "a@invalid"))}  # fmt: skip


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=folder, env=QUIET | WHO, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with a lock for two architectures, one commit."""
    folder = tmp_path / "project"
    locks = folder / "lock/1.0/plain"
    locks.mkdir(parents=True)
    for name in NAMES:
        (locks / name).write_bytes((TINY / name).read_bytes())
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "Locks")
    return folder


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)


def edit(folder: Path, old: str, new: str, names: tuple[str, ...] = NAMES) -> None:
    for name in names:
        path = folder / "lock/1.0/plain" / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


def diff(
    project: Path,
    capsys: pytest.CaptureFixture[str],
    *words: str,
    monkeypatch: pytest.MonkeyPatch | None = None,
) -> tuple[int, str]:
    code = main(["diff", "--project", str(project), "--store", str(project.parent / "cache/store"), *words])
    streams = capsys.readouterr()
    return code, streams.out + streams.err


def test_no_difference(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = diff(project, capsys)
    assert (code, said) == (0, "HEAD -> working tree\n2 locks compared, no difference\n")


def test_the_work_tree_against_the_last_commit(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(project, 'python = "3.13"', 'python = "3.12"')
    code, said = diff(project, capsys)
    assert code == 1
    assert "platform  python 3.13 -> 3.12" in said
    assert "2 locks compared, 2 changed: 1 settings" in said
    assert "\x1b" not in said


def test_revisions_ranges_and_paths(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    git(project, "checkout", "-q", "-b", "feature/x")
    edit(project, 'glibc = "2.41"', 'glibc = "2.42"')
    commit(project, "glibc")
    git(project, "checkout", "-q", "main")
    edit(project, "uv 0.13.9", "uv 0.13.10", NAMES[:1])
    commit(project, "uv")
    git(project, "checkout", "-q", "feature/x")
    monkeypatch.chdir(project)
    for words in (["HEAD~1"], ["HEAD~1", "HEAD"], ["HEAD~1..HEAD"], ["main...feature/x"], ["main..."]):
        _, said = diff(project, capsys, *words)
        assert "2.41 -> 2.42" in said, words
        assert "resolver" not in said, words
    _, said = diff(project, capsys, "main..feature/x", "--", "lock/")
    assert "resolver uv 0.13.10 -> uv 0.13.9" in said
    _, said = diff(project, capsys, "main..feature/x", "--", "lock/1.0/plain/tiny-aarch64.toml")
    assert "1 lock compared" in said
    _, said = diff(project, capsys, "main", "HEAD", "--arch", "aarch64")
    assert "resolver" not in said


def test_a_word_that_is_a_revision_and_a_file_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "main").mkdir()
    monkeypatch.chdir(project)
    code, said = diff(project, capsys, "main")
    assert code == 2
    assert "'main' is a revision and a path" in said


@pytest.mark.parametrize("words", [["nowhere..main"], ["main..nowhere"]])
def test_an_unknown_range(project: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    code, said = diff(project, capsys, *words)
    assert code == 2
    assert "is not a range of known revisions" in said


def test_an_unknown_word(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = diff(project, capsys, "nowhere")
    assert code == 2
    assert "'nowhere' is neither a revision nor a path" in said


def test_no_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lock").mkdir()
    code, said = diff(tmp_path, capsys)
    assert code == 2
    assert "git: not a git repository" in said


def test_files_beside_the_locks_are_none(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "lock/outcomes.toml").write_text("tried = []\n")
    assert diff(project, capsys)[0] == 0
    assert diff(project, capsys, str(TINY.parents[2]), str(project))[0] == 0


def test_staged_files(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(project, 'glibc = "2.41"', 'glibc = "2.42"')
    git(project, "add", "-A")
    edit(project, 'python = "3.13"', 'python = "3.12"')
    _, said = diff(project, capsys, "--staged")
    assert "2.41 -> 2.42" in said
    assert "3.12" not in said


def test_two_files_and_two_folders(project: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    edit(project, 'glibc = "2.41"', 'glibc = "2.42"')
    code, said = diff(project, capsys, str(TINY / NAMES[0]), str(project / "lock/1.0/plain" / NAMES[0]))
    assert code == 1
    assert "1 lock compared, 1 changed" in said
    _, said = diff(project, capsys, str(TINY.parents[2]), str(project))
    assert "2 locks compared, 2 changed" in said


def test_levels(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(project, 'glibc = "2.41"', 'glibc = "2.42"')
    assert diff(project, capsys, "--fail-on", "settings")[0] == 1
    assert diff(project, capsys, "--fail-on", "yanked")[0] == 0
    assert diff(project, capsys, "--fail-on", "patch")[0] == 1
    assert diff(project, capsys, "--fail-on", "none")[0] == 0


def test_an_unsound_lock_is_said_first_and_fails_at_every_level(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(project, 'glibc = "2.41"', "glibc = '2.41'")
    code, said = diff(project, capsys, "--fail-on", "bytes")
    assert code == 1
    places = ", ".join(f"working tree: lock/1.0/plain/{name}" for name in sorted(NAMES))
    assert said.startswith(f"NOT SOUND  {places} (2 new locks) fail their own integrity check:\n  line 14 ")
    value = json.loads(diff(project, capsys, "--format", "json")[1])
    assert [item["side"] for item in value["unsound"]] == ["after", "after"]
    commit(project, "unsound")
    edit(project, "glibc = '2.41'", 'glibc = "2.41"')
    assert diff(project, capsys, "--fail-on", "bytes")[0] == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"format = 1\n",
        b"\xff\xfe",
        b"format = 1\nrelease = [" + b"[" * 5000,
        b'release = "' + b"x" * 200_000 + b'"\n',
        b'release = "\\u001b[31m"\n',
        'release = "\u202e"\n'.encode(),
        b'"\\u001b[31mkey" = 1\n',
    ],
)
def test_what_is_no_lock_ends_in_four(project: Path, capsys: pytest.CaptureFixture[str], data: bytes) -> None:
    (project / "lock/1.0/plain" / NAMES[0]).write_bytes(data)
    code, said = diff(project, capsys)
    assert code == 4
    assert said.startswith("error: working tree: lock/1.0/plain/tiny-x86_64.toml")
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert len(said) < 600


def test_a_file_name_with_escapes(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "lock/1.0/plain" / "tiny\x1b[31m-x86_64.toml").write_bytes(b"x")
    code, said = diff(project, capsys)
    assert code == 4
    assert "\x1b" not in said


def test_the_commits_between(project: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    upstream = tmp_path / "clones/zlib"
    upstream.mkdir(parents=True)
    git(upstream, "init", "-q", "-b", "main")
    for message in ("one", "two", "three \x1b[31m <b>"):
        commit(upstream, message)
    first, last = git(upstream, "rev-parse", "HEAD~2"), git(upstream, "rev-parse", "HEAD")
    name = project / "lock/1.0/plain" / NAMES[0]
    old = next(line for line in name.read_text().split("\n") if line.startswith("commit = "))
    edit(project, old, f'commit = "{first}"')
    commit(project, "pin")
    edit(project, first, last)
    words = ["--clones", str(tmp_path / "clones"), "--format", "json"]
    (change,) = json.loads(diff(project, capsys, *words)[1])["changes"]
    assert change["risk"] == "tag"
    assert (change["commits"]["added"], change["commits"]["dropped"]) == (2, 0)
    assert change["commits"]["authors"] == [{"name": "Ann", "commits": 2}]
    assert [item["subject"] for item in change["commits"]["newest"]] == ["three \\x1b[31m <b>", "two"]
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{upstream}", str(tmp_path / "shallow/zlib"))
    words[1] = str(tmp_path / "shallow")
    assert json.loads(diff(project, capsys, *words)[1])["changes"][0]["commits"] is None


def test_colour_on_terminals_only(project: Path) -> None:
    edit(project, 'glibc = "2.41"', 'glibc = "2.42"')
    command = f"{sys.executable} -m builder diff --project {project}"
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm-256color",
        "HOME": str(project),
    }
    for more, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        done = subprocess.run(
            ["script", "-qec", command, "/dev/null"], env=env | more, capture_output=True, check=False
        )
        assert (b"\x1b[3" in done.stdout) == coloured, done.stdout
        assert b"2.41" in done.stdout
