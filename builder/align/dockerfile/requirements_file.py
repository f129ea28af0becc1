"""A requirements file as pins. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace

from builder.align.dockerfile.commands import pip_pins
from builder.align.dockerfile.pin import Pin, PinKind
from builder.errors import UsageError

__all__ = ["requirements_pins"]

_COMMENT = re.compile(r"(^|\s)#.*$")
_HASH = re.compile(r"\s--hash[= ]\S+")
_INDEX = ("-i ", "--index-url", "--extra-index-url", "-f ", "--find-links")
_OPTION = re.compile(r"\s--(config-settings?|global-option|install-option)[= ].*$")
_MOST_BYTES = 16 * 2**20


def requirements_pins(data: bytes, *, place: str) -> tuple[Pin, ...]:
    """Return the requirements of a file, as pip reads it (UsageError)."""
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{len(data)} bytes are too many for a requirements file", place=place)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"byte {error.start} is not UTF-8", place=place) from None
    found: list[Pin] = []
    elsewhere = False
    for number, line in _requirement_lines(text):
        if line.startswith(_INDEX):
            elsewhere = True
        elif line.startswith(("-e", "--editable", "-r", "--requirement")):
            found += _line_pins(line, number, place)
        elif not line.startswith("-"):
            hashed = bool(_HASH.search(line))
            bare = _OPTION.sub("", _HASH.sub("", line)).strip()
            found += [replace(pin, checked=pin.checked or hashed) for pin in pip_pins([bare], number)]
    if any(line.partition(" ")[0] == "--require-hashes" for _, line in _requirement_lines(text)):
        found = [replace(pin, checked=True) for pin in found]
    return tuple(
        replace(pin, elsewhere=elsewhere) if pin.kind is PinKind.REQUIREMENT else pin for pin in found
    )


def _line_pins(line: str, number: int, place: str) -> Iterator[Pin]:
    try:
        yield from pip_pins(shlex.split(line), number)
    except ValueError as error:
        raise UsageError(f"line {number}: {error}", place=place) from None


def _requirement_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield logical lines with the number of their first one; comments are gone."""
    parts: list[str] = []
    first = 1
    for number, line in enumerate(text.splitlines(), start=1):
        if not parts:
            first = number
        stripped = _COMMENT.sub("", line).rstrip()
        if line.rstrip().endswith("\\") and not _COMMENT.search(line):
            parts.append(stripped[:-1])
            continue
        joined = "".join((*parts, stripped)).strip()
        parts = []
        if joined:
            yield first, joined
    if joined := "".join(parts).strip():
        yield first, joined
