"""`align`: what documents claim, what was published, what our locks hold."""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from builder.align import (
    DYNAMO,
    Evidence,
    StatementRow,
    Status,
    UnaskedError,
    claims_in_markdown,
    evidence_of,
    judge_document,
    judge_release,
    known_names,
    read_documents,
)
from builder.align.dockerfile import (
    UNRESOLVED,
    Pin,
    PinFinding,
    check_pins,
    file_pins,
    pins_of_dockerfiles,
)
from builder.console import Console
from builder.errors import ToolError, UsageError
from builder.io import call_apart, read_bytes
from builder.locks import select_locks
from builder.model import check_line, markdown_table, nearest_names
from builder.options import ResultFormat, add_format, add_index_url, add_places, project_of
from builder.project import Project
from builder.recipe import Library
from builder.redact import redacted
from builder.selection import ALL, Selection

__all__ = ["EXAMPLES", "Options", "add_options", "judge_claims", "run"]

EXAMPLES = """\
  python -m builder align --release 0.8.0                    claims, published metadata, our locks
  python -m builder align --release all --status drift --status impossible
  python -m builder align --claims mine.toml --format json   the statements of your own document
  python -m builder align --dockerfile Dockerfile            which pins of your own file hold?
  python -m builder align --requirements requirements.txt --release 0.8.0
  python -m builder align --requirements uv.lock --requirements compose.yaml
  python -m builder align --write-claims matrix.md --release 0.8.0 > mine.toml
"""
COLUMNS = ("status", "release", "claim", "published", "lock", "evidence", "where")
_PIN_COLUMNS = ("status", "file", "line", "kind", "pin", "found", "evidence")
_WIDEST = 120


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `align`."""
    verb.add_argument(
        "--release",
        action="append",
        default=[],
        metavar="NAME",
        help="a release, or all (default: the default)",
    )
    verb.add_argument(
        "--claims", action="append", default=[], type=Path, metavar="FILE", help="judge this file"
    )
    for option, meaning in (
        ("--dockerfile", "judge the pins of this file"),
        (
            "--requirements",
            "likewise: requirements, pyproject.toml, uv.lock, pylock.toml, compose, Helm values",
        ),
    ):
        verb.add_argument(option, action="append", default=[], type=Path, metavar="FILE", help=meaning)
    verb.add_argument(
        "--write-claims",
        type=Path,
        metavar="FILE",
        help="write the tables of a markdown file as claims, to review",
    )
    statuses = [status.value for status in Status]
    verb.add_argument("--status", action="append", default=[], choices=statuses, help="show only these rows")
    verb.add_argument(
        "--offline", action="store_true", help="use kept answers only, and say how old they are"
    )
    add_index_url(verb)
    add_places(verb)
    add_format(verb, ResultFormat.MARKDOWN)


def run(options: argparse.Namespace, console: Console) -> int:
    """Judge claims and releases, or the pins of files; 1 where anything drifts or cannot be."""
    if options.write_claims:
        if options.claims or options.dockerfile or options.requirements or len(options.release) > 1:
            raise UsageError("--write-claims stands alone, with at most one --release")
        return write_claims(project_of(options, console), options.write_claims, "".join(options.release))
    if options.dockerfile or options.requirements:
        if options.claims or len(options.release) > 1:
            raise UsageError(
                "--dockerfile and --requirements exclude --claims and take at most one --release"
            )
        return check_files(
            project_of(options, console),
            FileOptions(
                dockerfiles=tuple(options.dockerfile),
                requirements=tuple(options.requirements),
                release="".join(options.release),
                statuses=tuple(options.status),
                offline=options.offline,
                index_url=options.index_url,
                format=ResultFormat(options.format),
            ),
        )
    return judge_claims(
        project_of(options, console),
        Options(
            releases=tuple(options.release),
            claims=tuple(options.claims),
            statuses=tuple(options.status),
            offline=options.offline,
            index_url=options.index_url,
            format=ResultFormat(options.format),
        ),
    )


def write_claims(project: Project, path: Path, release: str) -> int:
    """Write the tables of a markdown document as a file of claims to standard output."""
    library = project.library()
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"byte {error.start} is not UTF-8", place=str(path)) from None
    found = claims_in_markdown(text, known_names(project, library))
    if not found.claims:
        hint = "add `| … |` lines, or write the claims by hand"
        raise UsageError("it has no table with a cell", place=str(path), hint=hint)
    day = datetime.now(UTC).date().isoformat()
    project.console.data(
        found.as_toml(
            {
                "name": re.sub(r"[^a-z0-9.]+", "-", path.stem.lower()).strip("-") or "document",
                "title": path.stem,
                "source": path.name,
                "release": release or library.default_release.version,
                "date": day,
                "date-by": "the day when this file was written: put the day of the document's state",
            }
        ).rstrip("\n")
    )
    kinds = Counter(claim["says"] for claim in found.claims)
    counted = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    project.console.status(
        f"{len(found.claims)} rows to review ({counted}); {found.other_lines} lines outside tables are unread"
    )
    return 0


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
    format: ResultFormat


def judge_claims(project: Project, options: Options) -> int:
    """Judge claims and releases; 1 where anything drifts or cannot be."""
    library = project.library()
    own = read_documents(sorted((project.recipes / "claims").glob("*.toml")), project.root)
    documents = read_documents(options.claims, project.root) if options.claims else own
    releases = _judged_releases(library, options)
    with evidence_of(
        project, library, [*own, *documents], offline=options.offline, index_url=options.index_url
    ) as evidence:
        wanted = _is_judged(options, releases)
        rows = [row for document in documents for row in judge_document(document, evidence, wanted)]
        if not options.claims or options.releases:
            for release in releases:
                _check_release(release, library, evidence)
                rows += judge_release(release, evidence)
    _report_rows(project, rows, options)
    return 1 if any(row.verdict.status.alarming for row in rows) else 0


def _judged_releases(library: Library, options: Options) -> tuple[str, ...]:
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
        cause = f"the recipes have no release {release!r}, and {error}"
        hint = nearest_names(release, {*library.releases, ALL})
        raise UsageError(cause, place="--release", hint=hint) from None


def _is_judged(options: Options, releases: Sequence[str]) -> Callable[[str], bool]:
    if ALL in options.releases or (options.claims and not options.releases):
        return lambda _: True
    return lambda release: release in releases


def _report_rows(project: Project, rows: Sequence[StatementRow], options: Options) -> None:
    """Show rows in the form that is wanted."""
    shown = [row for row in rows if not options.statuses or row.verdict.status in options.statuses]
    counts = Counter(row.verdict.status for row in rows)
    if options.format is ResultFormat.JSON:
        numbers = {status.value: counts[status] for status in Status}
        project.console.json({"counts": numbers, "rows": [_row_as_json(row) for row in shown]})
        return
    cells = [_row_cells(row) for row in shown]
    if options.format is ResultFormat.MARKDOWN:
        project.console.data(markdown_table(COLUMNS, cells))
        return
    project.console.table(COLUMNS, cells)
    project.console.data(", ".join(f"{counts[status]} {status}" for status in Status))


def _row_cells(row: StatementRow) -> tuple[str, ...]:
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


def _row_as_json(row: StatementRow) -> dict[str, Any]:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """What the command line asks for."""

    dockerfiles: tuple[Path, ...] = ()
    requirements: tuple[Path, ...] = ()
    release: str = ""
    """Compare with what our locks of this release hold; empty compares with none."""
    statuses: tuple[str, ...] = ()
    """Show only rows of these; the exit code speaks of all."""
    offline: bool = False
    index_url: str = ""
    format: ResultFormat


_DIED = "take out the RUN whose shell text it cannot read, and report it with that text"


def _dockerfile_pins(paths: Sequence[Path]) -> list[tuple[Path, tuple[Pin, ...]]]:
    """Read Dockerfiles in another process: decision 29."""
    given = [(read_bytes(path), str(path)) for path in paths]
    if not given:
        return []
    try:
        found = call_apart(pins_of_dockerfiles, given, place=", ".join(map(str, paths)), hint=_DIED)
    except ToolError:
        if len(given) == 1:
            raise
        found = tuple(
            pins
            for item in given  # one by one, so that the error names the file
            for pins in call_apart(pins_of_dockerfiles, [item], place=item[1], hint=_DIED)
        )
    return list(zip(paths, found, strict=True))


def check_files(project: Project, options: FileOptions) -> int:
    """Judge every pin of the files; 1 where one does not hold."""
    pins = _dockerfile_pins(options.dockerfiles)
    pins += [(path, file_pins(read_bytes(path), place=str(path))) for path in options.requirements]
    library = project.library()
    if options.release:
        library.release(options.release)
        select_locks(project, Selection(releases=(options.release,)))
    own = read_documents(sorted((project.recipes / "claims").glob("*.toml")), project.root)
    with evidence_of(project, library, own, offline=options.offline, index_url=options.index_url) as evidence:
        found = [
            (path, finding)
            for path, given in pins
            for finding in check_pins(given, evidence, options.release)
        ]
    _report_files(project, found, options)
    return 1 if any(finding.status.alarming for _, finding in found) else 0


def _report_files(project: Project, found: list[tuple[Path, PinFinding]], options: FileOptions) -> None:
    shown = [row for row in found if not options.statuses or row[1].status in options.statuses]
    counts = Counter(finding.status for _, finding in found)
    if options.format is ResultFormat.JSON:
        numbers = {status.value: counts[status] for status in Status}
        project.console.json({"counts": numbers, "rows": [_pin_as_json(*row) for row in shown]})
        return
    cells = [_pin_cells(*row) for row in shown]
    if options.format is ResultFormat.MARKDOWN:
        project.console.data(markdown_table(_PIN_COLUMNS, cells))
        return
    project.console.table(_PIN_COLUMNS, cells)
    project.console.data(", ".join(f"{counts[status]} {status}" for status in Status))


def _pin_cells(path: Path, finding: PinFinding) -> tuple[str, ...]:
    pin = finding.pin
    value = redacted(f"{pin.name} {pin.value}".strip().replace(UNRESOLVED, "${…}"))
    return (
        finding.status,
        _short_line(path.name),
        str(pin.line),
        pin.kind,
        _short_line(value),
        finding.what,
        _short_line(redacted(finding.evidence)),
    )


def _short_line(text: str) -> str:
    """Return foreign text as one short line without anything that a terminal would act upon."""
    plain = "".join(character if _is_plain(character) else "?" for character in " ".join(text.split()))
    return plain if len(plain) <= _WIDEST * 3 else f"{plain[: _WIDEST * 3 - 1]}…"


def _is_plain(character: str) -> bool:
    try:
        check_line(character)
    except ValueError:
        return False
    return True


def _pin_as_json(path: Path, finding: PinFinding) -> dict[str, object]:
    pin = finding.pin
    return {
        "file": str(path),
        "line": pin.line,
        "kind": pin.kind.value,
        "name": redacted(pin.name),
        "value": redacted(pin.value.replace(UNRESOLVED, "${…}")),
        "status": finding.status.value,
        "found": finding.what,
        "evidence": redacted(finding.evidence),
    }
