"""What somebody accepted in spite of a policy: with a reason, and until a day. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from builder.errors import UsageError

__all__ = ["AcceptedFinding", "check_accepted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedFinding:
    """One exception: for a row, or for an advisory, or for an advisory of a row."""

    reason: str
    expires: str
    """The first day on which it no longer counts, as 2027-01-31."""
    name: str = ""
    """Of the row; empty for every row."""
    version: str = ""
    """Of the row; empty for every version."""
    id: str = ""
    """Of the advisory, or one of its aliases; empty in a policy of licences."""

    def expired(self, today: date) -> bool:
        """Say whether it no longer counts."""
        return date.fromisoformat(self.expires) <= today

    def covers(self, name: str, version: str) -> bool:
        """Say whether it is for a row."""
        return self.name in {"", name} and self.version in {"", version}


def check_accepted(entries: Iterable[AcceptedFinding], *, place: str, needs: str) -> None:
    """Raise UsageError for an exception without a reason, a day, or the key `needs`."""
    for number, entry in enumerate(entries):
        here = f"{place}: accepted[{number}]"
        if not getattr(entry, needs):
            raise UsageError(f"{needs} is empty", place=here, hint="say what is accepted")
        if not entry.reason.strip():
            raise UsageError("reason is empty", place=here, hint="say why it is accepted, and who decided")
        try:
            date.fromisoformat(entry.expires)
        except ValueError:
            raise UsageError(
                f"{entry.expires!r} is not a day such as 2027-01-31", place=f"{here}: expires"
            ) from None
