"""Arrows point one way: who may import whom, checked on the source."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "builder"
ROOMS = {
    "model": {"model"},
    "render": {"render", "model"},
    "io": {"io"},
    "fetch": {"fetch", "io", "model"},
    "resolve": {"resolve", "fetch", "io", "model"},
    "pin": {"pin", "resolve", "fetch", "io", "model"},
    "audit": {"audit", "resolve", "fetch", "io", "model"},
    "engine": {"engine", "render", "fetch", "io", "model"},
    "verbs": {"verbs", "commands", "resolve", "render", "pin", "model"},
    "commands": {"commands", "resolve", "render", "fetch", "audit", "engine", "io", "model", "pin"},
}
LEAVES = {"errors", "console"}
IMPURE = {"os", "sys", "time", "random", "socket", "subprocess", "pathlib", "tempfile", "shutil", "platform",
          "locale", "requests", "urllib.request", "threading", "secrets", "getpass"}  # fmt: skip


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def modules() -> list[tuple[str, Path]]:
    return [(path.relative_to(ROOT).parts[0], path) for path in sorted(ROOT.rglob("*.py"))]


@pytest.mark.parametrize(("room", "path"), modules(), ids=lambda value: str(value).rsplit("builder/", 1)[-1])
def test_a_room_imports_only_what_lies_below_it(room: str, path: Path) -> None:
    if room not in ROOMS:
        return
    for name in sorted(imports(path)):
        parts = name.split(".")
        if parts[0] != "builder" or len(parts) < 2 or parts[1] in LEAVES:
            continue
        if (ROOT / parts[1]).is_dir():
            assert parts[1] in ROOMS[room], f"{path} imports {name}"
    if room in {"model", "render", "io", "fetch", "resolve"}:
        assert "builder.console" not in imports(path)


@pytest.mark.parametrize("room", ["model", "render", "audit/diff"])
def test_pure_rooms_reach_for_nothing_outside(room: str) -> None:
    for path in sorted((ROOT / room).rglob("*.py")):
        assert not imports(path) & IMPURE, path


def test_only_the_command_line_ends_the_program() -> None:
    for room, path in modules():
        if room not in {"cli.py", "__main__.py"}:
            text = path.read_text("utf-8")
            assert "sys.exit" not in text, path
            assert "SystemExit" not in text, path
            assert "\nprint(" not in text.replace("    print(", "\nprint("), path


def test_files_stay_small_enough_to_read() -> None:
    long = {path.name: count for _, path in modules() if (count := path.read_text("utf-8").count("\n")) > 300}
    assert not long
