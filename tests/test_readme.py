"""README: every command in it runs as written and prints what stands below it; the page is short; its picture is there."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from builder.cli import main

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
LONGEST = 120
BLOCK = re.compile(r"(?ms)^```(\w+)\n(.*?)^```$")
PYTHON = "python -m builder"


def blocks(language: str) -> list[str]:
    """Return the text of each fenced block of that language."""
    return [text for name, text in BLOCK.findall(README) if name == language]


def shown_commands(block: str) -> list[tuple[str, list[str]]]:
    """Return each command after `$ ` with the lines that stand below it."""
    commands: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            commands.append((line[2:], []))
        else:
            commands[-1][1].append(line)
    return commands


def matches(shown: list[str], printed: list[str]) -> bool:
    """Whether the lines are the same; `…` alone stands for any lines, and inside a line for any text."""
    if not shown:
        return not printed
    if shown[0] == "…":
        return any(matches(shown[1:], printed[skipped:]) for skipped in range(len(printed) + 1))
    pattern = "*".join(part.replace("[", "[[]") for part in shown[0].split("…"))
    return bool(printed) and fnmatchcase(printed[0], pattern) and matches(shown[1:], printed[1:])


def on_a_terminal(command: str, folder: Path) -> str:
    """Return what a person sees who types the command in a terminal of 120 columns without colours."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120", "TERM": "dumb"}
    with subprocess.Popen(
        command, shell=True, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    ):
        os.close(theirs)
        parts: list[bytes] = []
        with contextlib.suppress(OSError):  # how Linux says that the other end was closed
            while part := os.read(ours, 1 << 16):
                parts.append(part)
        os.close(ours)
    return b"".join(parts).decode().replace("\r\n", "\n")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of what the commands read: a fresh clone, as far as they go."""
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    shutil.copytree(ROOT / "lock/1.4.2", tmp_path / "lock/1.4.2")
    return tmp_path


@pytest.mark.parametrize("block", blocks("console"))
def test_commands_print_what_stands_below_them(block: str, checkout: Path) -> None:
    for command, shown in shown_commands(block):
        text = on_a_terminal(command.replace(PYTHON, f"{shlex.quote(sys.executable)} -m builder"), checkout)
        printed = [line.rstrip() for line in text.replace(f"{checkout}/", "").splitlines() if line.strip()]
        assert matches(shown, printed), f"{command}\n{text}"


def test_commands_that_need_an_engine_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines() if line]
    assert len(lines) > 1
    for line in lines:
        assert line.startswith(f"{PYTHON} "), line
        with pytest.raises(SystemExit) as ended:
            main([*shlex.split(line.removeprefix(f"{PYTHON} ")), "--help"])
        assert ended.value.code == 0
        usage = capsys.readouterr().out
        options = [word for word in shlex.split(line) if word.startswith("--")]
        assert [option for option in options if option not in usage] == []


def test_the_page_is_one_screen_with_its_picture() -> None:
    assert len(README.splitlines()) <= LONGEST
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert pictures
    assert [name for name in pictures if not (ROOT / name).is_file()] == []


def test_every_page_stands_in_the_list_of_pages() -> None:
    listed = (ROOT / "docs/README.md").read_text("utf-8")
    pages = sorted(path.name for path in (ROOT / "docs").glob("*.md") if path.name != "README.md")
    assert [name for name in pages if f"]({name})" not in listed] == []
