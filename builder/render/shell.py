"""Commands as lists of words, and the shell text that runs exactly these words.

A word is a text, taken literally but for `{jobs}`, or a Verbatim, a fragment
of shell that this program itself wrote and that never holds a value.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from builder.errors import LockError
from builder.render.quoting import line, shown

__all__ = ["JOBS", "Command", "Verbatim", "Word", "check_step", "delimiter", "refuse_placeholder", "script"]

JOBS = "{jobs}"
"""Stands for the number of processors of the machine that builds."""

_WIDTH = 110
_PLACEHOLDER = re.compile(r"(?<!\$)\{[a-z][a-z-]*(?::[^{}]*)?\}")
_RESERVED = re.compile(
    r"!|\{|\}|\[\[|\]\]|case|coproc|do|done|elif|else|esac|fi|for|function|if|in|select|then|time|until|while"
)
_ACTS_ON_SHELL = re.compile(
    r"\.|alias|bg|break|cd|continue|eval|exec|exit|export|fg|getopts|hash|local|read|readonly|return|set|shift"
    r"|source|times|trap|umask|unalias|unset|wait"
)


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A fragment of shell, such as a pattern, that stands in the text as it is."""

    text: str


Word = str | Verbatim
Command = tuple[Word, ...]


def script(commands: tuple[Command, ...]) -> tuple[str, ...]:
    """Return the lines of a POSIX shell script that runs `commands` and stops at the first that fails."""
    return ("set -eu", *(text for command in commands for text in _command_lines(command)))


def delimiter(lines: tuple[str, ...]) -> str:
    """Return a heredoc delimiter that is none of `lines`."""
    taken = set(lines)
    number = 1
    word = "EOF"
    while word in taken:
        number += 1
        word = f"EOF{number}"
    return word


def check_step(step: tuple[str, ...]) -> tuple[str, ...]:
    """Return a step of a lock, if it is a program with its arguments and every placeholder is filled."""
    if not step or not step[0]:
        raise LockError("a step without a command")
    if _ACTS_ON_SHELL.fullmatch(step[0]):
        raise LockError(
            f"the step {shown(' '.join(step))} would act on the shell, not run a program",
            hint="write it as a step of its own: sh -c …, or env --chdir=FOLDER …",
        )
    for argument in step:
        refuse_placeholder(argument)
    return step


def refuse_placeholder(text: str) -> None:
    """Raise LockError when `text` holds a placeholder other than `{jobs}`."""
    for match in _PLACEHOLDER.finditer(text):
        if match[0] != JOBS:
            raise LockError(
                f"the placeholder {shown(match[0])} is not filled", hint="run `python -m builder lock`"
            )


def _command_lines(command: Command) -> Iterator[str]:
    """Yield the lines of one command, each but the last ending in a backslash."""
    if not command:
        raise LockError("an empty command")
    words = [_quoted_command_name(command[0]), *map(_quoted_word, command[1:])]
    here = words[0]
    for word in words[1:]:
        if len(here) + len(word) + 3 > _WIDTH:
            yield f"{here} \\"
            here = f"  {word}"
        else:
            here = f"{here} {word}"
    yield here


def _quoted_command_name(word: Word) -> str:
    """Quote the word that names the command; reserved words and what looks like an assignment too."""
    if isinstance(word, str) and (_RESERVED.fullmatch(word) or "=" in word) and JOBS not in word:
        return "'" + line(word).replace("'", "'\"'\"'") + "'"
    return _quoted_word(word)


def _quoted_word(word: Word) -> str:
    if isinstance(word, Verbatim):
        return word.text
    parts = line(word).split(JOBS)
    if len(parts) == 1:
        return shlex.quote(word)
    return '"$(nproc)"'.join(shlex.quote(part) if part else "" for part in parts)
