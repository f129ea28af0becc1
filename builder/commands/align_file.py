"""`align --dockerfile` and `--requirements`: which pins of somebody's own file hold."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from builder.align import Status
from builder.align.dockerfile import (
    UNRESOLVED,
    Finding,
    Pin,
    check_pins,
    dockerfile_pins,
    read_dockerfile,
    requirements_pins,
)
from builder.commands.align import evidence_of, read_documents
from builder.io import read_bytes
from builder.model import check_line, markdown_table
from builder.project import Project

__all__ = ["Options", "run"]

_COLUMNS = ("status", "file", "line", "kind", "pin", "found", "evidence")
_WIDEST = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    dockerfiles: tuple[Path, ...] = ()
    requirements: tuple[Path, ...] = ()
    release: str = ""
    """Compare with what our locks of this release hold; empty compares with none."""
    statuses: tuple[str, ...] = ()
    """Show only rows of these; the exit code speaks of all."""
    offline: bool = False
    index_url: str = ""
    format: str = "text"
    """text, json or markdown."""


def run(project: Project, options: Options) -> int:
    """Judge every pin of the files; 1 where one does not hold."""
    pins: list[tuple[Path, tuple[Pin, ...]]] = [
        (path, dockerfile_pins(read_dockerfile(read_bytes(path), place=str(path))))
        for path in options.dockerfiles
    ]
    pins += [(path, requirements_pins(read_bytes(path), place=str(path))) for path in options.requirements]
    library = project.library()
    if options.release:
        library.release(options.release)
    own = read_documents(sorted((project.recipes / "claims").glob("*.toml")), project.root)
    with evidence_of(project, library, own, offline=options.offline, index_url=options.index_url) as evidence:
        found = [
            (path, finding)
            for path, given in pins
            for finding in check_pins(given, evidence, options.release)
        ]
    _report(project, found, options)
    return 1 if any(finding.status.alarming for _, finding in found) else 0


def _report(project: Project, found: list[tuple[Path, Finding]], options: Options) -> None:
    shown = [row for row in found if not options.statuses or row[1].status in options.statuses]
    counts = Counter(finding.status for _, finding in found)
    if options.format == "json":
        numbers = {status.value: counts[status] for status in Status}
        project.console.json({"counts": numbers, "rows": [_as_json(*row) for row in shown]})
        return
    cells = [_cells(*row) for row in shown]
    if options.format == "markdown":
        project.console.data(markdown_table(_COLUMNS, cells))
        return
    project.console.table(_COLUMNS, cells)
    project.console.data(", ".join(f"{counts[status]} {status}" for status in Status))


def _cells(path: Path, finding: Finding) -> tuple[str, ...]:
    pin = finding.pin
    value = f"{pin.name} {pin.value}".strip().replace(UNRESOLVED, "${…}")
    return (
        finding.status,
        _line(path.name),
        str(pin.line),
        pin.kind,
        _line(value),
        finding.what,
        _line(finding.evidence),
    )


def _line(text: str) -> str:
    """Return foreign text as one short line without anything that a terminal would act upon."""
    plain = "".join(character if _is_plain(character) else "?" for character in " ".join(text.split()))
    return plain if len(plain) <= _WIDEST * 3 else f"{plain[: _WIDEST * 3 - 1]}…"


def _is_plain(character: str) -> bool:
    try:
        check_line(character)
    except ValueError:
        return False
    return True


def _as_json(path: Path, finding: Finding) -> dict[str, object]:
    pin = finding.pin
    return {
        "file": str(path),
        "line": pin.line,
        "kind": pin.kind.value,
        "name": pin.name,
        "value": pin.value.replace(UNRESOLVED, "${…}"),
        "status": finding.status.value,
        "found": finding.what,
        "evidence": finding.evidence,
    }
