"""Everything that a project pins, asked about: its recipes read, its pins chosen, their places asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from builder import policy
from builder.io import read_bytes
from builder.model import counted
from builder.policy import Advisory
from builder.project import Project
from builder.recipe import Library, lockable_targets, parse_table
from builder.scaffold import COOLDOWN_DAYS
from builder.selection import Selection
from builder.updates.asking import (
    ASKED_TIMES,
    Questions,
    advisory_subjects_of,
    ask_about_pins,
    with_advisories,
)
from builder.updates.cooldown import Cooldown, cooldown_of
from builder.updates.news import PinNews
from builder.updates.pins import ProjectPin, project_pins

__all__ = ["NewsRequest", "ask_about_project", "pins_of_project", "project_cooldown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsRequest:
    """What is asked about a project's pins."""

    pins: tuple[ProjectPin, ...]
    cooldown: Cooldown
    now: datetime
    """The moment that ages and cooldowns are counted from."""
    advisories: str = ""
    """A folder, zip or file of advisories, or a service's URL."""
    index_url: str = ""


def project_cooldown(project: Project, options: Sequence[str]) -> Cooldown:
    """Return the cooldown of a run: of `--cooldown`, else of the project's file, else a week (UsageError)."""
    settings = project.settings
    return cooldown_of(options, settings.cooldowns, settings.cooldown, COOLDOWN_DAYS)


def pins_of_project(project: Project, library: Library, selection: Selection) -> tuple[ProjectPin, ...]:
    """Return every pin that the selected targets use (RecipeError for recipes that do not fit)."""
    tables = {}
    for folder, names in (("releases", library.releases), ("platforms", library.platforms)):
        for name in names:
            path = f"{folder}/{name}.toml"
            tables[path] = parse_table(read_bytes(project.recipe_path(path)), place=library.place(path))
    return project_pins(library, lockable_targets(library, selection), tables)


def ask_about_project(project: Project, library: Library, request: NewsRequest) -> list[PinNews]:
    """Return what is newer than each of the pins."""
    with project.client(attempts=ASKED_TIMES) as client:
        questions = Questions(
            project=project,
            library=library,
            client=client,
            services=project.services(client, index_url=request.index_url),
            cooldown=request.cooldown,
            now=request.now,
        )
        news = ask_about_pins(request.pins, questions)
    unhashed = len(questions.services.unhashed_metadata)
    if unhashed:
        read = counted(unhashed, "wheel")
        project.console.warning(f"no hash covers the metadata of {read} whose licenses were compared")
    return with_advisories(news, _known_advisories(project, news, request.advisories))


def _known_advisories(project: Project, news: Sequence[PinNews], source: str) -> Sequence[Advisory] | None:
    if not source:
        return None
    return policy.advisories_of_source(source, advisory_subjects_of(news), project.client).advisories
