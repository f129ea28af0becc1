"""A page as markdown that fits a comment on a pull request: data stands in code spans only."""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.diff.pages import PageBlock, PageSection, ReportPage, TextPart, TextRole
from builder.diff.risk import UPGRADES, Risk
from builder.model import ascii_only, printable

__all__ = ["MOST", "as_markdown"]

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
