"""What the readers of tools' commands return, and what they share. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from builder.align.dockerfile.arguments import Arguments, read_arguments
from builder.align.dockerfile.pin import Judgement, PinKind, drift, unknown

__all__ = [
    "EXACT_VERSION",
    "FULL_VERSION",
    "Reading",
    "fetches",
    "is_local",
    "loose_packages",
    "may_resolve",
    "resolves",
    "verb_arguments",
]

Reading = list[tuple[PinKind, str, Judgement | None]] | None
"""For each pin: its kind, its value, and what is to be said of it; None if the verb is not known."""

EXACT_VERSION = re.compile(r"v?\d+\.\d+(\.\d+)?([-+.].*)?|[0-9a-f]{12,40}|nightly-\d{4}-\d\d-\d\d.*")
"""A version of two numbers or more, a commit, or a dated nightly."""
FULL_VERSION = re.compile(r"v?\d+\.\d+\.\d+([-+.].*)?")
"""A version of three numbers or more."""


def loose_packages(names: Sequence[str]) -> Reading:
    """Return the pins of packages without a version."""
    text = f"{len(names)} without a version: the build takes whatever there is"
    return [(PinKind.PACKAGES, " ".join(names), drift("unpinned packages", text))] if names else []


def resolves(value: str, text: str) -> Reading:
    """Return the pin of a command that chooses versions."""
    return [(PinKind.RESOLVER, value, drift("resolves while building", text))]


def may_resolve(value: str, text: str) -> Reading:
    """Return the pin of a command that chooses versions unless a lock file at hand decides them."""
    return [(PinKind.RESOLVER, value, unknown("not read", text))]


def fetches(value: str, text: str) -> Reading:
    """Return the pin of a download without a checksum."""
    return [(PinKind.DOWNLOAD, value, drift("unpinned download", text))]


def verb_arguments(words: Sequence[str], valued: str = "") -> tuple[str, Arguments]:
    """Return the verb of a command and what stands beside it; `valued` are options with a value."""
    given = read_arguments(words, frozenset(valued.split()))
    operands = given.operands
    return (operands[0] if operands else ""), Arguments(operands=operands[1:], options=given.options)


def is_local(word: str) -> bool:
    """Whether a word names a file or folder at hand."""
    return word.startswith((".", "/", "~", "$", "file:")) or word.endswith((".tgz", ".gem", ".tar.gz"))
