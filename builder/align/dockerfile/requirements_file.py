"""A requirements file as pins. Pure."""

from __future__ import annotations

import codecs
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from builder.align import Status
from builder.align.dockerfile.pin import Judgement, Pin, PinKind
from builder.align.dockerfile.python_packages import PIP_INDEX_OPTIONS, REPLACING_OPTIONS, Settings, pip_pins
from builder.align.dockerfile.variables import UNRESOLVED
from builder.errors import UsageError

__all__ = ["requirements_pins"]

_COMMENT = re.compile(r"(^|\s)#.*$")
_HASH = re.compile(r"\s--hash[= ]\S+")
_OPTION = re.compile(r"\s--(config-settings?|global-option|install-option)[= ].*$")
_VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}")
"""What pip replaces by the environment: capitals in braces, nothing else."""
_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks, the longer before those that they begin with."""
_LATER = Judgement(Status.UNKNOWN, "decided later", "a variable of pip's environment stands in it")
_NO_SETTINGS = Settings(values={})
_MOST_BYTES = 16 * 2**20


def requirements_pins(data: bytes, *, place: str) -> tuple[Pin, ...]:
    """Return the requirements of a file, as pip reads it (UsageError)."""
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{len(data)} bytes are too many for a requirements file", place=place)
    lines = list(_requirement_lines(_decoded_text(data, place)))
    found: list[Pin] = []
    options: list[str] = []
    for number, line in lines:
        if line.startswith(("-e", "--editable", "-r", "--requirement")):
            found += _line_pins(line, number, place)
        elif line.startswith("-"):
            options += line.replace("=", " ", 1).split(None, 1)
        else:
            hashed = bool(_HASH.search(line))
            bare = _OPTION.sub("", _HASH.sub("", line)).strip()
            found += [
                _decided_by_environment(replace(pin, checked=pin.checked or hashed))
                for pin in pip_pins(["--", _VARIABLE.sub(UNRESOLVED, bare)], number, _NO_SETTINGS)
            ]
    given = {option for option in options if option.startswith("-")}
    bounds = tuple(
        value for option, value in pairwise(options) if option in ("-c", "--constraint", "--constraints")
    )
    if "--require-hashes" in given:
        found = [replace(pin, checked=True) for pin in found]
    elsewhere = not given.isdisjoint(PIP_INDEX_OPTIONS)
    replaced = not given.isdisjoint(REPLACING_OPTIONS)
    binders = (*bounds, *(("the local index",) if "--no-index" in given else ()))
    return tuple(
        replace(pin, elsewhere=elsewhere, replaced=replaced, binders=binders)
        if pin.kind is PinKind.REQUIREMENT
        else pin
        for pin in found
    )


def _decided_by_environment(pin: Pin) -> Pin:
    """Return an address in which a variable stands as one that only pip's environment decides."""
    later = pin.kind is PinKind.DOWNLOAD and UNRESOLVED in pin.value and not pin.checked
    return replace(pin, judged=(_LATER,)) if later else pin


def _decoded_text(data: bytes, place: str) -> str:
    """Decode a file as pip does: by its byte order mark, by a coding comment, else as UTF-8 (UsageError)."""
    mark, encoding = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", "utf-8"))
    if not mark:
        named = next((match for line in data.split(b"\n")[:2] if (match := _CODING.match(line))), None)
        encoding = named[1].decode("ascii") if named else encoding
    try:
        return data[len(mark) :].decode(encoding)
    except LookupError:
        raise UsageError(f"its coding {encoding!a} is not known", place=place) from None
    except UnicodeDecodeError as error:
        raise UsageError(f"byte {error.start + len(mark)} is not {encoding.upper()}", place=place) from None


def _line_pins(line: str, number: int, place: str) -> Iterator[Pin]:
    try:
        yield from pip_pins(shlex.split(_VARIABLE.sub(UNRESOLVED, line)), number, _NO_SETTINGS)
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
