"""A page as text for terminals: styled spans, whose words alone make the plain form."""

from __future__ import annotations

from collections.abc import Iterator

from builder.diff.pages import PageBlock, PageSection, ReportPage, TextPart, TextRole
from builder.diff.risk import Risk
from builder.model import ascii_only, printable

__all__ = ["Span", "as_text"]

Span = tuple[str, str]
"""Text that is safe to print, and its style: a colour or weight, or nothing."""

_STYLES = {TextRole.OLD: "red", TextRole.NEW: "green", TextRole.NAME: "bold"}
_COLOURS = {
    **dict.fromkeys((Risk.BYTES, Risk.EVIDENCE, Risk.ORIGIN, Risk.TAG, Risk.ACCELERATOR), "bold red"),
    **dict.fromkeys(
        (Risk.DOWNGRADE, Risk.PRERELEASE, Risk.NEW, Risk.SIGNATURE, Risk.LICENCE, Risk.YANKED), "bold yellow"
    ),
}


def as_text(page: ReportPage) -> tuple[tuple[Span, ...], ...]:
    """Return the lines of a page as spans; joined and with line ends they are the plain text."""
    return tuple(tuple(line) for line in _page_lines(page))


def _page_lines(page: ReportPage) -> Iterator[list[Span]]:
    for line in page.unsound:
        yield [("NOT SOUND  " if not line.depth else "  ", "bold red"), *map(_part_span, line.parts)]
    if page.unsound:
        yield []
    yield from ([*map(_part_span, line.parts)] for line in page.summary)
    for section in page.sections:
        yield []
        yield from _section_lines(section)


def _section_lines(section: PageSection) -> Iterator[list[Span]]:
    yield [(f"{section.risk.heading} ({section.count})", _COLOURS.get(section.risk, "bold"))]
    for block in section.blocks:
        yield from _block_lines(block)


def _block_lines(block: PageBlock) -> Iterator[list[Span]]:
    if block.where:
        yield [("  in ", ""), *_joined_spans(block.where), (":", "")]
    for line in block.lines:
        yield [("  " * (line.depth + 1 + bool(block.where)), ""), *map(_part_span, line.parts)]


def _joined_spans(parts: tuple[TextPart, ...]) -> Iterator[Span]:
    for index, part in enumerate(parts):
        if index:
            yield (", ", "")
        yield _part_span(part)


def _part_span(part: TextPart) -> Span:
    if part.role is TextRole.OURS:
        return part.text, ""
    text = printable(part.text) if part.role is TextRole.PROSE else ascii_only(part.text)
    return text, _STYLES.get(part.role, "")
