"""Quoting: how values and commands are spelled in a Dockerfile and in shell, and how the rest is refused.

Names, paths and addresses are checked against what they can be at all, so
that they need no quoting. Free text (the values of ENV and LABEL, arguments of
commands, comments) is one line of printable text and is quoted.

A command is a list of words, and the shell text runs exactly these words. A word is a text, taken literally
but for `{jobs}`, or a Verbatim, a fragment of shell that this program
itself wrote and that never holds a value.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from builder.errors import LockError
from builder.model import check_line, check_source_line, shortened

__all__ = [
    "JOBS",
    "Command",
    "Verbatim",
    "Word",
    "absolute_path",
    "check_step",
    "delimiter",
    "docker_text",
    "environment_name",
    "file_name",
    "image_reference",
    "json_list",
    "line",
    "refuse_placeholder",
    "relative_path",
    "script",
    "sha256",
    "shown",
    "source_line",
    "stage_name",
    "url",
    "user_numbers",
]

_STAGE = re.compile(r"[a-z][a-z0-9]*(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_FILE = re.compile(r"[A-Za-z0-9_+~%=@,:!.-]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_URL = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+/[A-Za-z0-9._~:/?@!&()*+,;=%-]+")
_DIGITS = re.compile(r"[0-9a-f]{64}")
_IMAGE = re.compile(
    r"[a-z0-9]+(?:[.-]+[a-z0-9]+)*(?::[0-9]+)?"  # the registry, or the first component
    r"(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
    r"@sha256:[0-9a-f]{64}"
)
_USER = re.compile(r"[0-9]{1,9}:[0-9]{1,9}")
_LONGEST_NAME = 128


def line(text: str) -> str:
    """Return `text` if it is one line of printable text (LockError)."""
    try:
        return check_line(text)
    except ValueError as error:
        raise LockError(f"{shown(text)}: {error}") from None


def source_line(text: str) -> str:
    """Return `text` if it is one line of printable text and tabs (LockError)."""
    try:
        return check_source_line(text)
    except ValueError as error:
        raise LockError(f"{shown(text)}: {error}") from None


def user_numbers(text: str) -> str:
    """Return `text` if it is the numbers of a user and a group, such as `1000:0`."""
    return _text_matching(_USER, text, "the numbers of a user and a group, such as 1000:0")


def stage_name(text: str) -> str:
    """Return `text` if it can name a stage; BuildKit wants stages to be spelled like image names."""
    return _text_matching(_STAGE, text, "a name of lower-case letters, digits, - . and _")


def file_name(text: str) -> str:
    """Return `text` if it is a plain file name that no quoting rule and no wildcard touches."""
    if text in {".", "..", "SHA256SUMS", "requirements.txt"}:
        raise LockError(f"a file cannot be called {text}")
    return _text_matching(_FILE, text, "a plain file name", longest=255)


def relative_path(text: str) -> str:
    """Return `text` if it is a path of plain file names."""
    for part in text.split("/"):
        file_name(part)
    return text


def absolute_path(text: str) -> str:
    """Return `text` if it is / or an absolute path of plain file names."""
    if text == "/":
        return text
    if not text.startswith("/"):
        raise LockError(f"expected an absolute path, got {shown(text)}")
    for part in text[1:].split("/"):
        if part in {"", ".", ".."}:
            raise LockError(f"expected an absolute path without . and .., got {shown(text)}")
        _text_matching(_FILE, part, "a path of plain names", longest=255)
    return text


def environment_name(text: str) -> str:
    """Return `text` if it can name an environment variable."""
    return _text_matching(_VARIABLE, text, "the name of an environment variable")


def url(text: str) -> str:
    """Return `text` if it is an http(s) URL, percent-encoded, without credentials, and no git repository."""
    if text.endswith(".git"):
        raise LockError(f"BuildKit would take {shown(text)} for a git repository")
    return _text_matching(_URL, text, "a plain http or https URL", longest=4096)


def image_reference(text: str) -> str:
    """Return `text` if it names an image by digest."""
    return _text_matching(_IMAGE, text, "an image by digest", longest=512)


def sha256(text: str) -> str:
    """Return `text` if it is a SHA-256 in hexadecimal digits."""
    return _text_matching(_DIGITS, text, "64 lower-case hexadecimal digits")


def docker_text(text: str) -> str:
    """Return `text` in double quotes, so that ENV and LABEL take it as it is: nothing is expanded."""
    return '"' + re.sub(r'([\\"$])', r"\\\1", line(text)) + '"'


def json_list(texts: Iterable[str]) -> str:
    """Return `texts` as the JSON list that ENTRYPOINT and CMD take; Docker expands nothing in it."""
    return json.dumps([line(text) for text in texts], ensure_ascii=False)


def _text_matching(form: re.Pattern[str], text: str, what: str, *, longest: int = _LONGEST_NAME) -> str:
    if len(text) > longest:
        raise LockError(f"expected {what} of at most {longest} characters, got {shown(text)}")
    if not form.fullmatch(text):
        raise LockError(f"expected {what}, got {shown(text)}")
    return text


def shown(text: str) -> str:
    """Return `text` in quotes, short and printable enough for a message."""
    return shortened(text)


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
