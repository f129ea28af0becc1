"""The evidence of a project: its documents, recorded and live facts, and what its locks hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from builder.align.claims import Document, check_document
from builder.align.evidence import Evidence, LockedFacts, held, repository_of
from builder.align.published_index import Index
from builder.align.repository_tags import read_tags, tags_asker
from builder.errors import RecipeError
from builder.io import read_bytes
from builder.lockfile import Lock, parse_lock
from builder.locks import lock_path, locked_targets
from builder.project import Project
from builder.recipe import Library, parse_recipe, parse_table, plain_url

__all__ = ["evidence_of", "read_documents"]


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
