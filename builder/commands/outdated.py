"""`outdated`: what is newer than the pins of a project, how old each is, and what would change."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import UTC, datetime

from builder import updates
from builder.console import Console
from builder.options import (
    ResultFormat,
    add_cooldown,
    add_format,
    add_index_url,
    add_places,
    add_selection,
    project_of,
    selection_of,
)
from builder.project import Project
from builder.selection import Selection
from builder.updates import NewsRequest

__all__ = ["EXAMPLES", "Options", "add_options", "report_outdated", "run"]

EXAMPLES = """\
  python -m builder outdated                      every pin of the default release
  python -m builder outdated --release all --format json
  python -m builder outdated --cooldown "14 days" --cooldown torch="30 days"
  python -m builder outdated --advisories osv-all.zip       which known vulnerabilities would go, which come
"""


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `outdated`."""
    add_selection(verb)
    add_places(verb)
    add_format(verb)
    add_cooldown(verb)
    verb.add_argument(
        "--advisories",
        default="",
        metavar="FILE-OR-URL",
        help="known vulnerabilities (OSV): a folder, zip or JSON file, or a service's base URL",
    )
    add_index_url(verb)


def run(options: argparse.Namespace, console: Console) -> int:
    """Ask and report; 1 if something is newer, else 6 if a place could not be asked, else 0."""
    return report_outdated(
        project_of(options, console),
        Options(
            selection=selection_of(options),
            cooldown=tuple(options.cooldown),
            advisories=options.advisories,
            index_url=options.index_url,
            now=datetime.now(UTC),
            json=options.format == ResultFormat.JSON,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    selection: Selection
    cooldown: tuple[str, ...] = ()
    """Values of `--cooldown`."""
    advisories: str = ""
    """A folder, zip or file of advisories, or a service's URL."""
    index_url: str = ""
    now: datetime
    """The moment that ages and cooldowns are counted from."""
    json: bool = False


def report_outdated(project: Project, options: Options) -> int:
    """Ask and report; 1 if something is newer, else 6 if a place could not be asked, else 0."""
    library = project.library()
    request = NewsRequest(
        pins=updates.pins_of_project(project, library, options.selection),
        cooldown=updates.project_cooldown(project, options.cooldown),
        now=options.now,
        advisories=options.advisories,
        index_url=options.index_url,
    )
    news = updates.ask_about_project(project, library, request)
    if options.json:
        project.console.json(updates.news_value(news, options.now))
    else:
        project.console.table(updates.COLUMNS, updates.news_rows(news, options.now))
    project.console.status(updates.news_summary(news))
    return updates.news_exit_code(news)
