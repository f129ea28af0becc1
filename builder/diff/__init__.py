"""What changed between locks, the most dangerous first.

In: pairs of locks and facts from outside. Out: changes of rows with their risk, as text,
markdown or JSON. Imports `lockfile` and `model`. Pure.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.diff.change import Commit, History, RowChange
    from builder.diff.comparison import came_whole, compare, rewritten, went_whole
    from builder.diff.exports import (
        ExportedPin,
        compare_pins,
        marker_environment,
        pins_of,
        read_pylock,
        read_requirements,
    )
    from builder.diff.facts import OutsideFacts, commits_of, releases_of, with_facts
    from builder.diff.forms import as_markdown, as_text, as_value
    from builder.diff.listing import as_listing
    from builder.diff.pages import page
    from builder.diff.reports import Compared, Report, Unsound, compared_in_place, report
    from builder.diff.risk import Risk
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "RowChange": "change",
            "Commit": "change",
            "Compared": "reports",
            "OutsideFacts": "facts",
            "History": "change",
            "ExportedPin": "exports",
            "Report": "reports",
            "Risk": "risk",
            "Unsound": "reports",
            "as_listing": "listing",
            "as_markdown": "forms",
            "as_text": "forms",
            "as_value": "forms",
            "came_whole": "comparison",
            "commits_of": "facts",
            "compare": "comparison",
            "compared_in_place": "reports",
            "compare_pins": "exports",
            "marker_environment": "exports",
            "page": "pages",
            "pins_of": "exports",
            "read_pylock": "exports",
            "read_requirements": "exports",
            "releases_of": "facts",
            "report": "reports",
            "rewritten": "comparison",
            "went_whole": "comparison",
            "with_facts": "facts",
        },
    )

__all__ = [
    "Commit",
    "Compared",
    "ExportedPin",
    "History",
    "OutsideFacts",
    "Report",
    "Risk",
    "RowChange",
    "Unsound",
    "as_listing",
    "as_markdown",
    "as_text",
    "as_value",
    "came_whole",
    "commits_of",
    "compare",
    "compare_pins",
    "compared_in_place",
    "marker_environment",
    "page",
    "pins_of",
    "read_pylock",
    "read_requirements",
    "releases_of",
    "report",
    "rewritten",
    "went_whole",
    "with_facts",
]
