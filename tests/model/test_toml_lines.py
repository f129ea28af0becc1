"""Lines of values: every value of every recipe has one, and it is the line that an editor of TOML changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import RecipeError
from builder.model import ValuePath, toml, value_lines

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted((ROOT / "recipes").glob("*s/*.toml"))

LAYOUTS = {
    "comments": ("# a = 0\n\na = 1 # b = 2\nb = 2\n", {("a",): 3, ("b",): 4}),
    "dotted and quoted keys": ("a.\"b.c\" . 'd' = 1\n[x.\"y z\"]\nk=2\n", {("a", "b.c", "d"): 1, ("x", "y z", "k"): 3}),
    "lists over lines": (
        'a = [ # first\n  "#",\n\n  [1, 2],\n  { b = "}", c = [3] },\n]\nd = []\n',
        {("a",): 1, ("a", 0): 2, ("a", 1): 4, ("a", 1, 0): 4, ("a", 1, 1): 4, ("a", 2): 5, ("a", 2, "b"): 5,
         ("a", 2, "c"): 5, ("a", 2, "c", 0): 5, ("d",): 7},
    ),
    "long texts": (
        'a = """\n[x]\n"quoted" \\""""\nb = \'\'\'\n# c = 1\n\'\'\'\nd = "\\"="\n',
        {("a",): 1, ("b",): 4, ("d",): 7},
    ),
    "tables in lists": (
        "[[a]]\nb = 1\n[a.c]\nd = 2\n[[a.e]]\nf = 3\n[[a]]\n[[a.e]]\nf = 4\n[[a.e]]\nf = 5\n",
        {("a", 0, "b"): 2, ("a", 0, "c", "d"): 4, ("a", 0, "e", 0, "f"): 6, ("a", 1, "e", 0, "f"): 9,
         ("a", 1, "e", 1, "f"): 11},
    ),
    "other values": ("a = 1_000\nb = true\nc = 2026-12-01 03:04:05Z\nd = [ -1.5e3,\n  inf ]\n",
                     {("a",): 1, ("b",): 2, ("c",): 3, ("d",): 4, ("d", 0): 4, ("d", 1): 5}),
    "line ends of Windows": ('a = 1\r\n[b]\r\nc = """x\r\ny"""\r\nd = 2\r\n', {("a",): 1, ("b", "c"): 3, ("b", "d"): 5}),
}  # fmt: skip


def leaves(value: Any, here: ValuePath = ()) -> Iterator[tuple[ValuePath, Any]]:
    if isinstance(value, dict | list):
        inner: Any = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in inner:
            yield from leaves(item, (*here, key))
    else:
        yield here, value


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts(name: str) -> None:
    text, lines = LAYOUTS[name]
    plain = toml.loads(text.encode(), place=name, error=RecipeError)
    assert value_lines(text) == lines
    assert {path for path, _ in leaves(plain)} <= lines.keys()


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_line_of_each_value_is_the_one_that_an_editor_changes(path: Path) -> None:
    text = path.read_text("utf-8")
    written = text.splitlines()
    lines = value_lines(text)
    every = list(leaves(toml.loads(text.encode(), place=path.name, error=RecipeError)))
    assert {place for place, _ in every} <= lines.keys()
    for place, value in every[:: max(1, len(every) // 8)]:
        document = tomlkit.parse(text)
        table: Any = document
        for key in place[:-1]:
            table = table[key]
        table[place[-1]] = (
            not value if isinstance(value, bool) else value + ("x" if isinstance(value, str) else 1)
        )
        # tomlkit may move a table while it changes a value in it: what is compared is the line, not its number.
        (gone,) = Counter(written) - Counter(tomlkit.dumps(document).splitlines())
        assert written[lines[place] - 1] == gone, place


KEYS = st.text(min_size=1, max_size=4)
VALUES = st.recursive(
    st.text(max_size=6) | st.integers(-9, 9) | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_every_value_of_any_document_has_a_line(table: dict[str, Any]) -> None:
    text = tomli_w.dumps(table)
    lines = value_lines(text)
    plain = toml.loads(text.encode(), place="x", error=RecipeError)
    assert {path for path, _ in leaves(plain)} <= lines.keys()
    assert set(lines.values()) <= set(range(1, text.count("\n") + 1))
