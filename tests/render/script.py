"""The script of a RUN, read word by word as a POSIX shell would, and refused where a shell would expand something."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.render.reader import Read, Surprise

PLAIN = re.compile(r"[A-Za-z0-9@%+=:,./_-]+")
GLOBS = {
    "/debs/*/*.deb",
    "/rpms/*/*.rpm",
    "/var/cache/apt/*.bin",
    "/var/cache/debconf/*-old",
    "/var/lib/apt/lists/*",
    "/var/lib/dpkg/*-old",
}
PROCESSORS = "$(nproc)"
# The one script that is more than commands: it configures the packages of a base of our own.
# Written by --update-golden, so that a change of it is read by somebody; nothing else may look like it.
SCRIPT = frozenset(
    (Path(__file__).resolve().parent.parent / "golden" / "assembled" / "configure-base.sh")
    .read_text("utf-8")
    .split("\n")
)


@dataclass
class Part:
    """A piece of a shell word: literal text, or something that the shell fills in."""

    text: str
    filled: bool = False


def commands(instruction: Read) -> list[list[list[Part]]]:
    """Return the commands of a RUN: each a list of words, each word a list of parts."""
    script = instruction.heredoc
    if script is None or instruction.rest:
        raise Surprise(f"line {instruction.number}: RUN without a here-document")
    if not script or script[0] != "set -eu":
        raise Surprise(f"line {instruction.number}: the script does not stop at errors")
    found = []
    rest = script[1:]
    while rest:
        count = next((n for n, line in enumerate(rest) if line in SCRIPT), len(rest))
        found += [_words(line) for line in _joined(rest[:count])]
        found += [[[Part(line, filled=True)]] for line in rest[count : count + 1]]
        rest = rest[count + 1 :]
    return found


def _joined(script: tuple[str, ...]) -> list[str]:
    """Join the lines that end in a backslash outside quotes, as a shell does."""
    found: list[str] = []
    pending = ""
    for line in script:
        if line.endswith(" \\"):
            pending += line[:-1]
        else:
            found.append(pending + line)
            pending = ""
    if pending:
        raise Surprise("a script that ends in a continuation")
    return found


def _words(line: str) -> list[list[Part]]:
    words: list[list[Part]] = []
    current: list[Part] | None = None
    at = 0
    while at < len(line):
        character = line[at]
        if character == " ":
            if current is not None:
                words.append(current)
                current = None
            at += 1
            continue
        current = current if current is not None else []
        part, at = _part(line, at)
        current.append(part)
    if current is not None:
        words.append(current)
    return [_globbed(word) for word in words]


def _part(line: str, at: int) -> tuple[Part, int]:
    if line[at] == "'":
        end = line.index("'", at + 1)
        return Part(line[at + 1 : end]), end + 1
    if line[at] == '"':
        end = line.index('"', at + 1)
        inner = line[at + 1 : end]
        if inner not in {PROCESSORS, "'"}:
            raise Surprise(f"the shell would expand {inner[:40]!r}")
        return Part(inner, filled=inner == PROCESSORS), end + 1
    if plain := PLAIN.match(line, at):
        return Part(plain[0]), plain.end()
    if line[at] == "*":
        return Part("*", filled=True), at + 1
    raise Surprise(f"an unquoted {line[at]!r} in {line[:80]!r}")


def _globbed(word: list[Part]) -> list[Part]:
    """Merge the parts of a word; a pattern is allowed only where we wrote it."""
    if any(part.filled and part.text == "*" for part in word):
        text = "".join(part.text for part in word)
        if text not in GLOBS:
            raise Surprise(f"an unexpected pattern {text[:60]!r}")
        return [Part(text, filled=True)]
    merged: list[Part] = []
    for part in word:
        if merged and not part.filled and not merged[-1].filled:
            merged[-1].text += part.text
        else:
            merged.append(Part(part.text, filled=part.filled))
    return merged
