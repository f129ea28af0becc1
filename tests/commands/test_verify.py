"""`verify` as users run it, on the small project of the faults and on copies of it that were changed."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from builder.cli import main
from builder.lockfile.finding import RULES

ROOT = Path(__file__).resolve().parents[2]
FAULTS = ROOT / "tests" / "faults"
LOCK = "1.0/plain/tiny-x86_64.toml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    copy = tmp_path / "project"
    shutil.copytree(FAULTS / "project", copy)
    return copy


def verify(project: Path, *words: str) -> int:
    return main(["verify", *words, "--quiet", "--project", str(project)])


def report(project: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = verify(project, "--format", "json", *words)
    value: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert value["exit-code"] == code
    return code, value


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_sound_locks_end_in_zero(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(project) == 0
    assert capsys.readouterr().out.endswith("findings: none\n")


def test_one_lock_is_no_plural(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(project, "--arch", "x86_64") == 0
    said = capsys.readouterr().out
    assert "1 lock with " in said
    assert "1 lock against the recipes as they are now" in said


def test_the_committed_locks_are_sound_and_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(ROOT, "--release", "all") == 0, capsys.readouterr().out


def test_the_json_report(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, value = report(project, capsys)
    assert code == 0
    assert list(value) == [
        "format",
        "command",
        "exit-code",
        "locks",
        "proofs",
        "not-proven",
        "counts",
        "findings",
    ]
    assert [lock["lock"] for lock in value["locks"]] == [
        "lock/1.0/plain/tiny-aarch64.toml",
        "lock/1.0/plain/tiny-x86_64.toml",
    ]
    assert value["counts"] == {"error": 0, "unknown": 0, "warning": 0, "note": 0}


@pytest.mark.parametrize("fault", sorted(path.name for path in (FAULTS / "locks").iterdir()))
def test_every_lock_that_cannot_be_rendered_is_refused(
    fault: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ignored = shutil.ignore_patterns("expect.txt")
    shutil.copytree(FAULTS / "locks" / fault, project, dirs_exist_ok=True, ignore=ignored)
    code, value = report(project, capsys)
    assert code == 4
    assert {finding["rule"] for finding in value["findings"]} <= RULES.keys()
    assert "Traceback" not in capsys.readouterr().err


def test_a_changed_recipe_makes_locks_stale(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(project / "recipes" / "components" / "tool.toml", "license = ", 'flags = ["--more"]\nlicense = ')
    code, value = report(project, capsys)
    assert code == 1
    assert {finding["rule"] for finding in value["findings"]} == {"stale"}
    assert "component.tool.steps" in value["findings"][0]["text"]


def test_a_step_changed_by_hand_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock = project / "lock" / LOCK
    edit(lock, 'license = "', 'license = "X-')
    code, value = report(project, capsys)
    (finding,) = value["findings"]
    assert (code, finding["rule"], finding["lock"]) == (4, "recipe-mismatch", f"lock/{LOCK}")
    assert finding["text"] == "license differs from the recipe"


def test_a_missing_lock_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "lock" / LOCK).unlink()
    code, value = report(project, capsys)
    assert (code, [f["rule"] for f in value["findings"]]) == (1, ["missing"])


def test_a_lock_in_another_place_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(project / "lock" / LOCK, project / "lock" / "1.0" / "plain" / "tiny-aarch64.toml")
    code, value = report(project, capsys)
    assert (code, {f["rule"] for f in value["findings"]}) == (4, {"misplaced"})


def test_a_lock_by_its_file(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outside = tmp_path / "from-somebody.toml"
    shutil.copy(project / "lock" / LOCK, outside)
    assert report(project, capsys, str(outside))[0] == 0
    edit(outside, 'license = "', 'license = "X-')
    code, value = report(project, capsys, str(outside))
    assert code == 4
    assert {finding["lock"] for finding in value["findings"]} == {str(outside)}


def test_without_recipes_freshness_is_not_claimed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(project / "recipes")
    code, value = report(project, capsys)
    assert (code, [f["rule"] for f in value["findings"]]) == (0, ["no-recipes"])


def test_the_same_finding_in_many_locks_is_said_once(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(project / "recipes" / "components" / "tool.toml", "license = ", 'flags = ["--more"]\nlicense = ')
    assert verify(project) == 1
    said = capsys.readouterr().out
    assert said.count("error [stale]") == 1
    assert "in lock/1.0/plain/tiny-aarch64.toml, lock/1.0/plain/tiny-x86_64.toml" in said


def test_every_rule_that_is_named_exists() -> None:
    named = {
        name
        for path in (ROOT / "builder").rglob("*.py")
        for name in re.findall(r'found\(\s*"([a-z-]+)"', path.read_text("utf-8"))
    }
    assert named <= RULES.keys()
    assert len(named) > 20


HOSTILE = {
    "deep": b"a = " + b"[" * 100_000,
    "deep-tables": b"[" + b".".join([b"a"] * 50_000) + b"]",
    "huge": b'format = 1\nrelease = "' + b"x" * 2_000_000 + b'"\n',
    "escape-in-a-value": b'format = 1\nrelease = "\\u001b]0;owned\\u0007"\n',
    "escape-in-a-key": b'format = 1\n"\\u001b[2J" = 1\n',
    "raw-escape": b'format = 1\nrelease = "\x1b[31m"\n',
    "bidi-in-a-key": 'format = 1\n"\u202egnp" = 1\n'.encode(),
    "c1-in-a-key": b'format = 1\n"\xc2\x9b31m" = 1\n',
    "nul": b"\0" * 1000,
    "number": b"format = " + b"9" * 10_000,
    "lists-for-tables": b"format = 1\npython = 3\nimages = [1]\n",
    "empty": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("form", ["text", "json"])
def test_hostile_locks_are_refused_and_reach_no_terminal(
    name: str, form: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "lock" / LOCK).write_bytes(HOSTILE[name])
    assert verify(project, "--format", form) == 4
    said = "".join(capsys.readouterr())
    assert all(character.isprintable() or character == "\n" for character in said)
    assert len(said) < 20_000


def test_a_file_name_reaches_no_terminal(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = tmp_path / "\x1b[2J.toml"
    shutil.copy(project / "lock" / LOCK, odd)
    assert verify(project, str(odd)) == 0
    edit(odd, "format = 1", "format = 2")
    assert verify(project, str(odd)) == 4
    assert "\x1b" not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("idna-3.10-py3-none-any.whl", "idna-3.11-py3-none-any.whl"),
        ("idna-3.10-py3-none-any.whl", "idna-3.10-py2-none-any.whl"),
        ('file = "tool-2.0.tar.gz"', 'file = "tool-2.1.tar.gz"'),
    ],
)
def test_an_edited_file_name_is_one_finding(
    old: str, new: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(project / "lock" / LOCK, old, new)
    code, value = report(project, capsys)
    (finding,) = value["findings"]
    assert (code, finding["lock"]) == (4, f"lock/{LOCK}")
    assert finding["lock-rule"] in {"wheel-file-name", "wheel-tags", "archives-used"}
