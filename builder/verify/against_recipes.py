"""A lock against the recipes as they are now. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from email.utils import parsedate_to_datetime

from builder.errors import UsageError
from builder.lockfile import Finding, Lock, Repository, found, row_label, summary_digest
from builder.model import Target
from builder.recipe import Library, changed_keys, effective, fingerprint
from builder.verify.agreement import disagreements

__all__ = ["outdated", "signed_indexes"]

_SHOWN = 8
_DATE = re.compile(rb"^Date: (.+)$", re.MULTILINE)


def outdated(lock: Lock, library: Library, listed: Collection[Target]) -> Iterator[Finding]:
    """Yield where `lock` does not fit the recipes; `listed` is what the releases list (RecipeError)."""
    try:
        recipe = effective(library, lock.target)
    except UsageError as error:
        yield found("orphan", f"the recipes can no longer make it: {error.cause}")
        return
    if lock.target not in listed:
        yield found("orphan", "no release lists this target", hint="delete the lock, or list its target")
    inputs = fingerprint(recipe)
    if lock.recipe_digest == summary_digest(inputs) and lock.inputs == inputs:
        yield from disagreements(recipe, lock)
        return
    keys = changed_keys(lock.inputs, inputs)
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    text = f"the recipe changed: {', '.join(keys[:_SHOWN])}{more}"
    yield found("stale", text, hint="run `python -m builder lock`, and review what changes")


def signed_indexes(lock: Lock, releases: Mapping[str, bytes]) -> Iterator[Finding]:
    """Yield repositories whose date or indexes are not those of the signed file, where that is at hand.

    `releases` maps digests to contents; a signature is checked when a lock is
    made, and a lock names the signed file by its digest.
    """
    for row in lock.repositories:
        data = releases.get(row.inrelease or row.repomd or "")
        if data is not None:
            name = row_label(row)
            yield from (found("forged", text, row=name) for text in _signed(row, lock, data))


def _signed(row: Repository, lock: Lock, data: bytes) -> Iterator[str]:
    if row.repomd is not None:
        for index in row.indexes:
            if index.encode() not in data:
                yield f"its repomd.xml names no file of sha256 {index}"
        return
    if _date(data) != row.date:
        yield f"its InRelease is not of {row.date}"
    for component, index in zip(row.components, row.indexes, strict=False):
        path = f"{component}/binary-{lock.arch.debian}/Packages"
        listed = rb" %s +\d+ %s(\.(xz|gz|bz2|zst))?$" % (index.encode(), re.escape(path.encode()))
        if not re.search(listed, data, re.MULTILINE):
            yield f"its InRelease names no {path} of sha256 {index}"


def _date(data: bytes) -> str:
    stated = _DATE.search(data)
    try:
        return (
            parsedate_to_datetime(stated[1].decode("ascii")).strftime("%Y-%m-%dT%H:%M:%SZ") if stated else ""
        )
    except ValueError:
        return ""
