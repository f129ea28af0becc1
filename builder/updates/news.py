"""What is newer than a pin, and what would change with it: rows of a table, values for JSON. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from builder.model import counted
from builder.updates.pins import ProjectPin

__all__ = [
    "COLUMNS",
    "AdvisoryNews",
    "LicenseNews",
    "NewsState",
    "PinNews",
    "news_exit_code",
    "news_rows",
    "news_summary",
    "news_value",
]

COLUMNS = ("pin", "pinned", "state", "newest", "what else")
"""The columns of `news_rows`."""


class NewsState(StrEnum):
    """What was found out about a pin."""

    NEWER = "newer"
    """A newer one may be taken."""
    MOVED = "moved"
    """The place has other bytes now than those that are pinned, and they are not known to be newer."""
    COOLING = "cooling"
    """There are newer ones, all younger than the cooldown."""
    NEWEST = "newest"
    """The place was asked, and lists nothing newer that fits."""
    NOT_LOOKED_UP = "not looked up"
    """Nobody could be asked: whether there is a newer one is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseNews:
    """Licences of the pinned and the newer version, as SPDX expressions; empty where metadata is unclear."""

    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisoryNews:
    """Ids of advisories; those whose records leave a version open count as if it were affected."""

    fixed: tuple[str, ...]
    """About the pinned version, not about the newer one."""
    remaining: tuple[str, ...]
    """About both, or about the pinned one if none is newer."""
    added: tuple[str, ...]
    """About the newer version alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinNews:
    """The answer for one pin."""

    pin: ProjectPin
    state: NewsState
    newest: str = ""
    """The newest that may be taken: a version, a tag, a date of an index, a release."""
    tag: str = ""
    """Of a component from git: the tag of `newest`, empty where it is not clear which version that is."""
    pinned_on: datetime | None = None
    newest_on: datetime | None = None
    notes: tuple[str, ...] = ()
    reason: str = ""
    """Why it was not looked up."""
    unreached: bool = False
    """Whether a place that lists versions could not be asked."""
    license: LicenseNews | None = None
    license_reason: str = ""
    """Why licences were not looked up, if there is a newer version and they were not."""
    advisories: AdvisoryNews | None = None
    advisories_reason: str = ""


def news_exit_code(news: Iterable[PinNews]) -> int:
    """Return 1 if something newer was found, else 6 if a place could not be asked, else 0."""
    found = list(news)
    if any(item.state in (NewsState.NEWER, NewsState.MOVED) for item in found):
        return 1
    return 6 if any(item.unreached for item in found) else 0


def news_rows(news: Sequence[PinNews], now: datetime) -> list[tuple[str, ...]]:
    """Return one row a pin, for the columns of `COLUMNS`."""
    everywhere = bool(_no_advisories(news))  # the summary says it once
    return [
        (
            f"{item.pin.kind} {item.pin.name}",
            _with_age(item.pin.version, item.pinned_on, now),
            item.state.value,
            _with_age(item.newest, item.newest_on, now) if item.newest else "",
            "; ".join(_other_words(item, everywhere=everywhere)),
        )
        for item in news
    ]


def news_summary(news: Sequence[PinNews]) -> str:
    """Return in one sentence how many pins there are, and what was found about how many of them."""
    counts = Counter(item.state for item in news)
    said = ", ".join(f"{counts[state]} {state.value}" for state in NewsState if counts[state])
    reason = _no_advisories(news)
    advisories = f"; advisories not looked up: {reason}" if reason else ""
    return f"{counted(len(news), 'pin')}: {said}{advisories}" if news else "no pins"


def news_value(news: Sequence[PinNews], now: datetime) -> dict[str, Any]:
    """Return tables, lists, texts and numbers, in a fixed order."""
    counts = Counter(item.state for item in news)
    return {
        "asked-at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "counts": {state.value: counts[state] for state in NewsState if counts[state]},
        "pins": [_pin_value(item, now) for item in news],
    }


def _with_age(text: str, moment: datetime | None, now: datetime) -> str:
    return f"{text} ({_age_in_days(moment, now)} d)" if moment else text


def _age_in_days(moment: datetime, now: datetime) -> int:
    return max(0, (now - moment).days)


def _no_advisories(news: Sequence[PinNews]) -> str:
    """Return why no advisory at all was looked up; empty if some were."""
    reasons = {item.advisories_reason for item in news}
    return reasons.pop() if len(reasons) == 1 else ""


def _other_words(item: PinNews, *, everywhere: bool) -> list[str]:
    words = [item.reason] if item.reason else []
    words += item.notes
    if item.license is not None and item.license.before != item.license.after:
        words.append(f"license {item.license.before or 'not clear'} -> {item.license.after or 'not clear'}")
    elif item.license is not None:
        words.append(
            f"license stays {item.license.before}" if item.license.before else "license not clear in both"
        )
    if item.license_reason:
        words.append(f"license change not looked up: {item.license_reason}")
    if item.advisories is not None:
        kinds = ("fixed", "remaining", "added")
        found = [(kind, getattr(item.advisories, kind)) for kind in kinds]
        words += [f"advisories {kind}: {', '.join(ids)}" for kind, ids in found if ids]
        if not any(ids for _, ids in found):
            words.append("no advisory in what was named")
    elif item.advisories_reason and not everywhere:
        words.append(f"advisories not looked up: {item.advisories_reason}")
    if item.pin.inherited:
        words.append(f"stated by catalogue/{item.pin.path}")
    return words


def _pin_value(item: PinNews, now: datetime) -> dict[str, Any]:
    pin, license_, advisories = item.pin, item.license, item.advisories
    return {
        "kind": pin.kind.value,
        "name": pin.name,
        "pinned": pin.version,
        "file": f"{'catalogue' if pin.inherited else 'recipes'}/{pin.path}",
        "key": [str(key) for key in pin.keys],
        "releases": list(pin.releases),
        "state": item.state.value,
        "newest": item.newest or None,
        "pinned-age-days": _age_in_days(item.pinned_on, now) if item.pinned_on else None,
        "newest-age-days": _age_in_days(item.newest_on, now) if item.newest_on else None,
        "license": {"before": license_.before or None, "after": license_.after or None} if license_ else None,
        "license-not-looked-up": item.license_reason or None,
        "advisories": {
            "fixed": list(advisories.fixed),
            "remaining": list(advisories.remaining),
            "added": list(advisories.added),
        }
        if advisories
        else None,
        "advisories-not-looked-up": item.advisories_reason or None,
        "notes": list(item.notes),
        "not-looked-up": item.reason or None,
    }
