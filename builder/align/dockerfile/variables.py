"""Variables of Dockerfiles and of shells: `$NAME`, `${NAME:-word}`, `${NAME#pattern}`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["UNRESOLVED", "bounded", "expanded", "references"]

UNRESOLVED = "\N{REPLACEMENT CHARACTER}"
"""Stands in expanded text for what only the build knows."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REFERENCE = re.compile(r"\$(?:\{[#!]?([A-Za-z_][A-Za-z0-9_]*)|([A-Za-z_][A-Za-z0-9_]*))")
_ASKED_FOR = re.compile(r"(?:environ|getenv|printenv|\$env)\W{1,6}(?:get\W{1,3})?([A-Za-z_][A-Za-z0-9_]*)")
_OF_WINDOWS = re.compile(r"%([A-Za-z_][A-Za-z0-9_]*)%")
_DEEPEST = 20
_LONGEST = 2**10
"""No variable's value is longer, in characters: doubled often enough, a short one fills the memory."""
_LONGEST_TEXT = 2**20


def references(text: str) -> frozenset[str]:
    """Return the names of the variables that a text uses, by a `$` or by asking its environment."""
    found = {one or other for one, other in _REFERENCE.findall(text)}
    return frozenset(found | set(_ASKED_FOR.findall(text)) | set(_OF_WINDOWS.findall(text)))


def expanded(text: str, known: Mapping[str, str], depth: int = 0) -> str:
    """Return `text` with its variables replaced; what is not known becomes UNRESOLVED."""
    parts, position, length = [], 0, 0
    while (start := text.find("$", position)) >= 0 and length <= _LONGEST_TEXT:
        if start and text[start - 1] == "\\":
            parts.append(text[position : start - 1] + "$")
            position = start + 1
            continue
        parts.append(text[position:start])
        value, position = _expand_one(text, start, known, depth)
        length += len(value)
        parts.append(value)
    return UNRESOLVED if length > _LONGEST_TEXT else "".join(parts) + text[position:]


def bounded(value: str) -> str:
    """Return a value, or UNRESOLVED in place of one too long to be a version, a name or an address."""
    return value if len(value) <= _LONGEST else UNRESOLVED


def _expand_one(text: str, start: int, known: Mapping[str, str], depth: int) -> tuple[str, int]:
    """Expand the variable that begins at `start`; return its value and what comes after it."""
    if text.startswith("${", start):
        end = _closing_position(text, start + 1, "{", "}")
        inner = text[start + 2 : end]
        return (_expand_braced(inner, known, depth) if depth < _DEEPEST else UNRESOLVED), min(
            end + 1, len(text)
        )
    if text.startswith("$(", start):
        return UNRESOLVED, min(_closing_position(text, start + 1, "(", ")") + 1, len(text))
    name = _NAME.match(text, start + 1)
    if name is None:
        return (UNRESOLVED, start + 2) if text[start + 1 : start + 2].isdigit() else ("$", start + 1)
    return known.get(name[0], UNRESOLVED), name.end()


def _closing_position(text: str, start: int, opening: str, closing: str) -> int:
    """Return where the bracket that opens at `start` closes; the text's end where it does not."""
    depth = 0
    for index in range(start, len(text)):
        depth += {opening: 1, closing: -1}.get(text[index], 0)
        if depth == 0:
            return index
    return len(text)


def _expand_braced(inner: str, known: Mapping[str, str], depth: int) -> str:
    name = _NAME.match(inner)
    if name is None:
        return UNRESOLVED
    value, rest = known.get(name[0]), inner[name.end() :]
    if not rest:
        return UNRESOLVED if value is None else value
    colon = rest.startswith(":")
    operator, word = rest[colon : colon + 1], rest[colon + 1 :]
    if operator in ("-", "+", "=", "?"):
        there = bool(value) if colon else value is not None
        if operator == "+":
            return expanded(word, known, depth + 1) if there else ""
        if there:
            return value or ""
        return UNRESOLVED if operator == "?" else expanded(word, known, depth + 1)
    return UNRESOLVED if value is None or colon else _changed_value(value, rest, known, depth)


def _changed_value(value: str, rest: str, known: Mapping[str, str], depth: int) -> str:
    """Return `value` with a prefix, a suffix or a part replaced, as POSIX shells and bash do."""
    if rest[0] in "#%":
        longest = rest[:2] in ("##", "%%")
        pattern = expanded(rest[1 + longest :], known, depth + 1)
        return _trimmed_value(value, pattern, longest=longest, suffix=rest[0] == "%")
    if rest[0] == "/":
        everywhere = rest.startswith("//")
        old, _, new = rest[1 + everywhere :].partition("/")
        old, new = expanded(old, known, depth + 1), expanded(new, known, depth + 1)
        if not old or len(new) > _LONGEST:
            return UNRESOLVED
        return value.replace(old, new) if everywhere else value.replace(old, new, 1)
    return UNRESOLVED


def _trimmed_value(value: str, pattern: str, *, longest: bool, suffix: bool) -> str:
    """Return `value` without the prefix or suffix that fits `pattern`, in which only `*` is a wildcard.

    Each part between two stars is searched for once, so the time grows with the length of the value alone.
    """
    if any(character in pattern for character in "?[]\\"):
        return UNRESOLVED
    if suffix:
        return _trimmed_value(value[::-1], pattern[::-1], longest=longest, suffix=False)[::-1]
    first, *others = pattern.split("*")
    if not value.startswith(first):
        return value
    end = len(first)
    for index, part in enumerate(others):
        last = longest and index == len(others) - 1
        found = value.rfind(part, end) if last else value.find(part, end)
        if found < 0:
            return value
        end = found + len(part)
    return value[end:]
