"""Tags of repositories: asked where they can be, else as they were recorded."""

from __future__ import annotations

import re
from collections.abc import Callable

from builder.align.published import RepositoryTags, UnaskedError
from builder.errors import BuilderError, RecipeError
from builder.git import GitPlaces
from builder.io import read_bytes
from builder.project import Project
from builder.recipe import RecordedTags, TagRecord, parse_recipe, parse_table, plain_url

__all__ = ["NAMED_LIKE_A_VERSION", "ask_tags", "read_tags", "tags_asker"]

NAMED_LIKE_A_VERSION = re.compile(
    r"v?\d+(\.\w+)*([-_.]?(rc|dev|post)\d*)?|main|master|release.*|dev(el(op)?)?"
)
"""Branches that may be taken for a version, or for the newest of everything."""

_TAGS, _BRANCHES = "refs/tags/", "refs/heads/"


def read_tags(project: Project) -> dict[str, TagRecord]:
    """Return what is recorded, by address (RecipeError)."""
    path = project.recipes / "tags.toml"
    if not path.is_file():
        return {}
    place = f"recipes/{path.name}"
    table = parse_table(read_bytes(path, error=RecipeError), place=place)
    return {record.url: record for record in parse_recipe(table, RecordedTags, place=place).repositories}


def ask_tags(places: GitPlaces, url: str) -> RepositoryTags:
    """Ask a repository for its tags, and for its branches of such names (FetchError)."""
    refs = places.refs(url, (f"{_TAGS}*", f"{_BRANCHES}*"))
    names = [name.removesuffix("^{}") for name in refs]
    tags = {name.removeprefix(_TAGS) for name in names if name.startswith(_TAGS)}
    branches = {name.removeprefix(_BRANCHES) for name in names if name.startswith(_BRANCHES)}
    return RepositoryTags(
        tags=tuple(sorted(tags)),
        branches=tuple(sorted(name for name in branches if NAMED_LIKE_A_VERSION.fullmatch(name))),
        by="asked now",
    )


def tags_asker(project: Project, *, offline: bool) -> Callable[[str], RepositoryTags]:
    """Return what answers for the tags of an address, each asked once."""
    records = read_tags(project)
    places = project.git_places()
    answers: dict[str, RepositoryTags] = {}

    def answer(url: str) -> RepositoryTags:
        plain = plain_url(url)
        if plain not in answers:
            answers[plain] = _tags_of(plain)
        return answers[plain]

    def _tags_of(plain: str) -> RepositoryTags:
        why = "the run is offline"
        if not offline:
            try:
                return ask_tags(places, f"{plain}.git")
            except BuilderError as error:
                why = error.cause.partition("\n")[0]
        record = records.get(plain)
        if record is None:
            raise UnaskedError(f"the tags of {plain} could not be asked ({why}) and are not recorded")
        return RepositoryTags(tags=record.tags, branches=record.branches, by=f"recorded {record.at}")

    return answer
