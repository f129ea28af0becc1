from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import LockError
from builder.model import toml

SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=0, max_size=10)


def tables(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(KEYS, values, max_size=4)


VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=4), tables(SCALARS))
DOCUMENTS = tables(st.one_of(VALUES, st.lists(tables(VALUES), min_size=1, max_size=3), tables(VALUES)))


def test_one_module_reads_toml() -> None:
    """Others would have other limits, messages and speed."""
    importing = re.compile(r"(?m)^\s*(import|from) (tomllib|tomli|rtoml)\b")
    readers = [
        path.name
        for path in Path(toml.__file__).parents[1].rglob("*.py")
        if importing.search(path.read_text("utf-8"))
    ]
    assert readers == ["toml.py"]


@given(DOCUMENTS)
def test_what_is_written_reads_back_equal(document: dict[str, Any]) -> None:
    text = toml.dumps(document)
    assert tomllib.loads(text) == document
    assert toml.dumps(tomllib.loads(text)) == toml.dumps(document)


def test_the_canonical_form() -> None:
    document = {
        "name": 'a "quoted" \\ text',
        "table": {"key with space": "x"},
        "size": 3,
        "rows": [{"list": ["a", "b"], "env": {"A": "b"}}, {"list": []}],
    }
    assert toml.dumps(document) == (
        'name = "a \\"quoted\\" \\\\ text"\n'
        "size = 3\n"
        "\n"
        "[table]\n"
        '"key with space" = "x"\n'
        "\n"
        "[[rows]]\n"
        'list = ["a", "b"]\n'
        'env = { A = "b" }\n'
        "\n"
        "[[rows]]\n"
        "list = []\n"
    )


def test_long_lists_take_a_line_an_element() -> None:
    text = toml.dumps({"steps": [["x" * 60], ["y" * 60]]})
    assert text == f'steps = [\n  ["{"x" * 60}"],\n  ["{"y" * 60}"],\n]\n'


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff", "here: byte 0 is not UTF-8"),
        (b"a = 1\na = 2", "here: not TOML: Cannot overwrite a value (at end of document)"),
        (b"a = " + b"[" * 100_000, "here: not TOML: nested too deeply"),
    ],
)
def test_what_is_no_toml_is_an_error_with_a_place(data: bytes, message: str) -> None:
    with pytest.raises(LockError) as caught:
        toml.loads(data, place="here", error=LockError)
    assert str(caught.value) == message
