"""The evidence of a project: its documents, recorded and live facts, and what its locks hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from builder.align.claims import Document, check_document
from builder.align.evidence import (
    DYNAMO,
    Evidence,
    LockedFacts,
    RepositoryTags,
    UnaskedError,
    held,
    repository_of,
)
from builder.align.published_index import Index
from builder.errors import BuilderError, RecipeError
from builder.git import GitPlaces
from builder.io import read_bytes
from builder.lockfile import Lock, parse_lock
from builder.locks import lock_path, locked_targets
from builder.project import Project
from builder.recipe import Library, RecordedTags, TagRecord, parse_recipe, parse_table, plain_url

__all__ = [
    "NAMED_LIKE_A_VERSION",
    "ask_tags",
    "evidence_of",
    "known_names",
    "read_documents",
    "read_tags",
    "tags_asker",
]


def read_documents(paths: Sequence[Path], root: Path) -> list[Document]:
    """Read files of claims (RecipeError)."""
    found = []
    for path in paths:
        place = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
        data = read_bytes(path, error=RecipeError)
        document = parse_recipe(parse_table(data, place=place), Document, place=place)
        check_document(document, place=place)
        found.append(document)
    return found


def known_names(project: Project, library: Library) -> frozenset[str]:
    """Return the names whose versions can be judged: components, roots of releases, recorded repositories."""
    roots = {
        name for item in library.releases.values() for table in item.python.values() for name, _ in table
    }
    recorded = {url.rpartition("/")[2] for url in read_tags(project)}
    return frozenset({DYNAMO, *library.components, *roots, *recorded})


@contextmanager
def evidence_of(
    project: Project,
    library: Library,
    documents: Sequence[Document],
    *,
    offline: bool,
    index_url: str,
) -> Iterator[Evidence]:
    """Yield the evidence that judging asks; it is asked only while the block runs."""
    with project.client(offline=offline) as client:
        services = project.services(client, index_url=index_url, offline=offline)
        index = Index(services, project.page_cache, tags_asker(project, offline=offline))
        images = {fact: None for document in documents for fact in document.images}
        own = {plain_url(repository_of(item)) for item in library.components.values()}
        others = {url.rpartition("/")[2]: url for url in read_tags(project) if url not in own}
        yield Evidence(
            published=index,
            library=library,
            held=_locked_facts(project),
            images=tuple(images),
            repositories=others,
        )
        if offline:
            age = f"of {index.oldest:%Y-%m-%d %H:%M} UTC and later" if index.oldest else "empty"
            project.console.status(f"offline: nothing was asked; the kept answers are {age}")


def _locked_facts(project: Project) -> Callable[[str, str], LockedFacts]:
    targets = locked_targets(project)

    @cache
    def locks(release: str) -> tuple[Lock, ...]:
        paths = [lock_path(project, target) for target in targets if target.release == release]
        return tuple(parse_lock(read_bytes(path), place=str(path)) for path in paths)

    @cache
    def holding(release: str, framework: str) -> LockedFacts:
        return held(locks(release), (framework,) if framework else ())

    return holding


NAMED_LIKE_A_VERSION = re.compile(
    r"v?\d+(\.\w+)*([-_.]?(rc|dev|post)\d*)?|main|master|release.*|dev(el(op)?)?"
)
"""Branches that may be taken for a version, or for the newest of everything."""

_TAGS, _BRANCHES = "refs/tags/", "refs/heads/"


def read_tags(project: Project) -> dict[str, TagRecord]:
    """Return what is recorded, by address (RecipeError)."""
    path = project.recipe_path("tags.toml")
    if not path.is_file():
        return {}
    place = f"recipes/{path.name}"
    table = parse_table(read_bytes(path, error=RecipeError), place=place)
    return {record.url: record for record in parse_recipe(table, RecordedTags, place=place).repositories}


def ask_tags(places: GitPlaces, url: str) -> RepositoryTags:
    """Ask a repository for its tags and branches (FetchError)."""
    refs = places.refs(url, (f"{_TAGS}*", f"{_BRANCHES}*"))
    names = [name.removesuffix("^{}") for name in refs]
    tags = {name.removeprefix(_TAGS) for name in names if name.startswith(_TAGS)}
    branches = {name.removeprefix(_BRANCHES) for name in names if name.startswith(_BRANCHES)}
    return RepositoryTags(
        tags=tuple(sorted(tags)),
        branches=tuple(sorted(branches)),
        by="asked now",
        all_branches=True,
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
