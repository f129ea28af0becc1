"""The page of rebuilds: who signed that they built which digest from a lock, and which disagree. Pure.

Whether a key counts today depends on the day, and a page does not: it says until when each key counts.
`verify --attestations` judges with the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from builder.attest import BuiltPlatform, KnownSigner, RebuildStatement, SignedRebuild, layer_differences
from builder.report.addresses import REBUILDS, link, lock_page_path
from builder.report.tables import ReportTable, TableCell, TableColumn, TableRow, text_row

__all__ = ["RebuildPage", "rebuild_page"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildPage:
    """What the template of rebuilds shows."""

    digests: ReportTable
    statements: ReportTable


@dataclass(frozen=True, slots=True, kw_only=True)
class _BuiltDigest:
    """One digest that was built from the same locks, and which owners signed it."""

    name: str
    locks: tuple[tuple[str, str], ...]
    digest: str
    owners: tuple[str, ...]
    platforms: tuple[BuiltPlatform, ...]


def rebuild_page(rebuilds: Iterable[SignedRebuild], locks: Mapping[str, str]) -> RebuildPage:
    """Return who built what; `locks` are the digests of the locks here, by the names of their files."""
    known = list(rebuilds)
    return RebuildPage(digests=_digests_table(known, locks), statements=_statements_table(known, locks))


def _digests_table(rebuilds: Iterable[SignedRebuild], locks: Mapping[str, str]) -> ReportTable:
    rows = []
    for group in _same_locks(rebuilds):
        first = group[0]
        for one in group:
            differs = "" if one is first else layer_differences(first.platforms, one.platforms)
            rows.append(
                text_row(
                    _lock_cell(one.name, one.locks, locks),
                    TableCell(_lock_state(one.locks, locks)),
                    one.digest,
                    ", ".join(one.owners),
                    _agreement(group),
                    differs,
                )
            )
    return ReportTable(
        name="digests",
        caption="Digests that owners built from the same lock",
        columns=(
            TableColumn("built"),
            TableColumn("its lock", choice=True),
            TableColumn("digest"),
            TableColumn("signed by"),
            TableColumn("verdict", choice=True),
            TableColumn("where it differs from the first"),
        ),
        rows=tuple(rows),
        empty="No statement is signed by an owner of the keys file.",
    )


def _agreement(group: tuple[_BuiltDigest, ...]) -> str:
    if len(group) > 1:
        return "digests disagree"
    return "one owner" if len(group[0].owners) == 1 else f"{len(group[0].owners)} owners agree"


def _same_locks(rebuilds: Iterable[SignedRebuild]) -> Iterator[tuple[_BuiltDigest, ...]]:
    """Yield the digests that were built from the same locks, the one with most owners first."""
    groups: dict[tuple[tuple[str, str], ...], dict[str, list[tuple[RebuildStatement, KnownSigner]]]] = {}
    for one in rebuilds:
        if one.statement is not None and one.signer is not None:
            built = groups.setdefault(one.statement.locks, {})
            built.setdefault(one.statement.digest, []).append((one.statement, one.signer))
    for locks, digests in sorted(groups.items()):
        found = [
            _BuiltDigest(
                name=signed[0][0].name,
                locks=locks,
                digest=digest,
                owners=tuple(sorted({signer.owner for _, signer in signed})),
                platforms=signed[0][0].platforms,
            )
            for digest, signed in digests.items()
        ]
        yield tuple(sorted(found, key=lambda one: (-len(one.owners), one.digest)))


def _statements_table(rebuilds: Iterable[SignedRebuild], locks: Mapping[str, str]) -> ReportTable:
    return ReportTable(
        name="statements",
        caption="Statements",
        columns=(
            TableColumn("file"),
            TableColumn("built"),
            TableColumn("its lock", choice=True),
            TableColumn("signed by", choice=True),
            TableColumn("the key counts"),
            TableColumn("engine", choice=True),
            TableColumn("what differed between the builds"),
            TableColumn("passed"),
            TableColumn("why it does not count"),
        ),
        rows=tuple(_statement_row(one, locks) for one in rebuilds),
    )


def _statement_row(one: SignedRebuild, locks: Mapping[str, str]) -> TableRow:
    statement = one.statement
    if statement is None:
        return text_row(one.place, "", "", "", "", "", "", "", one.fault)
    return text_row(
        TableCell(one.place, notes=(statement.digest,)),
        statement.name,
        _lock_state(statement.locks, locks),
        one.signer.owner if one.signer else "",
        _key_period(one.signer) if one.signer else "",
        ", ".join(f"{name} {version}" for name, version in statement.engine),
        ", ".join(statement.conditions),
        ", ".join(statement.passed),
        one.fault,
    )


def _key_period(signer: KnownSigner) -> str:
    words = []
    if signer.valid_after is not None:
        words.append(f"from {signer.valid_after:%Y-%m-%d}")
    if signer.valid_before is not None:
        words.append(f"until {signer.valid_before:%Y-%m-%d}")
    return " ".join(words) or "without end"


def _lock_state(named: Iterable[tuple[str, str]], locks: Mapping[str, str]) -> str:
    """Say whether the locks of a statement are those that are here."""
    states = {_one_state(path, digest, locks) for path, digest in named} or {"names no lock"}
    return ", ".join(sorted(states))


def _one_state(path: str, digest: str, locks: Mapping[str, str]) -> str:
    here = locks.get(path)
    if here is None:
        return "not in this report"
    return "as here" if here == digest else "another lock"


def _lock_cell(name: str, named: Iterable[tuple[str, str]], locks: Mapping[str, str]) -> TableCell:
    page = next((lock_page_path(path) for path, _ in named if path in locks), None)
    return TableCell(name, link=link(REBUILDS, page) if page else "")
