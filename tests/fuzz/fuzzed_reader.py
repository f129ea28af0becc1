"""One reader of foreign bytes as the tests of tests/fuzz know it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from builder.errors import BuilderError


@dataclass(frozen=True, slots=True, kw_only=True)
class FuzzedReader:
    """What reads foreign bytes, whence they come, whole samples of them, and the errors it may raise."""

    name: str
    source: str
    read: Callable[[bytes], object]
    corpus: tuple[bytes, ...]
    errors: tuple[type[Exception], ...] = (BuilderError,)


def read_in_file(read: Callable[[Path], object], name: str = "file") -> Callable[[bytes], object]:
    """Return a reader of bytes from one of a file of a name."""

    def with_file(data: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(data)
            return read(path)

    return with_file
