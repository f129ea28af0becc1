"""Foreign JSON has one error, whatever is wrong with it."""

from __future__ import annotations

import pytest

from builder.json_text import parse_json


def test_json_is_read() -> None:
    assert parse_json(b'{"a": [1, -2.5, null, "\\u00e9"]}') == {"a": [1, -2.5, None, "é"]}


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"9" * 5000,
        b"-" + b"9" * 21,
        b"NaN",
        b"[Infinity]",
        b"",
        b"\xff",
        b"{",
    ],
    ids=["lists", "tables", "digits", "integer", "nan", "infinity", "empty", "not-utf-8", "cut-off"],
)
def test_everything_else_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError):
        parse_json(text)
