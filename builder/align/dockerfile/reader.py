"""A Dockerfile as instructions: directives, comments, continuations and heredocs. Pure.

Only what the pins of a file depend on is read; nothing is executed or expanded here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from builder.errors import UsageError

__all__ = ["Heredoc", "Instruction", "read_dockerfile"]

_ALL = """
ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER
VOLUME WORKDIR
"""
_KEYWORDS = frozenset(_ALL.split())
_WITH_HEREDOCS = frozenset(("ADD", "COPY", "RUN"))
_DIRECTIVE = re.compile(r"#\s*([A-Za-z]+)\s*=\s*(.*?)\s*")
_HEREDOC = re.compile(r"(?<![<\w])\d*<<(-?)(['\"]?)([A-Za-z_][A-Za-z0-9_]*)\2(?!<)")
_FLAG = re.compile(r"--([a-z-]+)(?:=(\S*))?(?:\s+|$)")
_MOST_BYTES = 2**20
_MOST_INSTRUCTIONS = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Heredoc:
    """The lines between `<<NAME` and `NAME`."""

    text: str
    quoted: bool
    """Whether variables in it are left to the program that reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction, its continued lines joined."""

    line: int
    """Of its first line, counted from 1."""
    keyword: str
    """In capitals; that of the inner instruction for ONBUILD."""
    value: str
    """What follows the keyword and the flags."""
    flags: tuple[tuple[str, str], ...] = ()
    heredocs: tuple[Heredoc, ...] = field(default=())

    def flag(self, name: str) -> str:
        """Return the value of a flag, or nothing."""
        return next((value for key, value in self.flags if key == name), "")

    def flag_values(self) -> tuple[str, ...]:
        """Return the values of all flags."""
        return tuple(value for _, value in self.flags)


def read_dockerfile(data: bytes, *, place: str) -> tuple[Instruction, ...]:
    """Read a Dockerfile; UsageError names the line that cannot be one of it."""
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{len(data)} bytes are too many for a Dockerfile", place=place)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"byte {error.start} is not UTF-8", place=place) from None
    if "\0" in text:
        raise UsageError("a zero byte is in it", place=place)
    lines = text.replace("\r\n", "\n").split("\n")
    found = tuple(_instructions(lines, _escape(lines), place))
    if len(found) > _MOST_INSTRUCTIONS:
        raise UsageError(f"{len(found)} instructions are too many for a Dockerfile", place=place)
    return found


def _escape(lines: list[str]) -> str:
    """Return the continuation character that a directive at the top names."""
    for line in lines:
        found = _DIRECTIVE.fullmatch(line.strip())
        if found is None:
            break
        if found[1].lower() == "escape" and found[2] in ("\\", "`"):
            return found[2]
    return "\\"


def _instructions(lines: list[str], escape: str, place: str) -> Iterator[Instruction]:
    number = 0
    while number < len(lines):
        if not lines[number].strip() or lines[number].lstrip().startswith("#"):
            number += 1
            continue
        first = number
        joined, number = _joined(lines, number, escape)
        keyword, value = _keyword(joined)
        while keyword == "ONBUILD":
            keyword, value = _keyword(value)
        if keyword not in _KEYWORDS:
            shown = ascii(keyword[:40])
            raise UsageError(f"line {first + 1}: {shown} is not an instruction", place=place)
        flags, value = _flags(value)
        heredocs: list[Heredoc] = []
        if keyword in _WITH_HEREDOCS:
            for mark in _HEREDOC.finditer(value):
                found, number = _heredoc(lines, number, mark, first, place)
                heredocs.append(found)
        yield Instruction(line=first + 1, keyword=keyword, value=value, flags=flags, heredocs=tuple(heredocs))


def _keyword(text: str) -> tuple[str, str]:
    """Split an instruction off what follows it; any white space does."""
    first, *rest = text.split(maxsplit=1) or [""]
    return first.upper(), rest[0].rstrip() if rest else ""


def _joined(lines: list[str], number: int, escape: str) -> tuple[str, int]:
    """Join continued lines; comments and empty lines between them are left out, as Docker does."""
    parts: list[str] = []
    while number < len(lines):
        line = lines[number]
        number += 1
        if parts and (not line.strip() or line.lstrip().startswith("#")):
            continue
        stripped = line.rstrip()
        if not stripped.endswith(escape):
            parts.append(line)
            break
        parts.append(f"{stripped[: -len(escape)]} ")
    return "".join(parts), number


def _flags(value: str) -> tuple[tuple[tuple[str, str], ...], str]:
    flags = []
    while found := _FLAG.match(value):
        flags.append((found[1], found[2] or ""))
        value = value[found.end() :]
    return tuple(flags), value


def _heredoc(
    lines: list[str], number: int, mark: re.Match[str], first: int, place: str
) -> tuple[Heredoc, int]:
    body: list[str] = []
    while number < len(lines):
        line = lines[number].lstrip("\t") if mark[1] else lines[number]
        number += 1
        if line == mark[3]:
            return Heredoc(text="\n".join(body), quoted=bool(mark[2])), number
        body.append(line)
    raise UsageError(f"line {first + 1}: the heredoc {mark[3]} has no end", place=place)
