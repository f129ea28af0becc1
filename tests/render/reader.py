"""A reader of Dockerfiles that knows nothing of the renderer: its own small parser, after Docker's reference.

It takes what BuildKit would take: parser directives, comments, line
continuations, here-documents, quoting of ENV and LABEL, JSON lists. What our
files have no business to contain (an unquoted special character in a script,
an option that it does not know) is a `Surprise`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

DIRECTIVE = re.compile(r"^#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$")
KEYWORDS = {
    "FROM",
    "ARG",
    "ENV",
    "LABEL",
    "USER",
    "WORKDIR",
    "ADD",
    "COPY",
    "RUN",
    "ENTRYPOINT",
    "CMD",
}


class Surprise(Exception):  # noqa: N818 - it is what it says
    """Something that a rendered Dockerfile must not contain."""


@dataclass(frozen=True)
class Read:
    """One instruction: its keyword, its options, the rest of its line, its here-document."""

    number: int
    keyword: str
    options: tuple[str, ...] = ()
    rest: str = ""
    heredoc: tuple[str, ...] | None = None
    commented: bool = False

    def words(self) -> list[str]:
        return self.rest.split(" ")


@dataclass
class ReadStage:
    name: str
    base: str
    commented: bool
    body: list[Read] = field(default_factory=list)


def read(text: str) -> list[Read]:
    """Return every instruction of a Dockerfile, in order."""
    lines = text.split("\n")
    found: list[Read] = []
    at = 0
    while at < len(lines) and (match := DIRECTIVE.match(lines[at])):
        found.append(Read(number=at + 1, keyword="DIRECTIVE", rest=match[0]))
        at += 1
    commented = False
    while at < len(lines):
        line = lines[at].rstrip("\r")
        if not line.strip() or line.lstrip().startswith("#"):
            commented = bool(line.strip())
            at += 1
            continue
        instruction, at = _instruction(lines, at, commented=commented)
        found.append(instruction)
        commented = False
    return found


def _instruction(lines: list[str], at: int, *, commented: bool) -> tuple[Read, int]:
    number = at + 1
    logical = ""
    while True:
        line = lines[at].rstrip("\r")
        at += 1
        match = re.search(r"\\[ \t]*$", line)
        if match is None:
            logical += line
            break
        logical += line[: match.start()]
        while at < len(lines) and (not lines[at].strip() or lines[at].lstrip().startswith("#")):
            at += 1
        if at == len(lines):
            raise Surprise(f"line {number}: the file ends in a continuation")
    keyword, _, rest = logical.strip().partition(" ")
    keyword = keyword.upper()
    if keyword not in KEYWORDS:
        raise Surprise(f"line {number}: {keyword[:40]!r} is not among the expected instructions")
    options, rest = _options(rest.strip())
    heredoc = None
    if keyword in {"RUN", "COPY", "ADD"} and "<<" in rest:
        heredoc, rest, at = _heredoc(lines, at, rest)
    return Read(number, keyword, options, rest, heredoc, commented), at


def _options(rest: str) -> tuple[tuple[str, ...], str]:
    options = []
    while rest.startswith("--"):
        option, _, rest = rest.partition(" ")
        options.append(option)
        rest = rest.lstrip()
    return tuple(options), rest


def _heredoc(lines: list[str], at: int, rest: str) -> tuple[tuple[str, ...], str, int]:
    match = re.match(r"^<<'([A-Z0-9]+)'(?: (\S+))?$", rest)
    if not match:
        raise Surprise(f"line {at}: a here-document that expands, or more than one: {rest[:60]!r}")
    content: list[str] = []
    while True:
        if at == len(lines):
            raise Surprise("a here-document without an end")
        line = lines[at].rstrip("\r\n")
        at += 1
        if line == match[1]:
            return tuple(content), match[2] or "", at
        content.append(line)


def stages(instructions: list[Read]) -> list[ReadStage]:
    """Return the stages, each with its instructions after FROM."""
    found: list[ReadStage] = []
    for instruction in instructions:
        if instruction.keyword == "FROM":
            words = instruction.words()
            if len(words) != 3 or words[1] != "AS" or instruction.options:
                raise Surprise(f"line {instruction.number}: FROM {instruction.rest[:80]!r}")
            found.append(ReadStage(name=words[2], base=words[0], commented=instruction.commented))
        elif not found:
            raise Surprise(f"line {instruction.number}: {instruction.keyword} before the first FROM")
        else:
            found[-1].body.append(instruction)
    return found


def setting(instruction: Read) -> tuple[str, str, bool]:
    """Return name and value of ENV or LABEL, and whether it ends in the inherited value."""
    match = re.match(r'^([A-Za-z0-9_.-]+)="(.*)"$', instruction.rest, re.DOTALL)
    if not match:
        raise Surprise(f'line {instruction.number}: {instruction.rest[:80]!r} is no NAME="VALUE"')
    name, quoted = match[1], match[2]
    inherited = quoted.endswith(f":${{{name}}}") and not quoted.endswith(f"\\${{{name}}}")
    if inherited:
        quoted = quoted.removesuffix(f":${{{name}}}")
    value, at = "", 0
    while at < len(quoted):
        if quoted[at] == "\\":
            if quoted[at + 1 : at + 2] not in {"\\", '"', "$"}:
                raise Surprise(f"line {instruction.number}: a stray backslash")
            at += 1
        elif quoted[at] in '"$':
            raise Surprise(f"line {instruction.number}: {quoted[at]} is not quoted")
        value += quoted[at]
        at += 1
    return name, value, inherited


def json_words(instruction: Read) -> list[str]:
    """Return the list of ENTRYPOINT or CMD."""
    words = json.loads(instruction.rest)
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise Surprise(f"line {instruction.number}: no list of texts")
    return words
