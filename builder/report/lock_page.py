"""The page of one lock: what it is, its checks, what it may download, and every row with its reason. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from builder.graph import LockGraph, LockNode, chain_arrows, node_of
from builder.lockfile import Build, Check, Examined, Finding, Lock, PythonPackage, row_label
from builder.model import Table
from builder.report.addresses import OVERVIEW, SHARED, link, lock_page_path
from builder.report.facts import ReportFacts
from builder.report.overview_page import findings_table
from builder.report.pictures import GraphPicture, SizePicture, graph_picture, size_picture
from builder.report.shared_rows import SharedRows
from builder.report.tables import Anchors, ReportTable, TableCell, TableColumn, TableRow, size_cell, text_row

__all__ = ["BuildSteps", "LockPage", "lock_page", "row_anchors"]

_ROW_TABLES = ("python", "os_packages", "sources", "archives", "builds", "images")
_KINDS = {
    "python": "python",
    "os_packages": "os",
    "sources": "source",
    "archives": "archive",
    "builds": "build",
    "images": "image",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSteps:
    """What one build executes."""

    anchor: str
    title: str
    environment: tuple[str, ...]
    steps: tuple[str, ...]
    """Each as a shell would take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockPage:
    """What the template of a lock shows."""

    path: str
    title: str
    home: str
    identity: tuple[tuple[str, str], ...]
    downloads: tuple[str, ...]
    checks: ReportTable
    findings: ReportTable
    tables: tuple[ReportTable, ...]
    builds: tuple[BuildSteps, ...]
    graph: GraphPicture | None
    """None if it has too many boxes to be drawn."""
    sizes: SizePicture


def lock_page(one: Examined, graph: LockGraph, shared: SharedRows, facts: ReportFacts) -> LockPage:
    """Return the page of a lock that could be read."""
    lock = one.lock
    assert lock is not None, "only readable locks have a page"  # noqa: S101 - the caller chose them
    path = lock_page_path(one.name)
    anchors = row_anchors(lock)
    rows = _RowTables(path, lock, graph, shared, anchors)
    own = [item for proof in facts.proofs for item in proof.findings if item.lock == one.name]
    return LockPage(
        path=path,
        title=str(lock.target),
        home=link(path, OVERVIEW),
        identity=tuple(_identity_fields(one, lock)),
        downloads=lock.runtime.downloads,
        checks=_checks_table(lock),
        findings=_own_findings(own, path, facts),
        tables=tuple(table for table in rows.tables() if table.rows),
        builds=tuple(_build_steps(build, anchors[node_of(build)]) for build in lock.builds if build.steps),
        graph=graph_picture(lock, graph, anchors),
        sizes=size_picture(lock, anchors),
    )


def row_anchors(lock: Lock) -> Mapping[LockNode, str]:
    """Return the address of each row of a lock in its page, such as `python-torch`."""
    anchors = Anchors()
    found: dict[LockNode, str] = {}
    for section in _ROW_TABLES:
        for row in getattr(lock, section):
            node = node_of(row)
            if node not in found:
                found[node] = anchors.of(_KINDS[section], node.name)
    return found


def _identity_fields(one: Examined, lock: Lock) -> Iterator[tuple[str, str]]:
    environment = lock.environment
    yield "file", one.name
    yield "SHA-256 of the lock", str(one.sha256)
    yield "recipe digest", str(lock.recipe_digest)
    yield "resolved by", lock.resolver
    yield "nothing newer than", lock.exclude_newer
    yield "source date epoch", str(lock.source_date_epoch)
    yield "operating system", f"{environment.os}, {environment.family} packages, glibc {environment.glibc}"
    yield "Python", f"{environment.python} in {environment.python_prefix}"
    if environment.cuda:
        yield "CUDA", f"{environment.cuda}; compute capabilities {', '.join(environment.gpu_archs)}"
    command = (*lock.runtime.entrypoint, *lock.runtime.command)
    if command:
        yield "command", shlex.join(command)
    if lock.runtime.env:
        yield "environment", ", ".join(_assignment_texts(lock.runtime.env))
    if lock.runtime.library_path:
        yield "library path", ", ".join(lock.runtime.library_path)
    for row in lock.repositories:
        signers = ", ".join(row.signed_by) or "no certificate"
        yield row_label(row), f"{row.date}, index signed by {signers}"


def _assignment_texts(table: Table) -> Iterator[str]:
    for key, value in table:
        yield f"{key}={value}"


def _checks_table(lock: Lock) -> ReportTable:
    named = [("the image", check) for check in lock.runtime.checks]
    named += [(build.component, check) for build in lock.builds for check in build.checks]
    return ReportTable(
        name="checks",
        caption="Checks",
        columns=(
            TableColumn("of", choice=True),
            TableColumn("command"),
            TableColumn("must print"),
            TableColumn("needs", choice=True),
        ),
        rows=tuple(text_row(name, *_check_texts(check)) for name, check in named),
    )


def _check_texts(check: Check) -> tuple[TableCell | str, ...]:
    program = (f"program {check.program}, sha256 {check.sha256}",) if check.program else ()
    return TableCell(shlex.join(check.run), notes=program), check.expect, check.needs


def _own_findings(findings: list[Finding], path: str, facts: ReportFacts) -> ReportTable:
    return findings_table(findings, path, facts)


def _build_steps(build: Build, anchor: str) -> BuildSteps:
    return BuildSteps(
        anchor=f"steps-{anchor}",
        title=f"{build.component} {build.version}",
        environment=tuple(_assignment_texts(build.env)),
        steps=tuple(map(shlex.join, build.steps)),
    )


class _RowTables:
    """The tables of rows of one lock."""

    def __init__(
        self,
        path: str,
        lock: Lock,
        graph: LockGraph,
        shared: SharedRows,
        anchors: Mapping[LockNode, str],
    ) -> None:
        to_shared = link(path, SHARED)
        self._set_pages = {one.number: f"{to_shared}#{one.anchor}" for one in shared.sets}
        self._lock = lock
        self._graph = graph
        self._shared = shared
        self._anchors = anchors
        self._drawn: set[LockNode] = set()
        self._licenses = {build.component: build.license for build in lock.builds}

    def tables(self) -> Iterator[ReportTable]:
        """Yield a table for each section, also for an empty one."""
        yield self._python_table()
        yield self._os_packages_table()
        yield self._sources_table()
        yield self._archives_table()
        yield self._builds_table()
        yield self._images_table()

    def _table_row(self, node: LockNode, *cells: TableCell | str) -> TableRow:
        """Return a row with its name first, and why it is there and where else last."""
        anchor = "" if node in self._drawn else self._anchors[node]
        self._drawn.add(node)
        name = TableCell(node.name, link=f"#{anchor}" if anchor else "", notes=_file_notes(node))
        return text_row(name, *cells, *self._reason_cells(node), anchor=anchor)

    def _reason_cells(self, node: LockNode) -> tuple[TableCell, TableCell]:
        chains = self._graph.chains(node)
        more = f" (and {len(chains) - 1} more)" if len(chains) > 1 else ""
        why = f"{chain_arrows(chains[0])}{more}" if chains else "no chain leads to it"
        where = self._shared.by_node.get(node)
        if where is None:
            return TableCell(why), TableCell("this lock alone", value=0)
        others = len(where.locks) - 1
        return TableCell(why), TableCell(str(others), link=self._set_pages[where.number], value=others)

    def _python_table(self) -> ReportTable:
        return ReportTable(
            name="python",
            caption="Python distributions",
            columns=_row_columns(
                "name", "version", "size#", "license?", "evidence?", "origin?", "for?", "why"
            ),
            rows=tuple(
                self._table_row(
                    node_of(row),
                    row.version,
                    size_cell(row.size),
                    self._python_license(row),
                    _evidence_text(row.evidence, row.by) if not row.build else f"built by {row.build}",
                    row.origin,
                    ", ".join(row.for_),
                )
                for row in self._lock.python
            ),
        )

    def _python_license(self, row: PythonPackage) -> str:
        """Return the license as the policies judge it: a built wheel has that of its build."""
        return row.license or self._licenses.get(row.build, "") or "not stated"

    def _os_packages_table(self) -> ReportTable:
        return ReportTable(
            name="os",
            caption="OS packages",
            columns=_row_columns("name", "version", "size#", "architecture?", "origin?", "for?", "why"),
            rows=tuple(
                self._table_row(
                    node_of(row), row.version, size_cell(row.size), row.arch, row.origin, ", ".join(row.for_)
                )
                for row in self._lock.os_packages
            ),
        )

    def _sources_table(self) -> ReportTable:
        return ReportTable(
            name="sources",
            caption="Sources from git",
            columns=_row_columns("component", "version", "commit", "evidence?", "why"),
            rows=tuple(
                self._table_row(
                    node_of(row),
                    row.version,
                    TableCell(
                        row.git,
                        notes=(
                            f"commit {row.commit}, tree {row.tree}",
                            f"tag {row.tag}" if row.tag else f"no tag: {row.reason}",
                            *(f"submodule {one.path} {one.git} {one.commit}" for one in row.submodules),
                            *(f"left out: {path}" for path in row.omitted),
                        ),
                    ),
                    row.evidence.value,
                )
                for row in self._lock.sources
            ),
        )

    def _archives_table(self) -> ReportTable:
        return ReportTable(
            name="archives",
            caption="Archives",
            columns=_row_columns("component", "version", "size#", "evidence?", "origin?", "why"),
            rows=tuple(
                self._table_row(
                    node_of(row),
                    row.version,
                    size_cell(row.size),
                    _evidence_text(row.evidence, row.by),
                    row.origin,
                )
                for row in self._lock.archives
            ),
        )

    def _builds_table(self) -> ReportTable:
        return ReportTable(
            name="builds",
            caption="Builds",
            columns=_row_columns(
                "component", "version", "license?", "system?", "prefix", "needs", "steps#", "why"
            ),
            rows=tuple(
                self._table_row(
                    node_of(row),
                    row.version,
                    row.license,
                    row.system,
                    row.prefix,
                    ", ".join(row.needs),
                    TableCell(
                        str(len(row.steps)),
                        link=f"#steps-{self._anchors[node_of(row)]}" if row.steps else "",
                        value=len(row.steps),
                    ),
                )
                for row in self._lock.builds
            ),
        )

    def _images_table(self) -> ReportTable:
        return ReportTable(
            name="images",
            caption="Base images",
            columns=_row_columns("name", "tag", "roles", "evidence?", "packages in it#", "why"),
            rows=tuple(
                self._table_row(
                    node_of(row),
                    row.tag,
                    ", ".join(row.roles),
                    _evidence_text(row.evidence, row.by),
                    TableCell(str(len(row.inventory)), value=len(row.inventory)),
                )
                for row in self._lock.images
            ),
        )


def _row_columns(*titles: str) -> tuple[TableColumn, ...]:
    """Return the columns of a table of rows, which ends with how many other locks have each."""
    return (*_titled_columns(*titles), TableColumn("in other locks", number=True))


def _titled_columns(*words: str) -> Iterator[TableColumn]:
    """Yield columns; `?` after a title offers its values as a filter, `#` sorts by number."""
    for word in words:
        yield TableColumn(word.rstrip("?#"), choice=word.endswith("?"), number=word.endswith("#"))


def _file_notes(node: LockNode) -> tuple[str, ...]:
    return tuple(filter(None, (node.file, node.sha256)))


def _evidence_text(evidence: object, by: str) -> str:
    return f"{evidence or 'none'} by {by}" if by else str(evidence or "none")
