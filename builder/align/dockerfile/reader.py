"""A Dockerfile as instructions: directives, comments, continuations, flags and heredocs. Pure.

e2b-dockerfile-utils reads it, a port of BuildKit's own parser (decision 24); nothing is executed or expanded
here. What this file adds are bounds, the place in an error, and heredocs behind ONBUILD.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from e2b_dockerfile_utils import DockerfileInstruction, DockerfileSyntaxError, parse_dockerfile_ast

from builder.errors import UsageError

__all__ = ["SYNTAX", "Heredoc", "Instruction", "read_dockerfile"]

_ONBUILD_WITH_HEREDOC = re.compile(r"^[ \t]*(?:ONBUILD[ \t]+)+(?=\w[^\n]*<<)", re.IGNORECASE | re.MULTILINE)
SYNTAX = "SYNTAX"
"""The keyword of what `# syntax=IMAGE` at the top of a file becomes: that image reads the file."""
_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(\S.*?)\s*\r?")
_ONBUILD = re.compile(r"\s*(?:ONBUILD\s+)+", re.IGNORECASE)
_LONG_DIRECTIVE = re.compile(r"^([ \t]*#[^\n]{200})[^\n]*")
_HEREDOC_NAME = re.compile(r"<<-?\s*[\"']?([A-Za-z_]\w*)")
_UNKNOWN = "unknown instruction: "
_NO_END = "unterminated heredoc"
_MOST_BYTES = 2**20
_LONGEST_DIRECTIVE = 1000
_MOST_INSTRUCTIONS = 5000
_LONGEST_LINE = 65_535
"""In bytes; BuildKit refuses a longer one (bufio.MaxScanTokenSize - 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heredoc:
    """The lines between `<<NAME` and `NAME`."""

    name: str
    text: str
    """With the newline of its last line."""
    quoted: bool
    """Whether variables in it are left to the program that reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction, its continued lines joined without a blank, as Docker joins them."""

    line: int
    """Of its first line, counted from 1."""
    keyword: str
    """In capitals; that of the inner instruction for ONBUILD."""
    value: str
    """What follows the keyword and the flags; of several words, joined by a blank."""
    words: tuple[str, ...] = ()
    """What Docker splits `value` into, quotes kept: one script for RUN, name and value by turns for ENV."""
    exec_form: bool = False
    """Whether `words` were given as a JSON array, which no shell reads."""
    flags: tuple[tuple[str, str], ...] = ()
    heredocs: tuple[Heredoc, ...] = ()

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
    for number, line in enumerate(data.split(b"\n"), start=1):
        if len(line) > _LONGEST_LINE:
            raise UsageError(
                f"line {number}: {len(line)} bytes are too many; Docker reads lines of {_LONGEST_LINE}",
                place=place,
            )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"byte {error.start} is not UTF-8", place=place) from None
    if "\0" in text:
        raise UsageError("it contains a zero byte", place=place)
    found = (*_read_frontend(text), *_read_instructions(text, place))
    if len(found) > _MOST_INSTRUCTIONS:
        raise UsageError(f"{len(found)} instructions are too many for a Dockerfile", place=place)
    return found


def _read_frontend(text: str) -> Iterator[Instruction]:
    """Yield the syntax directive; directives end at the first line of another kind."""
    for number, line in enumerate(text.split("\n"), start=1):
        directive = _DIRECTIVE.fullmatch(line.strip()[:_LONGEST_DIRECTIVE])
        if directive is None:
            return
        if directive[1].lower() == "syntax":
            yield Instruction(line=number, keyword=SYNTAX, value=directive[2], words=(directive[2],))
            return


def _read_instructions(text: str, place: str) -> Iterator[Instruction]:
    # BuildKit reads heredocs behind ONBUILD, the port does not.
    text = _ONBUILD_WITH_HEREDOC.sub("", _with_short_directives(text))
    try:
        parsed = parse_dockerfile_ast(text).instructions
        for instruction in parsed:
            inner = _ONBUILD.match(instruction.original) if instruction.name == "ONBUILD" else None
            if inner is None:
                yield _as_instruction(instruction, instruction.start_line)
            else:
                rest = instruction.original[inner.end() :]
                yield from (
                    _as_instruction(one, instruction.start_line)
                    for one in parse_dockerfile_ast(rest.replace("\n", " ")).instructions
                )
    except DockerfileSyntaxError as error:
        raise UsageError(_syntax_message(error, text), place=place) from None
    except RecursionError:
        raise UsageError("JSON in it is nested too deeply", place=place) from None


def _with_short_directives(text: str) -> str:
    """Cut the long comments at the top: the port needs quadratic time to rule out a directive."""
    lines = text.split("\n")
    for index, line in enumerate(lines):
        if not line.lstrip().startswith("#"):
            break
        lines[index] = _LONG_DIRECTIVE.sub(r"\1", line)
    return "\n".join(lines)


def _syntax_message(error: DockerfileSyntaxError, text: str) -> str:
    words = str(error).partition(": ")[2]
    if words.startswith(_UNKNOWN):
        words = f"{words.removeprefix(_UNKNOWN)[:40]!a} is not an instruction"
    elif words == _NO_END:
        names = _HEREDOC_NAME.findall(text.split("\n")[(error.line or 1) - 1])
        words = f"the heredoc {names[0]} has no end" if len(names) == 1 else "a heredoc has no end"
    return f"line {error.line}: {words[:200]}"


def _as_instruction(found: DockerfileInstruction, line: int) -> Instruction:
    words = found.args
    if found.name in ("ENV", "LABEL"):
        words = [word for index, word in enumerate(words) if index % 3 != 2]  # every third is `=` or nothing
    return Instruction(
        line=line,
        keyword=found.name,
        value=" ".join(words),
        words=tuple(words),
        exec_form=found.json,
        flags=tuple(_flag_value(flag) for flag in found.flags),
        heredocs=tuple(
            Heredoc(name=heredoc.name, text=heredoc.content, quoted=not heredoc.expand)
            for heredoc in found.heredocs
        ),
    )


def _flag_value(text: str) -> tuple[str, str]:
    name, _, value = text.removeprefix("--").partition("=")
    return name, value
