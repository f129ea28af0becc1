"""Pages that define numbers: the traps (docs/traps.md) and the decisions (docs/decisions/README.md)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TRAPS_PAGE = ROOT / "docs/traps.md"
DECISIONS = ROOT / "docs/decisions"
TRAP_NUMBER = re.compile(r"\bT([0-9]+)\b")
TEXT_SUFFIXES = {".json", ".md", ".py", ".toml", ".txt", ".yml"}
TRAP_FOLDERS = sorted(
    path for path in (ROOT / "tests/traps").iterdir() if path.is_dir() and path.name[0] == "T"
)
TRAP_TEST_ROW = re.compile(r"`(tests/traps/T[^`]+)`[^|]*\| ([0-9]+) \|")


def trap_sections() -> dict[str, str]:
    """Return the text below each heading `## T3` of the page, by the trap's name."""
    _, *parts = re.split(r"(?m)^## ", TRAPS_PAGE.read_text("utf-8"))
    return {name: text for name, _, text in (part.partition("\n") for part in parts)}


def named_traps(top: str) -> dict[str, set[str]]:
    """Return the traps that file names and texts below `top` name, each with the files."""
    named: dict[str, set[str]] = {}
    for path in sorted((ROOT / top).rglob("*")):
        place = str(path.relative_to(ROOT))
        text = path.read_text("utf-8") if path.is_file() and path.suffix in TEXT_SUFFIXES else ""
        for number in TRAP_NUMBER.findall(f"{path.name}\n{text}"):
            named.setdefault(f"T{number}", set()).add(place)
    return named


@pytest.mark.parametrize("top", ["builder", "docs", "recipes", "tests/traps"])
def test_every_trap_that_is_named_is_defined(top: str) -> None:
    defined = trap_sections()
    named = named_traps(top)
    assert named, "nothing was read"
    assert {trap: places for trap, places in named.items() if trap not in defined} == {}


def test_traps_are_numbered_without_gaps_and_summed_up() -> None:
    names = list(trap_sections())
    assert names == [f"T{number}" for number in range(1, len(names) + 1)]
    summary = TRAPS_PAGE.read_text("utf-8").partition("\n## ")[0]
    assert re.findall(r"(?m)^\| \[(T[0-9]+)\]\(#(t[0-9]+)\)", summary) == [
        (name, name.lower()) for name in names
    ]


def test_the_page_lists_every_trap_folder_with_its_exit_code() -> None:
    listed = {
        (place, int(code), trap)
        for trap, text in trap_sections().items()
        for place, code in TRAP_TEST_ROW.findall(text)
    }
    expected = {
        (
            str(folder.relative_to(ROOT)),
            int((folder / "exit-code").read_text("utf-8")),
            folder.name.partition("-")[0],
        )
        for folder in TRAP_FOLDERS
    }
    assert len(expected) > 20
    assert listed == expected


def test_a_page_that_speaks_of_a_range_of_traps_links_to_their_definitions() -> None:
    speaking = [
        path
        for path in sorted((ROOT / "docs").rglob("*.md"))
        if re.search(r"T1 to T[0-9]", path.read_text("utf-8"))
    ]
    assert len(speaking) > 1
    assert [
        path.name for path in speaking if path != TRAPS_PAGE and "traps.md" not in path.read_text("utf-8")
    ] == []


def decision_pages() -> list[Path]:
    return sorted(path for path in DECISIONS.glob("*.md") if path.name != "README.md")


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [path.name.partition("-")[0] for path in decision_pages()]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


def test_the_index_lists_every_decision_by_number_and_title() -> None:
    index = (DECISIONS / "README.md").read_text("utf-8")
    listed = re.findall(r"(?m)^([0-9]+)\. \[([^\]]+)\]\(([^)]+)\): .", index)
    expected = []
    for number, path in enumerate(decision_pages(), 1):
        heading = path.read_text("utf-8").partition("\n")[0]
        assert heading.startswith(f"# {number}. "), path.name
        expected.append((str(number), heading.partition(". ")[2], path.name))
    assert listed == expected


def test_a_decision_that_is_named_by_number_is_linked_to_its_page() -> None:
    for path in sorted(ROOT.joinpath("docs").rglob("*.md")):
        for number, target in re.findall(r"\[decision ([0-9]+)\]\(([^)]+)\)", path.read_text("utf-8")):
            assert (path.parent / target).is_file(), path
            assert Path(target).name.startswith(f"{int(number):04}-"), path
