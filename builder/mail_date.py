"""Dates as mail, HTTP and Debian's archives write them (RFC 5322): the one parser, with one error. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["parse_mail_date"]


def parse_mail_date(text: str) -> datetime:
    """Return the moment in UTC; ValueError for anything else, also for one outside of the calendar.

    A zone of `-0000`, and none, mean UTC here.
    """
    try:
        found = parsedate_to_datetime(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("outside of the calendar") from error
