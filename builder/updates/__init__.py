"""Newer versions of what a project pins: which there are, how old, and what would change with them.

In: a library, its files' own tables, and the places that list versions. Out: an answer for each
pin, which says so where nobody could be asked. Imports `recipe`, `index`, `git`, `oci`, `resolve`,
`policy` and `project`.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.updates.asking import (
        ASKED_TIMES,
        Questions,
        advisory_subjects_of,
        ask_about_pins,
        with_advisories,
    )
    from builder.updates.cooldown import Cooldown, cooldown_of
    from builder.updates.news import (
        COLUMNS,
        NewsState,
        PinNews,
        news_exit_code,
        news_rows,
        news_summary,
        news_value,
    )
    from builder.updates.pins import ProjectPin, ProjectPinKind, project_pins
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "ASKED_TIMES": "asking",
            "COLUMNS": "news",
            "Cooldown": "cooldown",
            "NewsState": "news",
            "ProjectPinKind": "pins",
            "PinNews": "news",
            "ProjectPin": "pins",
            "Questions": "asking",
            "advisory_subjects_of": "asking",
            "ask_about_pins": "asking",
            "cooldown_of": "cooldown",
            "news_exit_code": "news",
            "news_rows": "news",
            "news_summary": "news",
            "news_value": "news",
            "project_pins": "pins",
            "with_advisories": "asking",
        },
    )

__all__ = [
    "ASKED_TIMES",
    "COLUMNS",
    "Cooldown",
    "NewsState",
    "PinNews",
    "ProjectPin",
    "ProjectPinKind",
    "Questions",
    "advisory_subjects_of",
    "ask_about_pins",
    "cooldown_of",
    "news_exit_code",
    "news_rows",
    "news_summary",
    "news_value",
    "project_pins",
    "with_advisories",
]
