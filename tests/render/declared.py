"""The declared instructions and the ones that were read, in one comparable form."""

from __future__ import annotations

from builder.render.instructions import (
    Add,
    Arg,
    Cmd,
    Comment,
    Copy,
    Entrypoint,
    Env,
    File,
    From,
    Instruction,
    Label,
    Run,
    Unpack,
    User,
    Workdir,
)
from builder.render.quoting import Command, Verbatim
from tests.render.reader import Read, json_words, setting
from tests.render.script import PROCESSORS, Part, commands

Plain = tuple[object, ...]


def chmod_of(item: Add | Copy) -> tuple[str, ...]:
    return (f"--chmod={item.mode}",) if item.mode else ()


def of_declared(item: Instruction) -> Plain:  # noqa: C901, PLR0911, PLR0912 - one branch a kind
    match item:
        case From():
            base = item.base + ("-${TARGETARCH}" if item.by_platform else "")
            return ("FROM", base, "AS", item.stage)
        case Arg():
            return ("ARG", item.name)
        case Env():
            return ("ENV", item.name, item.value, item.before)
        case Label():
            return ("LABEL", item.name, item.value, False)
        case User():
            return ("USER", item.numbers)
        case Workdir():
            return ("WORKDIR", item.path)
        case Add():
            options = ("--link", *chmod_of(item), f"--checksum=sha256:{item.sha256}")
            return ("ADD", options, item.url, item.target)
        case Unpack():
            return ("ADD", ("--link",), item.source, "/")
        case Copy():
            return ("COPY", ("--link", *chmod_of(item), f"--from={item.stage}"), item.source, item.target)
        case File():
            return ("COPY", ("--link", f"--chmod={item.mode}"), item.target, item.lines)
        case Run():
            mounts = tuple(
                "--mount=type=bind,from="
                + mount.stage
                + (f",source={mount.source}" if mount.source != "/" else "")
                + f",target={mount.target}"
                for mount in item.mounts
            )
            return ("RUN", ("--network=none", *mounts), tuple(map(words_of, item.commands)))
        case Entrypoint():
            return ("ENTRYPOINT", list(item.arguments))
        case Cmd():
            return ("CMD", list(item.arguments))
        case Comment():
            return ("COMMENT",)


def words_of(command: Command) -> Plain:
    """Return the words of a command as the reader gives them: a list of parts each."""
    return tuple(parts_of(word) for word in command)


def parts_of(word: str | Verbatim) -> Plain:
    if isinstance(word, Verbatim):
        return ((word.text, True),)
    parts: list[tuple[str, bool]] = []
    for index, text in enumerate(word.split("{jobs}")):
        if index:
            parts.append((PROCESSORS, True))
        if text:
            parts.append((text, False))
    return tuple(parts) or (("", False),)


def of_read(item: Read) -> Plain:  # noqa: PLR0911 - one branch a kind
    match item.keyword:
        case "ENV" | "LABEL":
            return (item.keyword, *setting(item))
        case "ADD":
            return ("ADD", item.options, *item.words())
        case "COPY" if item.heredoc is not None:
            return ("COPY", item.options, item.rest, item.heredoc)
        case "COPY":
            return ("COPY", item.options, *item.words())
        case "RUN":
            read = tuple(tuple(plain(word) for word in words) for words in commands(item))
            return ("RUN", item.options, read)
        case "ENTRYPOINT" | "CMD":
            return (item.keyword, json_words(item))
        case _:
            return (item.keyword, *item.words())


def plain(word: list[Part]) -> Plain:
    return tuple((part.text, part.filled) for part in word)
