from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.model.text import MAX_LENGTH, check_line, counted


@pytest.mark.parametrize("text", ["", "a b", "größe", "日本", "$(x) `y` \\ ' \"", "café"])
def test_printable_lines_pass(text: str) -> None:
    assert check_line(text) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\nb", "a control character (U+000A) at position 1 is not allowed"),
        ("\x00", "a control character (U+0000) at position 0 is not allowed"),
        ("x\u202ey", "an invisible formatting character (U+202E) at position 1 is not allowed"),
        ("\u2028", "a line separator (U+2028) at position 0 is not allowed"),
        ("\u2029", "a paragraph separator (U+2029) at position 0 is not allowed"),
        ("\ud800", "a lone surrogate (U+D800) at position 0 is not allowed"),
        ("\x85", "a control character (U+0085) at position 0 is not allowed"),
    ],
)
def test_the_refused_character_is_named(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        check_line(text)
    assert str(caught.value) == message


def test_length_is_bounded() -> None:
    assert check_line("x" * MAX_LENGTH)
    with pytest.raises(ValueError, match="too long"):
        check_line("x" * (MAX_LENGTH + 1))


@given(st.text(max_size=200))
def test_what_passes_is_one_line_for_every_reader(text: str) -> None:
    try:
        check_line(text)
    except ValueError:
        assert any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for c in text)
    else:
        assert len(text.splitlines()) <= 1


def test_a_number_with_its_noun() -> None:
    assert [counted(number, "lock") for number in (0, 1, 2)] == ["0 locks", "1 lock", "2 locks"]
    assert [counted(number, "index", "indexes") for number in (1, 2)] == ["1 index", "2 indexes"]
