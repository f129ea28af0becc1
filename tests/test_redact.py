from __future__ import annotations

import json

import pytest

from builder.errors import FetchError
from builder.redact import conceal, hidden, redacted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://u:p@h.invalid/a", "https://***@h.invalid/a"),
        ("https://token@h.invalid", "https://***@h.invalid"),
        ("https://u:p@ss@h.invalid/a@b", "https://***@h.invalid/a@b"),
        (
            "see https://h.invalid/a@b and ssh://git@h.invalid/x",
            "see https://h.invalid/a@b and ssh://***@h.invalid/x",
        ),
        ("https://u:p/a?s#s@h.invalid/a", "https://***@h.invalid/a"),
        ("https://h.invalid:8080/@scope/name", "https://h.invalid:8080/@scope/name"),
        ("https://h.invalid/?X-Signature=abc&b=1", "https://h.invalid/?X-Signature=***&b=1"),
        ("https://h.invalid/?b=1&access_token=abc#x", "https://h.invalid/?b=1&access_token=***#x"),
        ("https://h.invalid/?sig=a%2Fb", "https://h.invalid/?sig=***"),
        ("https://h.invalid/monkey=1", "https://h.invalid/monkey=1"),
        ("plain@text", "plain@text"),
    ],
)
def test_redacted(text: str, shown: str) -> None:
    assert redacted(text) == shown
    assert redacted(shown) == shown


@pytest.mark.parametrize(
    "text", ["https://u:p@h.invalid", "https:/u:p@h.invalid", "u:p@h.invalid", "x://u:p/q@[h"]
)
def test_a_malformed_url_is_hidden_too(text: str) -> None:
    assert "u:p" not in hidden(text)
    assert "h" in hidden(text)


def test_an_error_is_redacted_wherever_it_is_read() -> None:
    url = "https://u:horse-battery@h.invalid/?token=abcdef"
    error = FetchError(f"no {url}", place=url, hint=f"try {url}").within(url)
    for text in (str(error), repr(error), error.cause, error.place, error.hint, json.dumps(error.args)):
        assert "horse-battery" not in text
        assert "abcdef" not in text
    assert error.cause == "no https://***@h.invalid/?token=***"


def test_an_error_hides_what_becomes_a_secret_after_it_was_made() -> None:
    error = FetchError("the server says swordfish")
    conceal("swordfish")
    assert str(error) == "the server says ***"
