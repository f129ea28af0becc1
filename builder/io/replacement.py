"""Large files: written beside their place, and moved there when they are complete."""

from __future__ import annotations

__all__ = ["replacing"]

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from builder.errors import UsageError

_FILE_MODE = 0o644


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a new file that replaces `path` when the block ends well.

    On any failure or interrupt the old file stays as it was and nothing is
    left of the new one. Parent directories are made. UsageError when the file
    system refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", suffix=".tmp", delete=False
        ) as file:
            try:
                yield cast("BinaryIO", file)
                file.flush()
                os.fchmod(file.fileno(), _FILE_MODE)
                os.fsync(file.fileno())
                Path(file.name).replace(path)
            except BaseException:  # an interrupt too must not leave the sibling behind
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as cause:
        raise UsageError(f"cannot be written: {cause.strerror or cause}", place=str(path)) from cause
