"""Days before a version is taken, for all and for some."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from builder.errors import UsageError
from builder.updates.cooldown import cooldown_of

NOW = datetime(2026, 12, 1, 15, 30, tzinfo=UTC)


def test_days_for_all_and_longer_for_one() -> None:
    found = cooldown_of(["Torch=2 weeks"], {"vllm": "30 days"}, "10 days", 7)
    assert [found.until(name, NOW).isoformat() for name in ("idna", "torch", "vllm")] == [
        "2026-11-21T00:00:00+00:00",
        "2026-11-17T00:00:00+00:00",
        "2026-11-01T00:00:00+00:00",
    ]


def test_an_option_wins_over_the_projects_file_and_that_over_the_usual() -> None:
    assert cooldown_of(["3"], {}, "10 days", 7).days == 3
    assert cooldown_of([], {}, "10 days", 7).days == 10
    assert cooldown_of([], {}, "", 7).days == 7


@pytest.mark.parametrize(
    ("options", "stated", "place", "said"),
    [
        (["soon"], {}, "--cooldown soon", "is not a number of days"),
        ([], {"torch": "-1 days"}, "lockwright.toml: cooldowns.torch", "is not a number of days"),
        (["torch=2 days"], {}, "cooldown", "is shorter than that of all others"),
    ],
)
def test_what_is_no_cooldown(options: list[str], stated: dict[str, str], place: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        cooldown_of(options, stated, "", 7)
    assert caught.value.place == place
    assert said in caught.value.cause
