"""Why bytes are not the promised ones, where both are at hand (trap T7).

The comparison itself is `difference`; nothing of what it compares is trusted or unpacked to disk.
"""

from __future__ import annotations

__all__ = ["Difference", "DifferenceKind", "KnownFiles", "difference", "explained"]

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from builder.errors import BuilderError, DigestMismatchError, UsageError
from builder.model import counted
from builder.store import Store
from builder.tars import ArchiveEntry, Contents, UnreadableError, read_contents

_SHOWN = 20  # lines of files in a message


class DifferenceKind(StrEnum):
    """What differs between two files, the least first."""

    NOTHING = "nothing"
    COMPRESSION = "only the compression"
    METADATA = "only metadata"
    CONTENTS = "contents"
    BYTES = "bytes, of files that are not readable archives"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What differs, and in which files: one line each, the sign first (`+`, `-`, `~`)."""

    kind: DifferenceKind
    detail: str = ""
    files: tuple[str, ...] = ()

    def text(self) -> str:
        """Return it for people, with at most twenty files."""
        head = f"what differs: {self.kind}" + (f" ({self.detail})" if self.detail else "")
        more = len(self.files) - _SHOWN
        rest = [f"and {more} more"] if more > 0 else []
        return "".join(f"\n    {line}" for line in (head, *self.files[:_SHOWN], *rest))


class KnownFiles:
    """Files, folders and stores in which right bytes may be found by their digest.

    UsageError for a path that does not exist. A folder that is no store is read once, when it is first asked.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        for path in paths:
            if not path.exists():
                raise UsageError("there is no such file or folder", place=f"--compare-with {path}")
        self._stores = tuple(Store(path) for path in paths if (path / "sha256").is_dir())
        self._loose = tuple(path for path in paths if not (path / "sha256").is_dir())
        self._digests: dict[str, Path] | None = None

    def find(self, sha256: str) -> Path | None:
        """Return a file with these bytes, hashed just now, or None."""
        for store in self._stores:
            try:
                store.verify(sha256)
            except BuilderError:
                continue
            return store.path(sha256)
        if self._digests is None:
            self._digests = {_file_sha256(path): path for path in _regular_files(self._loose)}
        return self._digests.get(sha256)


def explained(error: DigestMismatchError, right: Path | None, wrong: Path) -> DigestMismatchError:
    """Return `error`, saying what differs between the file `right`, if there is one, and the file `wrong`."""
    if right is None:
        return error
    return DigestMismatchError(
        f"{error.cause}{difference(right, wrong).text()}", place=error.place, hint=error.hint
    )


def difference(first: Path, second: Path) -> Difference:
    """Compare two files as archives where they are some: compression, metadata, contents."""
    if _file_sha256(first) == _file_sha256(second):
        return Difference(kind=DifferenceKind.NOTHING)
    try:
        one, two = read_contents(first), read_contents(second)
    except UnreadableError:
        return Difference(kind=DifferenceKind.BYTES, detail=_first_byte(first, second))
    if one.unpacked and one.unpacked == two.unpacked:
        detail = "" if one.packing == two.packing else f"{one.packing}, now {two.packing}"
        return Difference(kind=DifferenceKind.COMPRESSION, detail=detail)
    changed = tuple(_changed_entries(one.entries, two.entries))
    if changed:
        return Difference(kind=DifferenceKind.CONTENTS, detail=counted(len(changed), "file"), files=changed)
    return _of_metadata(one, two)


def _changed_entries(first: Iterable[ArchiveEntry], second: Iterable[ArchiveEntry]) -> Iterator[str]:
    """Yield a line for each entry that one lacks, or that is another thing in the other."""
    one, two = _entries_by_path(first), _entries_by_path(second)
    for name in sorted({*one, *two}):
        if one.get(name) != two.get(name):
            sign = "+" if name not in one else "-" if name not in two else "~"
            yield f"{sign} {_printable_name(name)}"


def _entries_by_path(entries: Iterable[ArchiveEntry]) -> dict[str, Counter[tuple[str, str]]]:
    found: dict[str, Counter[tuple[str, str]]] = {}
    for entry in entries:
        found.setdefault(entry.name, Counter())[entry.kind, entry.content] += 1
    return found


def _of_metadata(first: Contents, second: Contents) -> Difference:
    """Say which metadata differ, of archives with the same things in them."""
    words: set[str] = set()
    files = []
    later = {entry.name: entry for entry in second.entries}
    for entry in first.entries:
        other = later[entry.name]
        what = [
            word
            for word, one, two in (
                ("time", entry.time, other.time),
                ("owner", entry.owner, other.owner),
                ("mode", entry.mode, other.mode),
            )
            if one != two
        ]
        words |= set(what)
        if what:
            files.append(f"~ {_printable_name(entry.name)}: {', '.join(what)}")
    if [entry.name for entry in first.entries] != [entry.name for entry in second.entries]:
        words.add("order")
    if not words and first.packing == second.packing == "zip":
        return Difference(kind=DifferenceKind.COMPRESSION)
    detail = ", ".join(word for word in ("time", "owner", "mode", "order") if word in words)
    return Difference(
        kind=DifferenceKind.METADATA, detail=detail or "the archive's own format", files=tuple(files)
    )


def _first_byte(first: Path, second: Path) -> str:
    """Return where two files begin to differ."""
    offset = 0
    with first.open("rb") as one, second.open("rb") as two:
        while True:
            left, right = one.read(2**16), two.read(2**16)
            if left != right:
                both = zip(left, right, strict=False)
                same = next((n for n, (a, b) in enumerate(both) if a != b), min(len(left), len(right)))
                return (
                    f"from byte {offset + same} on; {first.stat().st_size} and {second.stat().st_size} bytes"
                )
            offset += len(left)


def _regular_files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield from (path,) if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _printable_name(name: str) -> str:
    """Return a name of an untrusted archive as one printable line."""
    return name if name.isprintable() else ascii(name)[1:-1]
