from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import RecipeError
from builder.model.structuring import Table
from builder.recipe.placeholders import PlaceholderValues, fill_placeholders

WORDS = PlaceholderValues(words=Table({"prefix": "/opt/x", "version": "1"}), gpu_archs=("80", "90"), ptx="90")


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("--prefix={prefix}", "--prefix=/opt/x"),
        ("-j{jobs}", "-j{jobs}"),
        ("{gpu-archs:,}", "80,90"),
        ("{gpu-archs:;}", "80;90"),
        ("{torch-archs:;}", "8.0;9.0+PTX"),
        (
            "{gencode: }",
            (
                "-gencode=arch=compute_80,code=sm_80 -gencode=arch=compute_90,code=sm_90 "
                "-gencode=arch=compute_90,code=compute_90"
            ),
        ),
        ("${HOME} {} { x }", "${HOME} {} { x }"),
    ],
)
def test_placeholders(text: str, filled: str) -> None:
    assert fill_placeholders(text, WORDS, place="here") == filled


@given(st.text(st.characters(exclude_characters="{}"), max_size=50))
def test_text_without_braces_is_left_alone(text: str) -> None:
    assert fill_placeholders(text, WORDS, place="here") == text


def test_an_unknown_placeholder_is_named() -> None:
    with pytest.raises(RecipeError) as caught:
        fill_placeholders("{prefx}", WORDS, place="here")
    assert (str(caught.value), caught.value.hint) == (
        "here: unknown placeholder '{prefx}'",
        "did you mean `{prefix}`?",
    )
