"""The page of builds: what ran when, what came from the cache, and where the time went. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from builder.report.build_record import BuildRecord, RecordedStage
from builder.report.pictures import PictureBox
from builder.report.tables import ReportTable, TableCell, TableColumn, text_row

__all__ = ["DrawnBuild", "build_page"]

_WIDTH, _NAMES, _ROW, _BAR = 1000, 260, 22, 16
_LETTERS = 34


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnBuild:
    """One build: its bars, on the scale that all builds share, and its table."""

    title: str
    about: str
    name: str
    height: int
    boxes: tuple[PictureBox, ...]
    names: tuple[tuple[int, str], ...]
    """Where the name of each bar stands, from the top."""
    table: ReportTable
    unseen: tuple[str, ...]
    """Stages that came from the cache as a whole."""


def build_page(records: Sequence[BuildRecord]) -> tuple[DrawnBuild, ...]:
    """Return the builds side by side: one second has the same width in all of them."""
    longest = max((row.ended for record in records for row in record.stages), default=0.0) or 1.0
    scale = (_WIDTH - _NAMES) / longest
    return tuple(_drawn_build(number, record, scale) for number, record in enumerate(records, start=1))


def _drawn_build(number: int, record: BuildRecord, scale: float) -> DrawnBuild:
    rows = record.stages
    return DrawnBuild(
        title=record.name,
        about=(
            f"{record.engine}: {record.seconds:.1f} s, at {record.idle:.1f} s of them nothing was reported."
        ),
        name=f"build-{number}",
        unseen=record.unseen,
        height=len(rows) * _ROW,
        boxes=tuple(_stage_bar(index, row, scale) for index, row in enumerate(rows)),
        names=tuple((index * _ROW + 13, _stage_name(row)[:_LETTERS]) for index, row in enumerate(rows)),
        table=ReportTable(
            name=f"stages-{number}",
            caption="What ran",
            columns=(
                TableColumn("name"),
                TableColumn("kind", choice=True),
                *(TableColumn(title, number=True) for title in ("began", "seconds", "share")),
                TableColumn("from the cache", choice=True),
            ),
            rows=tuple(
                text_row(
                    _stage_name(row),
                    row.kind,
                    *(
                        TableCell(f"{one:.2f}", value=round(one * 100))
                        for one in (row.began, row.seconds, row.share)
                    ),
                    _cache_word(row),
                )
                for row in rows
            ),
        ),
    )


def _stage_name(row: RecordedStage) -> str:
    return row.name or row.kind


def _cache_word(row: RecordedStage) -> str:
    if row.ran is None:
        return "no stage"
    return "no RUN ran" if row.ran == 0 else f"{row.ran} RUN ran"


def _stage_bar(index: int, row: RecordedStage, scale: float) -> PictureBox:
    return PictureBox(
        kind="cached" if row.ran == 0 else "build",
        x=round(_NAMES + row.began * scale, 1),
        y=index * _ROW,
        width=round(max((row.ended - row.began) * scale, 1), 1),
        height=_BAR,
        text="",
        title=f"{_stage_name(row)}: from {row.began:.1f} to {row.ended:.1f} s, {row.seconds:.1f} s of work",
        link="",
    )
