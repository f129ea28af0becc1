"""A markdown document's tables as a file of claims, for people to review. Pure.

markdown-it-py reads the document. A cell under a release's column (`v0.7.1`, `main`) or under one of
versions, in a row that a known name begins, says that the release includes that version, or what fits it.
Every other cell becomes a `statement` with the reason why, so none is left out.
Lines outside tables are counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from packaging.requirements import InvalidRequirement
from packaging.version import Version

from builder.align.claims import MAIN
from builder.model import parsed_requirement, toml

__all__ = ["MarkdownClaims", "claims_in_markdown"]

_WHY = "--write-claims does not know what it says: give it a kind, or say why nothing can check it"
_RELEASE = re.compile(r"v?(\d+\.\d+(?:\.\d+)?(?:\.post\d+|rc\d+)?)\b")
_VERSIONS = re.compile(r"version|release|\bours?\b|tag\b", re.IGNORECASE)
_MAIN = re.compile(r"\b(main|tot|master|latest)\b", re.IGNORECASE)
_BARE = re.compile(r"v?\d[\w.!+]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkdownClaims:
    """What the tables of a document say."""

    claims: tuple[dict[str, str], ...]
    """Each as the keys of a row in a file of claims."""
    other_lines: int
    """How many lines that are not blank stand outside tables and headings."""

    def as_toml(self, head: dict[str, str]) -> str:
        """Return a file of claims with the keys of `head` at its top."""
        counted = f"# {self.other_lines} lines outside tables are not read: add what they say.\n"
        return counted + toml.dumps({**head, "claims": list(self.claims)})


@dataclass(slots=True)
class _TableReading:
    """One table while its cells come."""

    section: str
    head: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


def claims_in_markdown(text: str, known: Iterable[str]) -> MarkdownClaims:
    """Return what the tables of a document claim; `known` are the names whose versions can be judged."""
    names = {_name_letters(name): name for name in sorted(known)}
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    taken: set[int] = set()
    claims: list[dict[str, str]] = []
    section, table, opened = "", None, ""
    for token in tokens:
        if token.type == "table_open":
            table = _TableReading(section)
        if token.type in ("table_open", "heading_open") and token.map:
            taken |= set(range(token.map[0], token.map[1]))
        if token.type == "table_close" and table is not None:
            claims += _table_claims(table, names)
            table = None
        elif token.type == "tr_open" and table is not None:
            table.rows.append([])
        elif token.type == "inline" and table is not None:
            cell = _cell_text(token.content)
            table.rows[-1].append(cell) if opened == "td_open" else table.head.append(cell)
        elif token.type == "inline" and opened == "heading_open":
            section = _cell_text(token.content)
        opened = token.type
    lines = text.splitlines()
    others = sum(1 for number, line in enumerate(lines) if line.strip() and number not in taken)
    return MarkdownClaims(claims=tuple(claims), other_lines=others)


def _cell_text(text: str) -> str:
    """Return a cell's text without the marks of emphasis, code and links."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return " ".join(re.sub(r"[*`]|<[^>]{0,80}>", "", text).split())


def _name_letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _table_claims(table: _TableReading, names: dict[str, str]) -> Iterator[dict[str, str]]:
    for row in table.rows:
        subject = names.get(_name_letters(row[0]), "") if row else ""
        for title, cell in zip(table.head[1:], row[1:], strict=False):
            if cell and cell != "-":
                quote = " | ".join((row[0], title, cell))
                yield {"section": table.section, "quote": quote, **_cell_claim(subject, title, cell)}


def _cell_claim(subject: str, title: str, cell: str) -> dict[str, str]:
    """Return the kind of statement that a cell makes, with its values."""
    release = _release_of(title)
    about = {"release": release} if release else {}
    if subject and (release or _VERSIONS.search(title)):
        if _BARE.fullmatch(cell) and _is_version(cell):
            return {"says": "includes", **about, "name": subject, "version": cell.removeprefix("v")}
        if re.match(r"[<>=!~]", cell) and _is_specifier(cell):
            return {"says": "requires", **about, "requirement": f"{subject}{cell.replace(' ', '')}"}
    return {"says": "statement", **about, "why": _WHY}


def _release_of(title: str) -> str:
    """Return the release that a column is about, `main`, or nothing."""
    if _MAIN.search(title):
        return MAIN
    found = _RELEASE.search(title)
    return found[1] if found else ""


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except ValueError:  # InvalidVersion is one, and so is what a number of more than 4,300 digits ends in
        return False
    return True


def _is_specifier(text: str) -> bool:
    try:
        parsed_requirement(f"x{text}")
    except InvalidRequirement:
        return False
    return True
