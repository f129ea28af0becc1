"""What package managers of other languages install: conda, npm, cargo, go, gem, rustup. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from builder.align.dockerfile.pin import Kind, Pin
from builder.align.dockerfile.shell import Command

__all__ = ["TOOLS", "loose_packages", "tool_pins"]

_EXACT = re.compile(r"v?\d+\.\d+(\.\d+)?([-+.].*)?|[0-9a-f]{12,40}|nightly-\d{4}-\d\d-\d\d.*")
_CHANNEL = re.compile(r"(\d+\.\d+\.\d+|nightly-\d{4}-\d\d-\d\d)(-.*)?")


def tool_pins(command: Command, line: int) -> Iterator[Pin]:
    """Yield what a command installs without a version."""
    yield from loose_packages(command, line, list(TOOLS[command.program](command.words[1:])))


def loose_packages(command: Command, line: int, names: Sequence[str]) -> Iterator[Pin]:
    """Yield the pin of what a command installs without a version, if there is anything."""
    if names:
        yield Pin(
            line=line,
            kind=Kind.PACKAGES,
            name=command.program,
            value=" ".join(names),
            forgiven=command.forgiven,
        )


def _words_after(words: Sequence[str], verbs: tuple[str, ...], with_value: str) -> Iterator[str]:
    """Yield the operands after a verb; nothing where another verb stands first."""
    position = next((index for index, word in enumerate(words) if not word.startswith("-")), None)
    if position is None or words[position] not in verbs:
        return
    skip = False
    for word in words[position + 1 :]:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in with_value.split()
        else:
            yield word


def _is_local(word: str) -> bool:
    return word.startswith((".", "/", "~", "$")) or "://" in word


def _conda_packages(words: Sequence[str]) -> Iterator[str]:
    for word in _words_after(words, ("install", "create"), "-c -f -n -p --channel --file --name --prefix"):
        if "=" not in word and not _is_local(word):
            yield word


def _npm_packages(words: Sequence[str]) -> Iterator[str]:
    for word in _words_after(words, ("add", "global", "i", "install"), "-C --prefix --registry"):
        if word != "add" and not _EXACT.fullmatch(word[1:].partition("@")[2]) and not _is_local(word):
            yield word


def _cargo_packages(words: Sequence[str]) -> Iterator[str]:
    named = ("--version", "--vers", "--path", "--rev", "--tag")
    if any(word.partition("=")[0] in named for word in words):
        return
    for word in _words_after(
        words, ("install",), "-F -j --branch --features --git --index --profile --registry --root --target"
    ):
        if not _EXACT.fullmatch(word.partition("@")[2]):
            yield word


def _go_packages(words: Sequence[str]) -> Iterator[str]:
    for word in _words_after(words, ("get", "install"), "-ldflags -o -tags"):
        if not _EXACT.fullmatch(word.partition("@")[2]) and not _is_local(word) and "/" in word:
            yield word


def _gem_packages(words: Sequence[str]) -> Iterator[str]:
    if not any(word in ("-v", "--version") or word.startswith("--version=") for word in words):
        yield from (
            word for word in _words_after(words, ("install",), "-i -n -s") if not word.endswith(".gem")
        )


def _rustup_packages(words: Sequence[str]) -> Iterator[str]:
    """Yield toolchains that are channels, such as stable, which move."""
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name == "--default-toolchain":
            words = ("default", value if equals else "".join(words[index + 1 : index + 2]))
    given = words[1:] if tuple(words[:2]) == ("toolchain", "install") else words
    for word in _words_after(given, ("default", "install", "update"), "-c -t --component --profile --target"):
        if word != "none" and not _CHANNEL.fullmatch(word):
            yield word


def _archive_packages(words: Sequence[str]) -> Iterator[str]:
    yield from (word for word in words if not word.startswith("-"))


TOOLS: dict[str, Callable[[Sequence[str]], Iterator[str]]] = {
    "add-apt-repository": _archive_packages,
    "cargo": _cargo_packages,
    "conda": _conda_packages,
    "gem": _gem_packages,
    "go": _go_packages,
    "mamba": _conda_packages,
    "micromamba": _conda_packages,
    "npm": _npm_packages,
    "pnpm": _npm_packages,
    "rustup": _rustup_packages,
    "rustup-init": _rustup_packages,
    "yarn": _npm_packages,
}
"""Programs, each with what names the unpinned ones among its arguments."""
