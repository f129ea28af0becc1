"""`outdated`: what is newer than the pins of a project, how old each is, and what would change."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from builder import policy, updates
from builder.console import Console
from builder.io import read_bytes
from builder.model import counted
from builder.options import (
    ResultFormat,
    add_format,
    add_index_url,
    add_places,
    add_selection,
    project_of,
    selection_of,
)
from builder.policy import Advisory
from builder.project import Project
from builder.recipe import Library, lockable_targets, parse_table
from builder.scaffold import COOLDOWN_DAYS
from builder.selection import Selection
from builder.updates import PinNews, ProjectPin, Questions

__all__ = [
    "EXAMPLES",
    "Options",
    "add_cooldown",
    "add_options",
    "ask_about_project",
    "report_outdated",
    "run",
]

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


def add_cooldown(verb: argparse.ArgumentParser) -> None:
    """Add `--cooldown`."""
    verb.add_argument(
        "--cooldown",
        action="append",
        default=[],
        metavar="DAYS",
        help='how old a version must be, such as "7 days", or longer for one: NAME=DAYS '
        "(default: lockwright.toml, or a week)",
    )


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
    news = ask_about_project(project, options)
    if options.json:
        project.console.json(updates.news_value(news, options.now))
    else:
        project.console.table(updates.COLUMNS, updates.news_rows(news, options.now))
    project.console.status(updates.news_summary(news))
    return updates.news_exit_code(news)


def ask_about_project(project: Project, options: Options) -> list[PinNews]:
    """Return what is newer than each pin of the selected targets."""
    library = project.library()
    cooldown = updates.cooldown_of(
        options.cooldown, project.settings.cooldowns, project.settings.cooldown, COOLDOWN_DAYS
    )
    pins = _selected_pins(project, library, options.selection)
    with project.client(attempts=updates.ASKED_TIMES) as client:
        questions = Questions(
            project=project,
            library=library,
            client=client,
            services=project.services(client, index_url=options.index_url),
            cooldown=cooldown,
            now=options.now,
        )
        news = updates.ask_about_pins(pins, questions)
    unhashed = len(questions.services.unhashed_metadata)
    if unhashed:
        read = counted(unhashed, "wheel")
        project.console.warning(f"no hash covers the metadata of {read} whose licenses were compared")
    return updates.with_advisories(news, _known_advisories(project, news, options.advisories))


def _selected_pins(project: Project, library: Library, selection: Selection) -> tuple[ProjectPin, ...]:
    tables = {}
    for folder, names in (("releases", library.releases), ("platforms", library.platforms)):
        for name in names:
            path = f"{folder}/{name}.toml"
            tables[path] = parse_table(read_bytes(project.recipe_path(path)), place=library.place(path))
    return updates.project_pins(library, lockable_targets(library, selection), tables)


def _known_advisories(project: Project, news: Sequence[PinNews], source: str) -> Sequence[Advisory] | None:
    if not source:
        return None
    subjects = updates.advisory_subjects_of(news)
    if source.startswith(("https://", "http://")):
        with project.client() as client:
            return policy.ask_service(client, source, subjects).advisories
    return policy.relevant_advisories(policy.read_advisories(Path(source)), subjects)
