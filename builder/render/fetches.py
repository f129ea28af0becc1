"""Fetch stages: files by hash, from their origin or from the store, grouped by who uses them.

A stage holds the rows with exactly the same uses, so that it changes only when
its users do, and at most 90 files, because an image has few layers.
Each carries the digests of its files in a form that its users check again:
what comes from the store is not verified by BuildKit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from builder.errors import LockError
from builder.render.instructions import SCRATCH, Add, Copy, File, Mount
from builder.render.quoting import file_name, sha256, shown
from builder.render.shell import Command
from builder.render.stages import STORE, Stage

__all__ = [
    "FetchItem",
    "FetchStages",
    "Inputs",
    "chunks",
    "digests",
    "grouped",
    "mounts",
    "single",
    "store_path",
    "verify",
]

_MOST_FILES = 90
_SHOWN_USES = 3


class Inputs(StrEnum):
    """Where a Dockerfile takes its inputs from."""

    REMOTE = "remote"
    """Files from their origins; git sources and assembled bases from the store."""
    STORE = "store"
    """Everything from the store; the text names no place but those of images."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchItem:
    """One file: its name in the stage, its digest, its address (empty: the store), and a requirement."""

    file: str
    sha256: str
    url: str = ""
    requirement: str = ""
    mode: str = ""
    """For files that steps may copy: a URL's would be another than the store's, and reach the image.

    For few files of a stage only: BuildKit does not merge such layers, and a mount has room for few.
    """

    def instruction(self) -> Add | Copy:
        """Return what brings the file into a stage."""
        target = f"/{file_name(self.file)}"
        if self.url:
            return Add(url=self.url, sha256=self.sha256, target=target, mode=self.mode)
        return Copy(stage=STORE, source=store_path(self.sha256), target=target, mode=self.mode)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchStages:
    """The stages that hold the rows of one set of uses."""

    uses: tuple[str, ...]
    stages: tuple[Stage, ...]


def store_path(digest: str) -> str:
    """Return the path of a file in the store."""
    digits = sha256(digest)
    return f"sha256/{digits[:2]}/{digits[2:]}"


def digests(items: Iterable[FetchItem]) -> File:
    """Return the digests of `items` as `sha256sum --check` reads them."""
    lines = tuple(f"{sha256(item.sha256)}  {file_name(item.file)}" for item in items)
    return File(lines=lines, target="/SHA256SUMS")


def verify(folder: str) -> Command:
    """Return the command that checks every file of a mounted fetch stage."""
    return ("env", f"--chdir={folder}", "sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS")


def mounts(stages: Iterable[str], folder: str) -> tuple[Mount, ...]:
    """Return one mount a stage, at `folder`/0, /1, …."""
    return tuple(Mount(stage=name, target=f"{folder}/{index}") for index, name in enumerate(stages))


def single(name: str, suffix: str, note: str, items: Iterable[FetchItem]) -> tuple[Stage, ...]:
    """Return the stages of files that must be seen in one folder; the last one has them all."""
    listed = sorted(items, key=lambda item: item.file)
    if len(listed) <= _MOST_FILES:
        return chunks(name, suffix, note, listed, digests)
    parts = chunks(f"{name}-part", suffix, note, listed, digests)
    copies = tuple(Copy(stage=part.name, source="/", target="/") for part in parts)
    whole = Stage(name=f"{name}-{suffix}", base=SCRATCH, notes=(note,), body=(*copies, digests(listed)))
    return (*parts, whole)


def chunks(
    name: str,
    suffix: str,
    note: str,
    items: Iterable[FetchItem],
    manifest: Callable[[Iterable[FetchItem]], File],
) -> tuple[Stage, ...]:
    """Return stages of at most 90 files each, with what `manifest` says of them."""
    listed = sorted(items, key=lambda item: item.file)
    for file, count in Counter(item.file for item in listed).items():
        if count > 1:
            raise LockError(f"{shown(file)} appears twice, with one use", place=shown(name))
    parts = [listed[start : start + _MOST_FILES] for start in range(0, len(listed), _MOST_FILES)]
    several = len(parts) > 1
    return tuple(
        Stage(
            name=f"{name}-{number}-{suffix}" if several else f"{name}-{suffix}",
            base=SCRATCH,
            notes=(f"{note} ({number} of {len(parts)})" if several else note,),
            body=(*(item.instruction() for item in part), manifest(part)),
        )
        for number, part in enumerate(parts, start=1)
    )


def grouped(
    kind: str,
    suffix: str,
    table: str,
    rows: Iterable[tuple[tuple[str, ...], FetchItem]],
    manifest: Callable[[Iterable[FetchItem]], File],
) -> tuple[FetchStages, ...]:
    """Return stages for rows given with their uses, one group a set of uses."""
    groups: dict[tuple[str, ...], list[FetchItem]] = {}
    for uses, item in rows:
        if uses:
            groups.setdefault(tuple(sorted(set(uses))), []).append(item)
    names = _fetch_stage_names(kind, sorted(groups))
    return tuple(
        FetchStages(
            uses=uses,
            stages=chunks(names[uses], suffix, f"{table} for {', '.join(uses)}", groups[uses], manifest),
        )
        for uses in sorted(groups)
    )


def _fetch_stage_names(kind: str, sets: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """Name each set of uses after its members, or after the first of many."""
    names: dict[tuple[str, ...], str] = {}
    taken: Counter[str] = Counter()
    for uses in sets:
        more = len(uses) - 1
        word = "_".join(uses) if len(uses) <= _SHOWN_USES else f"{uses[0]}_and_{more}_more"
        taken[word] += 1
        names[uses] = f"{kind}-{word}" if taken[word] == 1 else f"{kind}-{word}_{taken[word]}"
    return names
