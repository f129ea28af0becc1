"""`matrix`: the support tables, generated from locks and recipes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from builder.console import Console
from builder.io import read_bytes
from builder.lockfile import Lock, parse_lock
from builder.locks import lock_path, locked_targets, matrix_cells, read_outcomes, select_targets
from builder.matrix import (
    Cell,
    MatrixTable,
    ReleaseVersions,
    TypedRefusal,
    accelerators,
    command,
    cuda_table,
    framework_summaries,
    generations,
    gpu_table,
    judge_refusals,
    newest_first,
    overview_table,
    refusals_table,
    suggestion,
    summary_table,
    targets_table,
    versions,
    versions_table,
    wheel_floors,
    wheels_table,
)
from builder.model import markdown_table
from builder.options import ResultFormat, add_format, add_places, add_selection, project_of, selection_of
from builder.project import Project
from builder.recipe import Library
from builder.selection import ALL, Selection

__all__ = [
    "EXAMPLES",
    "TABLES",
    "Options",
    "add_options",
    "markdown_tables",
    "run",
    "show_tables",
]

EXAMPLES = """\
  python -m builder matrix                                   how many cells are locked, of every release
  python -m builder matrix --release 1.4.2 --table targets   every cell of one release with its reason
  python -m builder matrix --table versions --format markdown
  python -m builder matrix --format json                     every table but the overview
"""
_TABLE_MAKERS: Mapping[str, Callable[[Any], MatrixTable]] = {
    "overview": overview_table,
    "summary": summary_table,
    "targets": targets_table,
    "refusals": refusals_table,
    "versions": versions_table,
    "cuda": cuda_table,
    "wheels": wheels_table,
    "gpus": gpu_table,
}
TABLES = tuple(_TABLE_MAKERS)
"""The names of the tables, in the order in which they are shown."""
_OVERVIEW = "overview"
"""What text shows without `--table`; its numbers are the summary's, so other forms leave it out."""
_CELL_TABLES = frozenset({_OVERVIEW, "summary", "targets", "refusals", "versions"})
"""Tables that speak of targets without a lock too."""
_REFUSING_TABLES = frozenset({_OVERVIEW, "summary", "targets", "refusals"})
"""Tables that say of a target that it is refused."""


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `matrix`."""
    add_selection(verb, otherwise="all")
    add_places(verb)
    add_format(verb, ResultFormat.MARKDOWN)
    verb.add_argument(
        "--table",
        action="append",
        default=[],
        choices=TABLES,
        help="may be repeated (default: overview as text, the others in JSON and markdown)",
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Show the selected tables; 0, 1 if a typed refusal does not hold any more, or an error."""
    return show_tables(
        project_of(options, console),
        Options(
            selection=selection_of(options),
            tables=tuple(options.table),
            format=ResultFormat(options.format),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    selection: Selection
    tables: tuple[str, ...] = ()
    """Names of TABLES; empty means the overview as text, and all others in JSON and markdown."""
    format: ResultFormat


def show_tables(project: Project, options: Options) -> int:
    """Show the selected tables, of every release unless one is named.

    0; 1 if a target that a shown table calls refused would lock, were the refusal not typed; or an error.
    """
    as_text = options.format is ResultFormat.TEXT
    default = [_OVERVIEW] if as_text else [name for name in TABLES if name != _OVERVIEW]
    wanted = [name for name in TABLES if name in (options.tables or default)]
    matrix = _MatrixFacts(project, options.selection)
    matrix.check_selection(frozenset(wanted))
    if options.format is ResultFormat.JSON:
        project.console.json({name: matrix.values(name) for name in wanted})
    elif options.format is ResultFormat.MARKDOWN:
        project.console.data(_as_markdown(matrix, wanted))
    else:
        for name in wanted:
            table = matrix.table(name)
            project.console.data(f"{table.title}: {table.about}")
            project.console.table(table.columns, table.rows)
        if not options.tables:
            others = ", ".join(name for name in TABLES if name != _OVERVIEW)
            project.console.status(f"more, with --table: {others}")
    findings = matrix.findings() if _REFUSING_TABLES & {*wanted} else []
    for text in findings:
        project.console.warning(f"{text}: remove the row, or say why it still holds")
    return 1 if findings else 0


def markdown_tables(project: Project, names: tuple[str, ...]) -> str:
    """Return the named tables of every release as markdown; one alone has no heading."""
    return _as_markdown(_MatrixFacts(project, Selection()), list(names))


def _as_markdown(matrix: _MatrixFacts, names: list[str]) -> str:
    tables = [matrix.table(name) for name in names]
    if len(tables) == 1:
        return markdown_table(tables[0].columns, tables[0].rows)
    parts = (f"## {t.title}\n\n{t.about}\n\n{markdown_table(t.columns, t.rows)}" for t in tables)
    return "\n\n".join(parts)


class _MatrixFacts:
    """The facts behind the tables, read when they are first needed."""

    def __init__(self, project: Project, selection: Selection) -> None:
        self._project = project
        self._selection = selection
        self._library: Library = project.library()
        self._cells: tuple[Cell, ...] | None = None
        self._locks: tuple[Lock, ...] | None = None

    def check_selection(self, tables: frozenset[str]) -> None:
        """Refuse a selection that matches nothing that the tables are about (UsageError, NoSolutionError)."""
        wanted = self._selection
        targets = {cell.target for cell in self.cells()}
        if not wanted.is_empty and not tables & _CELL_TABLES:
            targets = set(locked_targets(self._project))
        if not wanted.is_empty:
            select_targets(self._project, wanted, targets)

    def cells(self) -> tuple[Cell, ...]:
        if self._cells is None:
            self._cells = matrix_cells(self._project, self._selection)
        return self._cells

    def refusals(self) -> tuple[TypedRefusal, ...]:
        """Return the typed refusals that refuse a selected target."""
        outcomes = read_outcomes(self._project).by_target()
        every = judge_refusals(self._library, locked_targets(self._project), outcomes)
        return tuple(one for one in every if any(map(self._selection.holds, one.refused)))

    def findings(self) -> list[str]:
        """Return what is wrong with typed refusals that refuse a selected target."""
        return [one.finding for one in self.refusals() if one.finding]

    def locks(self) -> tuple[Lock, ...]:
        if self._locks is None:
            order = [release.version for release in newest_first(self._library)]
            targets = [target for target in locked_targets(self._project) if self._selection.holds(target)]
            targets.sort(key=lambda target: (_release_position(order, target.release), target))
            paths = [(target.path, lock_path(self._project, target)) for target in targets]
            self._locks = tuple(parse_lock(read_bytes(path), place=f"lock/{name}") for name, path in paths)
        return self._locks

    def table(self, name: str) -> MatrixTable:
        """Return one of TABLES for people."""
        return _TABLE_MAKERS[name](self._table_rows(name))

    def values(self, name: str) -> list[dict[str, Any]]:
        """Return the same table for programs: a value for each row."""
        return [_row_as_json(row) for row in self._table_rows(name)]

    def _table_rows(self, name: str) -> Sequence[Any]:
        """Return what the rows of a table are made from; every form of it is made from these."""
        makers: Mapping[str, Callable[[], Sequence[Any]]] = {
            _OVERVIEW: lambda: framework_summaries(self.cells()),
            "summary": lambda: framework_summaries(self.cells()),
            "targets": self.cells,
            "refusals": self.refusals,
            "versions": self._selected_versions,
            "cuda": lambda: accelerators(self.locks()),
            "wheels": lambda: wheel_floors(self.locks()),
            "gpus": lambda: generations(self.locks()),
        }
        return makers[name]()

    def _selected_versions(self) -> list[ReleaseVersions]:
        found = versions(self._library, self.locks())
        named = self._selection.releases
        return [row for row in found if not named or ALL in named or row.release in named]


def _release_position(order: list[str], release: str) -> int:
    """Return where a release stands; a lock without its recipe comes last."""
    return order.index(release) if release in order else len(order)


def _row_as_json(row: Any) -> dict[str, Any]:
    if isinstance(row, Cell):
        return _cell_as_json(row)
    return _refusal_as_json(row) if isinstance(row, TypedRefusal) else asdict(row)


def _refusal_as_json(one: TypedRefusal) -> dict[str, Any]:
    return {
        "release": one.release,
        "framework": one.row.framework,
        "reason": one.row.reason,
        "trap": one.row.trap,
        "refused": [str(target) for target in one.refused],
        "without-it": one.standing.value,
        "decided-by": [str(target) for target in one.targets],
        "said": one.said,
        "finding": one.finding,
    }


def _cell_as_json(cell: Cell) -> dict[str, Any]:
    return {
        "release": cell.target.release,
        "framework": cell.target.framework,
        "platform": cell.target.platform,
        "arch": cell.target.arch.value,
        "state": cell.state.value,
        "experimental": cell.experimental,
        "trap": cell.trap,
        "reason": cell.reason,
        "refused-by": cell.by,
        "command": command([cell]),
        "suggested-command": suggestion([cell]),
    }
