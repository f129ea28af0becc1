"""Newer versions of what a project pins: which there are, how old, and what would change with them.

In: a library, its files' own tables, and the places that list versions. Out: an answer for each
pin, which says so where nobody could be asked; recipes edited in a copy. Imports `recipe`,
`index`, `git`, `oci`, `resolve`, `policy`, `pin` and `project`.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.updates.cooldown import Cooldown
    from builder.updates.edits import Upgrade, UpgradeChoice, apply_upgrades
    from builder.updates.news import (
        COLUMNS,
        NewsState,
        PinNews,
        news_exit_code,
        news_rows,
        news_summary,
        news_value,
    )
    from builder.updates.pins import ProjectPin, ProjectPinKind
    from builder.updates.project_news import NewsRequest, ask_about_project, pins_of_project, project_cooldown
    from builder.updates.shadow import shadow_of, write_back
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "COLUMNS": "news",
            "Cooldown": "cooldown",
            "NewsRequest": "project_news",
            "NewsState": "news",
            "PinNews": "news",
            "ProjectPin": "pins",
            "ProjectPinKind": "pins",
            "Upgrade": "edits",
            "UpgradeChoice": "edits",
            "apply_upgrades": "edits",
            "ask_about_project": "project_news",
            "news_exit_code": "news",
            "news_rows": "news",
            "news_summary": "news",
            "news_value": "news",
            "pins_of_project": "project_news",
            "project_cooldown": "project_news",
            "shadow_of": "shadow",
            "write_back": "shadow",
        },
    )

__all__ = [
    "COLUMNS",
    "Cooldown",
    "NewsRequest",
    "NewsState",
    "PinNews",
    "ProjectPin",
    "ProjectPinKind",
    "Upgrade",
    "UpgradeChoice",
    "apply_upgrades",
    "ask_about_project",
    "news_exit_code",
    "news_rows",
    "news_summary",
    "news_value",
    "pins_of_project",
    "project_cooldown",
    "shadow_of",
    "write_back",
]
