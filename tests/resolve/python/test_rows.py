from __future__ import annotations

import pytest

from builder.resolve.python.rows import split_file_url

FOLDER = "ab/cd/" + "0123456789" * 6


@pytest.mark.parametrize(
    ("url", "base", "path"),
    [
        (f"https://f.invalid/packages/{FOLDER}/a-1-py3-none-any.whl", "https://f.invalid/packages/", FOLDER),
        (f"https://m.invalid/x/y/{FOLDER}/a.whl#sha256=1", "https://m.invalid/x/y/", FOLDER),
        ("https://f.invalid/whl/cu128/a.whl", "https://f.invalid/whl/cu128/", ""),
        ("https://f.invalid/a.whl", "https://f.invalid/", ""),
    ],
)
def test_place_of_a_file(url: str, base: str, path: str) -> None:
    assert split_file_url(url) == (base, path)
