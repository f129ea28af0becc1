"""`align`: what documents claim, what was published, what our locks hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from builder.align import (
    DYNAMO,
    Document,
    Evidence,
    Held,
    Index,
    Row,
    Status,
    UnaskedError,
    check_document,
    held,
    judge_document,
    judge_release,
    repository_of,
)
from builder.commands.locks import locked_targets
from builder.commands.tags import read_tags, tags_asker
from builder.errors import RecipeError, UsageError
from builder.io import read_bytes
from builder.lockfile import Lock, parse_lock
from builder.model import markdown_table
from builder.project import Project
from builder.recipe import Library, parse_recipe, parse_table, plain_url
from builder.selection import ALL

__all__ = ["Options", "evidence_of", "read_documents", "run"]

COLUMNS = ("status", "release", "claim", "published", "lock", "evidence", "where")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    releases: tuple[str, ...] = ()
    """Empty means the default release, or with `claims` every release that these speak of."""
    claims: tuple[Path, ...] = ()
    """Files of claims instead of those of the project."""
    statuses: tuple[str, ...] = ()
    """Show only rows of these; the exit code speaks of all."""
    offline: bool = False
    index_url: str = ""
    format: str = "text"
    """text, json or markdown."""


def run(project: Project, options: Options) -> int:
    """Judge claims and releases; 1 where anything drifts or cannot be."""
    library = project.library()
    own = read_documents(sorted((project.recipes / "claims").glob("*.toml")), project.root)
    documents = read_documents(options.claims, project.root) if options.claims else own
    releases = _releases(library, options)
    with evidence_of(
        project, library, [*own, *documents], offline=options.offline, index_url=options.index_url
    ) as evidence:
        wanted = _wanted(options, releases)
        rows = [row for document in documents for row in judge_document(document, evidence, wanted)]
        if not options.claims or options.releases:
            for release in releases:
                _check_release(release, library, evidence)
                rows += judge_release(release, evidence)
    report(project, rows, options)
    return 1 if any(row.verdict.status.alarming for row in rows) else 0


def _releases(library: Library, options: Options) -> tuple[str, ...]:
    if ALL in options.releases:
        return tuple(sorted(library.releases))
    if not options.releases:
        return (library.default_release.version,)
    return options.releases


def _check_release(release: str, library: Library, evidence: Evidence) -> None:
    """Refuse a release that neither recipes nor the index know (UsageError)."""
    if release in library.releases:
        return
    try:
        evidence.files(DYNAMO, release)
    except UnaskedError as error:
        cause = f"there is no release {release!r} among the recipes, and {error}"
        raise UsageError(cause, place="--release") from None


def _wanted(options: Options, releases: Sequence[str]) -> Callable[[str], bool]:
    if ALL in options.releases or (options.claims and not options.releases):
        return lambda _: True
    return lambda release: release in releases


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
            held=_holding(project),
            images=tuple(images),
            repositories=others,
        )
        if offline:
            age = f"of {index.oldest:%Y-%m-%d %H:%M} UTC and later" if index.oldest else "empty"
            project.console.status(f"offline: nothing was asked; the kept answers are {age}")


def _holding(project: Project) -> Callable[[str, str], Held]:
    targets = locked_targets(project)

    @cache
    def locks(release: str) -> tuple[Lock, ...]:
        paths = [project.locks / target.path for target in targets if target.release == release]
        return tuple(parse_lock(read_bytes(path), place=str(path)) for path in paths)

    @cache
    def holding(release: str, framework: str) -> Held:
        return held(locks(release), (framework,) if framework else ())

    return holding


def report(project: Project, rows: Sequence[Row], options: Options) -> None:
    """Show rows in the form that is wanted."""
    shown = [row for row in rows if not options.statuses or row.verdict.status in options.statuses]
    counts = Counter(row.verdict.status for row in rows)
    if options.format == "json":
        numbers = {status.value: counts[status] for status in Status}
        project.console.json({"counts": numbers, "rows": [_as_json(row) for row in shown]})
        return
    cells = [_cells(row) for row in shown]
    if options.format == "markdown":
        project.console.data(markdown_table(COLUMNS, cells))
        return
    project.console.table(COLUMNS, cells)
    project.console.data(", ".join(f"{counts[status]} {status}" for status in Status))


def _cells(row: Row) -> tuple[str, ...]:
    verdict = row.verdict
    claim = row.claim or row.quote or "-"
    where = f"{row.source}: {row.section}" if row.section else row.source
    return (
        verdict.status,
        row.release,
        claim,
        verdict.published or "-",
        verdict.lock or "-",
        verdict.evidence,
        where,
    )


def _as_json(row: Row) -> dict[str, Any]:
    return {
        "source": row.source,
        "section": row.section,
        "quote": row.quote,
        "release": row.release,
        "claim": row.claim,
        "published": row.verdict.published,
        "lock": row.verdict.lock,
        "status": row.verdict.status.value,
        "evidence": row.verdict.evidence,
    }
