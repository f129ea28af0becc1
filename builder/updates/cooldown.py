"""How many days old a version must be before it is taken: for all, and longer for some. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from packaging.utils import canonicalize_name

from builder.errors import UsageError

__all__ = ["Cooldown", "cooldown_of"]

_DAYS = re.compile(r"\s*([0-9]{1,4})\s*(d|days?|w|weeks?)?\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cooldown:
    """Days by distribution or component, and for all others."""

    days: int
    by_name: Mapping[str, int]

    def until(self, name: str, now: datetime) -> datetime:
        """Return the moment before which a version of `name` must have been published.

        It is the start of a day in UTC, so that asking twice on one day gives one answer.
        """
        days = self.by_name.get(canonicalize_name(name), self.days)
        return (now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)


def cooldown_of(options: Iterable[str], stated: Mapping[str, str], otherwise: str, usual: int) -> Cooldown:
    """Return the cooldown of a run (UsageError unless it is a number of days, no shorter than that for all).

    `options` are values of `--cooldown`, "DAYS" or "NAME=DAYS"; they win over those `stated` by a project's
    file and `otherwise`, its value for all. A release has one date bound, which no file may be younger than:
    so a name may wait longer than all others, and not shorter.
    """
    days = _days_of(otherwise, "lockwright.toml: cooldown") if otherwise else usual
    by_name: dict[str, int] = {
        canonicalize_name(name): _days_of(text, f"lockwright.toml: cooldowns.{name}")
        for name, text in stated.items()
    }
    for option in options:
        name, equal, text = option.rpartition("=")
        if equal:
            by_name[canonicalize_name(name)] = _days_of(text, f"--cooldown {option}")
        else:
            days = _days_of(text, f"--cooldown {option}")
    for name, own in by_name.items():
        if own < days:
            raise UsageError(
                f"the cooldown of {name}, {own} days, is shorter than that of all others, {days} days",
                place="cooldown",
                hint="shorten the one for all: a release has one date bound, which holds for every file",
            )
    return Cooldown(days=days, by_name=by_name)


def _days_of(text: str, place: str) -> int:
    found = _DAYS.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is not a number of days", place=place, hint='write it as "7 days"')
    number, unit = int(found[1]), found[2] or "d"
    return number * 7 if unit.startswith("w") else number
