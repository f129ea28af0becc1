"""`lock` as a user runs it: what it leaves alone, what it names, what it never does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from builder.cli import main

ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "tests/faults/project"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(SMALL, tmp_path / "project")
    return tmp_path / "project"


def builder(*words: str, project: Path) -> list[str]:
    return [*words, "--quiet", "--project", str(project), "--store", str(project / "store")]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_locks_that_fit_are_left_untouched(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = sorted(project.glob("lock/*/*/*.toml"))
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in paths]
    assert main(builder("lock", "--format", "json", project=project)) == 0
    told = json.loads(capsys.readouterr().out)["targets"]
    assert [row["state"] for row in told] == ["unchanged", "unchanged"]
    assert [(path.read_bytes(), path.stat().st_mtime_ns) for path in paths] == before


def test_check_names_the_changed_keys(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(project / "recipes/components/zlib.toml", "--static", "--shared")
    edit(project / "recipes/frameworks/tiny.toml", "Apache-2.0", "MIT")
    assert main(builder("lock", "--check", "--format", "json", project=project)) == 1
    told = json.loads(capsys.readouterr().out)["targets"]
    assert [row["changed-keys"] for row in told] == [["component.zlib.steps", "framework.license"]] * 2
    assert {row["reason"] for row in told} == {"the recipe changed"}


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("recipes/components/zlib.toml", "A small component", "Another summary"),
        ("recipes/platforms/plain.toml", 'summary = "A base', 'status = "experimental"\nsummary = "A base'),
        ("recipes/releases/1.0.toml", "[python.all]", '[evidence]\nall = "a page"\n\n[python.all]'),
    ],
)
def test_words_that_change_no_image_make_no_lock_stale(project: Path, path: str, old: str, new: str) -> None:
    edit(project / path, old, new)
    assert main(builder("lock", "--check", project=project)) == 0


def test_check_tells_a_damaged_lock_from_a_stale_one(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "lock/1.0/plain/tiny-x86_64.toml").write_text("format = 1\n")
    assert main(builder("lock", "--check", "--format", "json", project=project)) == 1
    told = {row["target"]: row["reason"] for row in json.loads(capsys.readouterr().out)["targets"]}
    assert told["1.0/plain/tiny-x86_64"].endswith("release: this key is missing")
    assert told["1.0/plain/tiny-aarch64"] == ""


INSERTED_STEP = ('  ["make", "-j{jobs}"],\n', '  ["sh", "-c", "id > /evil"],\n  ["make", "-j{jobs}"],\n')
EDITED = {
    "an inserted step": (*INSERTED_STEP, "zlib", "steps"),
    "an environment variable": ('CFLAGS = "-O2"', 'CFLAGS = "-O0"', "zlib", "env"),
    "a prefix": ("/opt/tool", "/opt/tool2", "tool", "prefix"),
    "an image": ("6" * 64, "7" * 64, "base", "digest"),
    "a source": ("3" * 64, "4" * 64, "zlib", "sha256"),
    "an origin": ('origin = "files"', 'origin = "mine"', "tool", "origin"),
    "evidence": (
        'origin = "files"\nevidence = "observed"',
        'origin = "files"\nevidence = "index"',
        "",
        "evidence",
    ),
    "the python index": ('origin = "pypi"', 'origin = "mine"', "idna", "names no index mine"),
    "a root's version": ('version = "3.10"', 'version = "3.9"', "idna", "asks for idna==3.10"),
}


@pytest.mark.parametrize(("old", "new", "row", "text"), EDITED.values(), ids=EDITED)
def test_check_sees_what_an_editor_of_the_lock_changed(
    old: str, new: str, row: str, text: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = project / "lock/1.0/plain/tiny-x86_64.toml"
    edit(lock, old, new)
    if text.startswith("asks"):
        edit(lock, "idna-3.10-py3", "idna-3.9-py3")
    assert main(builder("lock", "--check", "--format", "json", project=project)) == 1
    told = {outcome["target"]: outcome for outcome in json.loads(capsys.readouterr().out)["targets"]}
    edited = told["1.0/plain/tiny-x86_64"]
    assert (edited["state"], edited["reason"]) == ("differs", "it differs from its recipe")
    assert told["1.0/plain/tiny-aarch64"]["state"] == "unchanged"
    assert any(row in one["row"] and text in one["text"] for one in edited["differences"]), edited


def test_a_lock_that_was_edited_is_made_again(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(project / "lock/1.0/plain/tiny-x86_64.toml", *INSERTED_STEP)
    words = ["--offline", "--index-url", "http://127.0.0.1:9/simple", "--format", "json"]
    assert main(builder("lock", *words, project=project)) == 6, "it tries, and nothing answers here"
    told = {outcome["target"]: outcome["state"] for outcome in json.loads(capsys.readouterr().out)["targets"]}
    assert told == {"1.0/plain/tiny-x86_64": "failed", "1.0/plain/tiny-aarch64": "unchanged"}


@pytest.mark.parametrize("words", [["lock"], ["lock", "--check"], ["render", "--inputs", "store"]])
def test_a_release_without_pip_is_refused_by_every_verb(
    words: list[str], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(project / "recipes/releases/1.0.toml", '[python.installer]\npip = "26.2.1"\n', "")
    lock = project / "lock/1.0/plain/tiny-x86_64.toml"
    before = lock.read_bytes()
    assert main(builder(*words, project=project)) == 3
    assert "recipes/releases/1.0.toml: python.installer: pip, and nothing else" in capsys.readouterr().err
    assert lock.read_bytes() == before


def test_a_lock_without_its_installer_is_not_called_unchanged(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = project / "lock/1.0/plain/tiny-x86_64.toml"
    before, _, after = lock.read_text().partition('[[python]]\nname = "pip"')
    lock.write_text(before + after[after.index("[[builds]]") :])
    assert main(builder("lock", "--check", "--format", "json", project=project)) == 1
    told = {outcome["target"]: outcome for outcome in json.loads(capsys.readouterr().out)["targets"]}
    assert "pip, must be for installer" in told["1.0/plain/tiny-x86_64"]["reason"]


def test_check_sees_another_pip(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(project / "recipes/releases/1.0.toml", 'pip = "26.2.1"', 'pip = "26.2.2"')
    assert main(builder("lock", "--check", "--format", "json", project=project)) == 1
    told = json.loads(capsys.readouterr().out)["targets"]
    assert {outcome["state"] for outcome in told} == {"differs"}
    assert "installer asks for pip==26.2.2" in told[0]["differences"][0]["text"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--release", "1.O"], 2, "error: --release: there is no release '1.O'\nhint: did you mean `1.0`?\n"),
        (["--platform", "plian"], 2, "error: --platform: there is no platform 'plian'\nhint: did you mean `plain`?\n"),
        (["--framework", "tinny"], 2, "error: --framework: there is no framework 'tinny'\nhint: did you mean `tiny`?\n"),
        (["--check", "--dry-run"], 2, "error: --check goes with neither --dry-run nor --upgrade\nhint: use one of them\n"),
    ],
)  # fmt: skip
def test_wrong_words_are_named(
    project: Path, words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(builder("lock", *words, project=project)) == code
    assert capsys.readouterr().err == said


def test_what_is_said_of_several_targets_is_said_once(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    release = project / "recipes/releases/1.0.toml"
    text = release.read_text()
    release.write_text(
        text[: text.index("[[targets]]")] + '[[refused]]\nframework = "tiny"\nreason = "why not"\n'
    )
    shutil.rmtree(project / "lock")
    assert main(builder("lock", project=project)) == 5
    assert capsys.readouterr().err == (
        "error: 1.0/plain/tiny-aarch64 and 3 more: refused: why not\nhint: see recipes/releases/1.0.toml: refused\n"
    )


def test_a_platform_without_its_base_is_refused_with_what_is_missing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(project / "recipes/platforms/plain.toml", "[[images.aarch64]]", "[[images.x86_64]]")
    edit(project / "recipes/platforms/plain.toml", '7777"', '7777"\nroles = []')
    words = builder("lock", "--arch", "aarch64", project=project)
    assert main(words) == 6
    assert "base for aarch64, a published image or an assembled one" in capsys.readouterr().err
    assert (project / "lock/1.0/plain/tiny-aarch64.toml").read_bytes() == (
        SMALL / "lock/1.0/plain/tiny-aarch64.toml"
    ).read_bytes()


@pytest.mark.parametrize("words", [["lock"], ["lock", "--check", "--release", "all"]])
def test_up_to_date_locks_are_recognised_without_any_network(words: list[str], tmp_path: Path) -> None:
    """In a network namespace without interfaces, on the committed locks of this repository."""
    command = [sys.executable, "-m", "builder", *builder(*words, project=ROOT)[:-1], str(tmp_path)]
    unshare = ["unshare", "--net", "--map-root-user"]
    probe = subprocess.run([*unshare, "true"], check=False, capture_output=True)
    if probe.returncode:
        assert not os.environ.get("CI"), "CI must be able to make a network namespace"
        pytest.skip("needs the right to make a network namespace (unshare --net)")
    committed = set(ROOT.glob("lock/*/*/*.toml"))
    assert committed
    done = subprocess.run(
        [*unshare, *command, "--format", "json"],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {row["state"] for row in json.loads(done.stdout)["targets"]} == {"unchanged"}


def test_two_processes_at_once_leave_whole_locks(project: Path) -> None:
    commands = [[sys.executable, "-m", "builder", *builder("lock", project=project)] for _ in range(4)]
    running = [
        subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)
        for command in commands
    ]
    assert [process.wait(timeout=120) for process in running] == [0, 0, 0, 0]
    assert main(builder("lock", "--check", project=project)) == 0
