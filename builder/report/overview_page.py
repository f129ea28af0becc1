"""The overview: the matrix as coloured cells with their reasons, counts, findings, and the locks. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from builder.lockfile import Examined, Finding
from builder.matrix import Cell, CellState, command, framework_summaries, suggestion
from builder.model import counted
from builder.report.addresses import OVERVIEW, link, lock_page_path
from builder.report.facts import ReleaseDate, ReportFacts
from builder.report.tables import ReportTable, TableCell, TableColumn, TableRow, text_row
from builder.verify import gravest_first, not_proven

__all__ = ["MatrixCell", "OverviewPage", "ReleaseMatrix", "findings_table", "overview_page"]

_SIGNS = {
    CellState.LOCKED: "✓",
    CellState.REFUSED: "✕",
    CellState.LOCKABLE: "○",
    CellState.STAND_IN: "◐",
    CellState.NOT_LOCKABLE: "-",
    CellState.UNTRIED: "?",
}
"""A sign for each state, because a colour alone is not enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixCell:
    """One target in the picture of a release."""

    kind: str
    """The class in the style sheet."""
    sign: str
    word: str
    link: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseMatrix:
    """The cells of one release: platforms down, frameworks and architectures across."""

    release: str
    anchor: str
    frameworks: tuple[tuple[str, int], ...]
    """Each with the number of its columns."""
    columns: tuple[tuple[str, str], ...]
    """Framework and architecture of each column."""
    rows: tuple[tuple[str, tuple[MatrixCell | None, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewPage:
    """What the template of the overview shows."""

    releases: tuple[ReleaseDate, ...]
    legend: tuple[tuple[str, str, str, int], ...]
    """Class, sign, state and count of each state that occurs."""
    matrices: tuple[ReleaseMatrix, ...]
    counts: ReportTable
    reasons: ReportTable
    locks: ReportTable
    findings: ReportTable
    proofs: tuple[tuple[str, str], ...]
    open_claims: tuple[tuple[str, str], ...]
    total: str


def overview_page(facts: ReportFacts) -> OverviewPage:
    """Return the overview of all facts."""
    numbers: dict[tuple[str, str], int] = {}
    for cell in facts.cells:
        if cell.state is not CellState.LOCKED:
            numbers.setdefault((cell.word, cell.reason), len(numbers) + 1)
    pages = {str(lock.target): lock_page_path(name) for name, lock in facts.readable().items()}
    states = Counter(cell.state for cell in facts.cells)
    return OverviewPage(
        releases=facts.releases,
        legend=tuple(
            (_state_class(state), _SIGNS[state], state.value, states[state])
            for state in CellState
            if states[state]
        ),
        matrices=tuple(_release_matrices(facts.cells, pages, numbers)),
        counts=_counts_table(facts.cells),
        reasons=_reasons_table(facts.cells, numbers),
        locks=_locks_table(facts.locks, facts.finding_counts()),
        findings=findings_table(gravest_first(facts.proofs), OVERVIEW, facts),
        proofs=tuple((proof.name, proof.says) for proof in facts.proofs),
        open_claims=not_proven(facts.proofs),
        total=counted(len(facts.locks), "lock"),
    )


def _state_class(state: CellState) -> str:
    return state.name.lower().replace("_", "-")


def _release_matrices(
    cells: Sequence[Cell], pages: dict[str, str], numbers: dict[tuple[str, str], int]
) -> Iterator[ReleaseMatrix]:
    for release, group in groupby(cells, key=lambda cell: cell.target.release):
        found = list(group)
        columns = sorted({(cell.target.framework, cell.target.arch.value) for cell in found})
        drawn = {
            (cell.target.platform, cell.target.framework, cell.target.arch.value): _matrix_cell(
                cell, pages, numbers
            )
            for cell in found
        }
        yield ReleaseMatrix(
            release=release,
            anchor=f"release-{release}",
            frameworks=tuple(
                (name, len(list(same))) for name, same in groupby(columns, key=lambda column: column[0])
            ),
            columns=tuple(columns),
            rows=tuple(
                (platform, tuple(drawn.get((platform, *column)) for column in columns))
                for platform in sorted({cell.target.platform for cell in found})
            ),
        )


def _matrix_cell(cell: Cell, pages: dict[str, str], numbers: dict[tuple[str, str], int]) -> MatrixCell:
    number = numbers.get((cell.word, cell.reason))
    page = pages.get(str(cell.target))
    address = link(OVERVIEW, page) if page else ""
    return MatrixCell(
        kind=_state_class(cell.state),
        sign=f"{_SIGNS[cell.state]} {cell.trap}".rstrip(),
        word=cell.word,
        link=f"#reason-{number}" if number else address,
        reason=cell.reason,
    )


def _counts_table(cells: Sequence[Cell]) -> ReportTable:
    """Return how many cells of each framework and release are in each state, as `matrix` counts them."""
    states = [state for state in CellState if any(cell.state is state for cell in cells)]
    return ReportTable(
        name="counts",
        caption="Cells of each state",
        columns=(
            TableColumn("release", choice=True),
            TableColumn("framework", choice=True),
            *(TableColumn(state.value, number=True) for state in states),
        ),
        rows=tuple(
            text_row(
                row.release,
                row.framework,
                *(TableCell(str(row.counts[state]), value=row.counts[state]) for state in states),
            )
            for row in framework_summaries(cells)
        ),
    )


def _reasons_table(cells: Sequence[Cell], numbers: dict[tuple[str, str], int]) -> ReportTable:
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.word, cell.reason), []).append(cell)
    return ReportTable(
        name="reasons",
        caption="Why a target is not locked",
        columns=(
            TableColumn("number", number=True),
            TableColumn("state", choice=True),
            TableColumn("reason"),
            TableColumn("cells", number=True),
        ),
        rows=tuple(
            TableRow(
                (
                    TableCell(str(number), value=number),
                    TableCell(word),
                    TableCell(reason, notes=_command_notes(groups[word, reason])),
                    TableCell(str(len(groups[word, reason])), value=len(groups[word, reason])),
                ),
                f"reason-{number}",
            )
            for (word, reason), number in numbers.items()
        ),
    )


def _command_notes(group: Sequence[Cell]) -> tuple[str, ...]:
    """Return the command of the first cell, if there is one: those of the others differ in its options."""
    first = [group[0]]
    if text := command(first):
        return (f"lock it with: {text}",)
    if text := suggestion(first):
        return (f"to try it: {text}",)
    return ()


def _locks_table(locks: Sequence[Examined], findings: dict[str, int]) -> ReportTable:
    rows = []
    for one in locks:
        target = one.lock.target if one.lock else None
        page = link(OVERVIEW, lock_page_path(one.name)) if one.lock else ""
        count = findings.get(one.name, 0)
        rows.append(
            text_row(
                TableCell(one.name, link=page, notes=(f"sha256:{one.sha256}",)),
                target.release if target else "",
                target.platform if target else "",
                target.framework if target else "",
                target.arch.value if target else "",
                TableCell(str(one.rows), value=one.rows),
                TableCell(str(count), value=count),
            )
        )
    return ReportTable(
        name="locks",
        caption="Locks",
        columns=(
            TableColumn("lock"),
            TableColumn("release", choice=True),
            TableColumn("platform", choice=True),
            TableColumn("framework", choice=True),
            TableColumn("architecture", choice=True),
            TableColumn("rows", number=True),
            TableColumn("findings", number=True),
        ),
        rows=tuple(rows),
    )


def findings_table(findings: Sequence[Finding], page: str, facts: ReportFacts) -> ReportTable:
    """Return findings of `verify`, in their order, as a table of the page `page`."""
    readable = facts.readable()
    return ReportTable(
        name="findings",
        caption="Open findings of verify",
        empty="None of what the overview lists as proven; nothing else was looked at.",
        columns=(
            TableColumn("level", choice=True),
            TableColumn("rule", choice=True),
            TableColumn("lock"),
            TableColumn("row"),
            TableColumn("finding"),
        ),
        rows=tuple(
            text_row(
                finding.rule.level.value,
                finding.rule.id,
                TableCell(
                    finding.lock,
                    link=link(page, lock_page_path(finding.lock)) if finding.lock in readable else "",
                ),
                finding.row,
                TableCell(finding.text, notes=(f"hint: {finding.hint}",) if finding.hint else ()),
            )
            for finding in findings
        ),
    )
