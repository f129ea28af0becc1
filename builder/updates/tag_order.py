"""Which tags are newer than one: those that differ from it in numbers alone, and have greater ones. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["newer_tags", "tag_of_version"]

_NUMBERS = re.compile(r"[0-9]+")


def newer_tags(tag: str, tags: Iterable[str]) -> tuple[str, ...]:
    """Return the tags of the form of `tag` with greater numbers, oldest first.

    `v1.21.0` has the form `v#.#.#`, so that neither `v1.22.0-rc1` nor `v2` is compared with it: a release
    candidate is no update, and what a shorter tag means is not known. `trixie-20260918-slim` compares by day.
    """
    form, own = _form_of(tag), _numbers_of(tag)
    found = {other for other in tags if _form_of(other) == form and _numbers_of(other) > own}
    return tuple(sorted(found, key=lambda other: (_numbers_of(other), other)))


def tag_of_version(tag: str, newer: str, version: str) -> str:
    """Return the version that the tag `newer` stands for, as `tag` stands for `version`; empty if unclear."""
    before, between, after = tag.partition(version)
    if not between or not newer.startswith(before) or not newer.endswith(after):
        return ""
    return newer[len(before) : len(newer) - len(after) or None]


def _form_of(tag: str) -> str:
    return _NUMBERS.sub("#", tag)


def _numbers_of(tag: str) -> tuple[int, ...]:
    return tuple(map(int, _NUMBERS.findall(tag)))
