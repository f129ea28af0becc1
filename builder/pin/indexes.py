"""Signed package indexes: fetched by digest, and kept beside the recipes if they are small."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from builder.errors import DigestMismatchError, UsageError
from builder.io import Client, first_answer, remove, write_atomic
from builder.pin.context import Context

__all__ = [
    "KEPT_LIMIT",
    "IndexFolder",
    "PinnedIndexes",
    "fetch_index",
    "fetch_kept_bytes",
    "is_kept",
    "remove_stale_folders",
    "write_index_folder",
]

KEPT_LIMIT = 2_000_000
"""Bytes; a larger index is in the store only."""

_FOLDER_NAME = re.compile(r".+-[0-9]{8}T[0-9]{6}Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFolder:
    """A folder below recipes/indexes, and its files by name."""

    name: str
    files: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedIndexes:
    """The signed indexes of one suite or repository, as they were fetched and verified."""

    pins: Mapping[str, Any]
    """What its `[[repositories]]` table records, by key."""
    at: datetime
    """The moment at which they were verified, in UTC."""
    folders: tuple[IndexFolder, ...]


def is_kept(index: bytes) -> bool:
    """Whether an index is small enough to be kept beside the recipes."""
    return len(index) < KEPT_LIMIT


def write_index_folder(context: Context, folder: IndexFolder) -> None:
    """Write the files of one suite or repository below recipes/indexes."""
    for name, data in folder.files:
        write_atomic(context.recipes / "indexes" / folder.name / name, data)


def remove_stale_folders(context: Context, wanted: Collection[str]) -> tuple[str, ...]:
    """Remove the index folders that are not `wanted`, and return their names.

    Only folders whose name ends in a time stamp are touched.
    """
    removed = []
    for folder in sorted((context.recipes / "indexes").glob("*-*Z")):
        if folder.is_dir() and _FOLDER_NAME.fullmatch(folder.name) and folder.name not in wanted:
            _remove_folder(folder)
            removed.append(folder.name)
    return tuple(removed)


def fetch_index(context: Context, client: Client, urls: Sequence[str], sha256: str) -> bytes:
    """Return the index with this digest, from the store or the first URL that has it (FetchError)."""
    if context.store.has(sha256):
        return context.store.read(sha256)
    return first_answer(
        urls,
        lambda url: fetch_kept_bytes(context, client, url, sha256)[1],
        place=f"package index sha256 {sha256}",
        hint="the archive may have changed in between: try again",
    )


def fetch_kept_bytes(context: Context, client: Client, url: str, sha256: str = "") -> tuple[str, bytes]:
    """Return the first place of `url` that has the wanted bytes, and these; they enter the store.

    Any bytes are wanted without `sha256`. The error says what each place answered.
    """

    def ask(place: str) -> tuple[str, bytes]:
        data = client.get_bytes(place)
        observed = context.store.add_bytes(data)
        if sha256 not in ("", observed):
            raise DigestMismatchError(f"expected sha256 {sha256}, got {observed}", place=place)
        return place, data

    hint = "name a mirror of the archive: --mirror, or a `mirrors` table in origins.toml"
    return first_answer(context.origins.candidates(url), ask, place=url, hint=hint)


def _remove_folder(folder: Path) -> None:
    for file in sorted(folder.iterdir()):
        remove(file)
    try:
        folder.rmdir()
    except OSError as cause:
        raise UsageError(f"cannot be deleted: {cause.strerror}", place=str(folder)) from cause
