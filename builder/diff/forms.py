"""The forms of a report: text in styled spans, markdown that fits a comment, plain values for JSON.

The plain form of the text is the words of its spans. In markdown data stands in code spans only. The form
of the JSON values is described in the documentation and has a version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from builder.diff.change import ChangedField, History
from builder.diff.pages import PageBlock, PageSection, ReportPage, TextPart, TextRole
from builder.diff.reports import Report, ReportEntry
from builder.diff.risk import UPGRADES, Risk
from builder.model import ascii_only, printable

__all__ = ["FORMAT", "MOST", "Span", "as_markdown", "as_text", "as_value"]

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
        yield from _section_spans(section)


def _section_spans(section: PageSection) -> Iterator[list[Span]]:
    yield [(f"{section.risk.heading} ({section.count})", _COLOURS.get(section.risk, "bold"))]
    for block in section.blocks:
        yield from _block_spans(block)


def _block_spans(block: PageBlock) -> Iterator[list[Span]]:
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


MOST = 60_000
"""Characters; GitHub takes 65,536 in a comment, and the workflow adds some."""

_FOLDED = {*UPGRADES, Risk.REMOVED, Risk.CONSEQUENCE}
_LEFT_OUT = "\n**{} more lines are left out here.** The whole report: `python -m builder diff`\n"


def as_markdown(page: ReportPage, *, most: int = MOST) -> str:
    """Return the page in at most about `most` characters; what is cut off at the end is counted."""
    kept: list[str] = []
    lines = list(_markdown_lines(page))
    size = open_folds = 0
    for index, line in enumerate(lines):
        size += len(line) + 1
        if size > most:
            kept.extend(["", "</details>"] * open_folds)
            kept.append(_LEFT_OUT.format(sum(map(bool, lines[index:]))))
            break
        kept.append(line)
        open_folds += (line.startswith("<details>")) - (line == "</details>")
    return "\n".join(kept).rstrip("\n") + "\n"


def _markdown_lines(page: ReportPage) -> Iterator[str]:
    if page.unsound:
        yield "> [!CAUTION]"
        yield from (f"> {'* ' if line.depth else ''}{_joined_parts(line.parts)}" for line in page.unsound)
        yield ""
    for line in page.summary:
        yield from (_joined_parts(line.parts), "")
    for section in page.sections:
        yield from _section_lines(section)


def _section_lines(section: PageSection) -> Iterator[str]:
    title = f"{section.risk.heading} ({section.count})"
    folded = section.risk in _FOLDED
    yield from (f"<details><summary>{title}</summary>", "") if folded else (f"### {title}", "")
    for block in section.blocks:
        yield from _block_lines(block)
    yield from ("</details>", "") if folded else ()


def _block_lines(block: PageBlock) -> Iterator[str]:
    if block.where:
        yield f"In {', '.join(map(_marked_part, block.where))}:"
        yield ""
    for line in block.lines:
        yield f"{'  ' * line.depth}* {_joined_parts(line.parts)}"
    yield ""


def _joined_parts(parts: tuple[TextPart, ...]) -> str:
    return "".join(map(_marked_part, parts))


def _marked_part(part: TextPart) -> str:
    if part.role is TextRole.OURS:
        return re.sub(r" {2,}", " ", part.text)
    return _code_span(printable(part.text) if part.role is TextRole.PROSE else ascii_only(part.text))


def _code_span(text: str) -> str:
    """Return a code span: its fence is longer than any run of backticks within."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    edge = " " if text.startswith("`") or text.endswith("`") or (text[:1] == text[-1:] == " ") else ""
    return f"{fence}{edge}{text or ' '}{edge}{fence}"


FORMAT = 1
"""The version of the form; it grows when a key changes its meaning or goes, not when one comes."""


def as_value(report: Report) -> dict[str, Any]:
    """Return tables, lists, texts and numbers, in a fixed order."""
    risks = [entry.change.risk for entry in report.entries]
    return {
        "format": FORMAT,
        "before": report.before,
        "after": report.after,
        "unsound": [
            {"lock": item.place, "side": "after" if item.after else "before", "findings": list(item.findings)}
            for item in report.unsound
        ],
        "locks": [
            {
                "target": item.target,
                "before": item.before or None,
                "after": item.after or None,
                "changes": len(item.changes),
            }
            for item in report.compared
        ],
        "counts": {str(risk): risks.count(risk) for risk in Risk if risk in risks},
        "changes": [_entry_value(entry) for entry in report.entries],
    }


def _entry_value(entry: ReportEntry) -> dict[str, Any]:
    change = entry.change
    return {
        "risk": str(change.risk),
        "kind": str(change.kind),
        "name": change.name,
        "action": str(change.action),
        "before": change.before or None,
        "after": change.after or None,
        "for": list(change.uses),
        "through": list(change.through),
        "commits": _history_value(change.history) if change.history else None,
        "targets": list(entry.targets),
        "forms": [
            {"targets": list(variant.targets), "fields": [_field_value(item) for item in variant.fields]}
            for variant in entry.variants
        ],
    }


def _field_value(field: ChangedField) -> dict[str, str | None]:
    return {
        "key": field.key,
        "before": field.before or None,
        "after": field.after or None,
        "risk": str(field.risk),
    }


def _history_value(history: History) -> dict[str, Any]:
    return {
        "added": history.added,
        "dropped": history.dropped,
        "authors": [{"name": name, "commits": count} for name, count in history.authors],
        "newest": [
            {"commit": item.oid, "author": item.author, "subject": item.subject} for item in history.newest
        ],
    }
