"""`verify --online`: indexes, archives, git servers and registries asked what they have now.

What a project page of an index says now is held against the rows of a lock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from builder.errors import BuilderError, DigestMismatchError
from builder.fetch import FileNeed, needs
from builder.git import GitPlaces
from builder.index import IndexClient, default_index_url
from builder.io import Client, NotFoundError, first_answer
from builder.json_text import parse_json
from builder.lockfile import (
    Finding,
    GitSource,
    Level,
    Lock,
    LockSection,
    Proof,
    PythonPackage,
    found,
    named_label,
    row_label,
)
from builder.oci import Registry
from builder.origins import Origins
from builder.project import Project
from builder.recipe import PYPI, Library

__all__ = ["index_urls", "judge_listed", "offers_attestations", "online_proof"]


def judge_listed(rows: Iterable[PythonPackage], page: Any) -> Iterator[Finding]:
    """Yield rows that a page (PEP 691, as parsed JSON) does not list, lists otherwise, or calls yanked.

    A page that states provenance (PEP 740) for any file states it for all that have it.
    """
    files = page.get("files") if isinstance(page, dict) else None
    if not isinstance(files, list):
        yield from (found("unknown", "the index gives no list of files", row=row_label(row)) for row in rows)
        return
    listed = {str(file.get("filename")): file for file in files if isinstance(file, dict)}
    offers = offers_attestations(page)
    for row in rows:
        file = listed.get(row.file)
        if file is None:
            yield found("gone", f"the index no longer lists {row.file}", row=row_label(row))
            continue
        yield from _file_findings(row, file, offers=offers)


def offers_attestations(page: Any) -> bool:
    """Whether a page says of any file if there is an attestation of it."""
    files = page.get("files") if isinstance(page, dict) else None
    return isinstance(files, list) and any(isinstance(f, dict) and "provenance" in f for f in files)


def _file_findings(row: PythonPackage, file: dict[str, Any], *, offers: bool) -> Iterator[Finding]:
    hashes = file.get("hashes")
    stated = str(hashes.get("sha256", "")) if isinstance(hashes, dict) else ""
    if not stated:
        yield found("unknown", "the index states no sha256", row=row_label(row))
    elif stated != row.sha256:
        yield found(
            "changed", f"the index states sha256 {stated[:80]}, locked is {row.sha256}", row=row_label(row)
        )
    yanked = file.get("yanked", False)
    if yanked:
        why = f": {yanked[:200]}" if isinstance(yanked, str) else ""
        yield found("yanked", f"the index calls {row.file} yanked{why}", row=row_label(row))
    if offers and not file.get("provenance"):
        yield found("unattested", "the index has no attestation for it", row=row_label(row))


_WORKERS = 8
_ATTEMPTS = 2
_JSON = "application/vnd.pypi.simple.v1+json"
Answer = tuple[str, tuple[Finding, ...]]
"""What was asked (for the count), and what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _ServerQuestion:
    label: str
    ask: Callable[[], Answer]


def online_proof(project: Project, locks: Sequence[Lock], indexes: Mapping[str, str]) -> Proof:
    """Ask for every row of `locks`, each only once, in parallel; an unreachable host proves nothing.

    `indexes` has the address of the simple index of each origin of wheels.
    """
    with project.client(attempts=_ATTEMPTS) as client:
        asked = [
            *_python_questions(locks, project.index_client(client), indexes),
            *_file_questions(locks, client, project.origins),
            *_git_questions(locks, project),
            *_image_questions(locks, project.origins),
        ]
        with (
            project.console.steps("asking", len(asked)) as steps,
            ThreadPoolExecutor(_WORKERS) as pool,
        ):

            def one(question: _ServerQuestion) -> Answer:
                answer = question.ask()
                steps.done(question.label)
                return answer

            try:
                answers = list(pool.map(one, asked))
            except BaseException:
                client.abort()
                raise
    counts = Counter(kind for kind, _ in answers)
    findings = tuple(finding for _, several in answers for finding in several)
    unknown = sum(finding.rule.level is Level.UNKNOWN for finding in findings)
    said = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    facts = {"asked": dict(sorted(counts.items())), "unknown": unknown}
    return Proof(name="online", says=f"asked for {said or 'nothing'}", findings=findings, facts=facts)


def index_urls(library: Library | None, default: str = "") -> dict[str, str]:
    """Return the simple index of each origin of wheels; `default` replaces the default index."""
    frameworks = library.frameworks.values() if library else ()
    return {index.name: index.url for one in frameworks for index in one.indexes} | {
        PYPI: default or default_index_url()
    }


def _python_questions(
    locks: Sequence[Lock], client: IndexClient, indexes: Mapping[str, str]
) -> list[_ServerQuestion]:
    """Ask each index once for each project."""
    rows: dict[tuple[str, str], dict[str, PythonPackage]] = {}
    for lock in locks:
        for row in lock.python:
            if row.sha256 and row.origin in indexes:
                rows.setdefault((row.origin, row.name), {})[row.file] = row

    def question(origin: str, name: str, wanted: Mapping[str, PythonPackage]) -> _ServerQuestion:
        def ask() -> Answer:
            try:
                url = f"{indexes[origin].rstrip('/')}/{name}/"
                page: Any = client.read_page(url, _JSON, lambda answer: parse_json(answer.body))
            except NotFoundError:
                page = {"files": []}
            except (BuilderError, ValueError, RecursionError) as error:
                return "projects", (
                    found(
                        "unknown",
                        f"the index was not understood: {error}",
                        row=named_label(LockSection.PYTHON, name),
                    ),
                )
            kind = "projects" if offers_attestations(page) else "projects without attestations"
            return kind, tuple(judge_listed(wanted.values(), page))

        return _ServerQuestion(label=named_label(LockSection.PYTHON, name), ask=ask)

    return [question(origin, name, wanted) for (origin, name), wanted in sorted(rows.items())]


def _file_questions(locks: Sequence[Lock], client: Client, origins: Origins) -> list[_ServerQuestion]:
    """Ask archives for the head of each OS package and each archive; wheels are asked of their index."""
    wanted = needs(locks, origins, everything=True)
    wheels = {row.sha256 for lock in locks for row in lock.python}
    files = {file.sha256: file for base in wanted.bases for _, file in base.packages}
    files |= {file.sha256: file for file in wanted.files if file.sha256 not in wheels}

    def question(file: FileNeed) -> _ServerQuestion:
        return _ServerQuestion(
            label=file.label, ask=lambda: ("files", _served_findings(file, client, origins))
        )

    return [question(file) for file in sorted(files.values(), key=lambda file: file.label)]


def _served_findings(file: FileNeed, client: Client, origins: Origins) -> tuple[Finding, ...]:
    """Return nothing for a file that one of its places has in the right size."""

    def ask(url: str) -> None:
        size = client.head(url).size
        if size is not None and file.size not in (None, size):
            raise DigestMismatchError(f"it has {size} bytes now, locked are {file.size}", place=url)

    try:
        first_answer(file.urls(origins), ask)
    except DigestMismatchError as error:
        return (found("changed", str(error), row=file.label),)
    except NotFoundError as error:
        return (found("gone", str(error), row=file.label),)
    except BuilderError as error:
        return (found("unknown", str(error), row=file.label),)
    return ()


def _git_questions(locks: Sequence[Lock], project: Project) -> list[_ServerQuestion]:
    places = project.git_places()
    sources = {(row.git, row.commit): row for lock in locks for row in lock.sources}

    def question(row: GitSource) -> _ServerQuestion:
        return _ServerQuestion(label=row_label(row), ask=lambda: ("tags", _tag_findings(row, places)))

    return [question(row) for _, row in sorted(sources.items())]


def _tag_findings(row: GitSource, places: GitPlaces) -> tuple[Finding, ...]:
    name = row_label(row)
    if not row.tag:
        return (found("unknown", "a commit without a tag cannot be looked up", row=name),)
    ref = f"refs/tags/{row.tag}"
    try:
        refs = places.refs(row.git, (ref, f"{ref}^{{}}"))
    except BuilderError as error:
        return (found("unknown", str(error), row=name),)
    now = refs.get(f"{ref}^{{}}") or refs.get(ref)
    if now is None:
        return (found("gone", f"the tag {row.tag} no longer exists", row=name),)
    if now != row.commit:
        return (found("moved", f"the tag {row.tag} is {now} now, locked is {row.commit}", row=name),)
    return ()


def _image_questions(locks: Sequence[Lock], origins: Origins) -> list[_ServerQuestion]:
    images = {(image.name, str(image.digest)) for lock in locks for image in lock.images if image.digest}

    def question(name: str, digest: str) -> _ServerQuestion:
        return _ServerQuestion(
            label=named_label(LockSection.IMAGES, name),
            ask=lambda: ("images", _manifest_findings(name, digest, origins)),
        )

    return [question(name, digest) for name, digest in sorted(images)]


def _manifest_findings(name: str, digest: str, origins: Origins) -> tuple[Finding, ...]:
    try:
        with Registry(name, origins) as registry:
            registry.manifest_bytes(digest)
    except NotFoundError:
        return (
            found("gone", f"the registry no longer has {digest}", row=named_label(LockSection.IMAGES, name)),
        )
    except DigestMismatchError as error:
        return (found("changed", str(error), row=named_label(LockSection.IMAGES, name)),)
    except BuilderError as error:
        return (found("unknown", str(error), row=named_label(LockSection.IMAGES, name)),)
    return ()
