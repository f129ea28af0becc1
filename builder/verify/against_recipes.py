"""Locks against the recipes as they are now, and against the signed files that recipes keep. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from builder.errors import NoSolutionError, UsageError
from builder.lockfile import Finding, Lock, Repository, found, row_label
from builder.mail_date import parse_mail_date
from builder.model import Target
from builder.recipe import Library, effective_recipe, recipe_faults

__all__ = ["outdated", "signed_indexes"]

_DATE_FIELD = re.compile(rb"^Date: (.+)$", re.MULTILINE)


def outdated(lock: Lock, library: Library, listed: Collection[Target]) -> Iterator[Finding]:
    """Yield where `lock` does not fit the recipes; `listed` is what the releases list (RecipeError)."""
    try:
        recipe = effective_recipe(library, lock.target)
    except (UsageError, NoSolutionError) as error:
        yield found("orphan", f"the recipes can no longer make it: {error.cause}")
        return
    if lock.target not in listed:
        yield found("orphan", "no release lists this target", hint="delete the lock, or list its target")
    yield from recipe_faults(recipe, lock)


def signed_indexes(lock: Lock, releases: Mapping[str, bytes]) -> Iterator[Finding]:
    """Yield repositories whose date or indexes are not those of the signed file, where that is at hand.

    `releases` maps digests to contents; a signature is checked when a lock is
    made, and a lock names the signed file by its digest.
    """
    for row in lock.repositories:
        data = releases.get(row.inrelease or row.repomd or "")
        if data is not None:
            name = row_label(row)
            yield from (found("recipe-mismatch", text, row=name) for text in _unsigned_parts(row, lock, data))


def _unsigned_parts(row: Repository, lock: Lock, data: bytes) -> Iterator[str]:
    if row.repomd is not None:
        for index in row.indexes:
            if index.encode() not in data:
                yield f"its repomd.xml names no file of sha256 {index}"
        return
    if _signed_date(data) != row.date:
        yield f"its InRelease is not of {row.date}"
    for component, index in zip(row.components, row.indexes, strict=False):
        path = f"{component}/binary-{lock.arch.debian}/Packages"
        listed = rb" %s +\d+ %s(\.(xz|gz|bz2|zst))?$" % (index.encode(), re.escape(path.encode()))
        if not re.search(listed, data, re.MULTILINE):
            yield f"its InRelease names no {path} of sha256 {index}"


def _signed_date(data: bytes) -> str:
    stated = _DATE_FIELD.search(data)
    try:
        return parse_mail_date(stated[1].decode("ascii")).strftime("%Y-%m-%dT%H:%M:%SZ") if stated else ""
    except ValueError:
        return ""
