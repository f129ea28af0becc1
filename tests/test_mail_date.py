"""Dates of headers and archives: a moment in UTC, or ValueError and nothing else."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.io.exchange import retry_after
from builder.mail_date import parse_mail_date


@pytest.mark.parametrize(
    "text",
    ["Sat, 01 Jan 2028 00:00:00 UTC", "Sat, 01 Jan 2028 02:00:00 +0200", "Sat, 01 Jan 2028 00:00:00 -0000"],
)
def test_a_date_is_a_moment_in_utc(text: str) -> None:
    assert parse_mail_date(text) == datetime(2028, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        f"Sat, 01 Jan 2{'6' * 120} 00:00:00 UTC",
        "Fri, 31 Dec 9999 23:59:59 -1400",
        "Sat, 01 Jan 2028 00:00:00 +99999999999999999999",
    ],
)
def test_what_is_none_is_one_error(text: str) -> None:
    with pytest.raises(ValueError):
        parse_mail_date(text)
    assert retry_after(text) is None


@given(
    st.from_regex(
        r"(Sat, )?[0-9]{1,30} (Jan|Foo) -?[0-9]{1,40}( [0-9:]{1,20})?( [+-][0-9]{1,30})?", fullmatch=True
    )
)
def test_any_text_is_a_moment_or_that_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_mail_date(text).tzinfo is UTC
