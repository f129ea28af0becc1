"""Zips that no honest program writes: found by fuzzing, each refused with its reason."""

from __future__ import annotations

import io
import zipfile

import pytest

from builder.tars import UnreadableError, open_zip


def test_a_member_without_a_name_is_refused() -> None:
    """Python's `is_dir` looks at the last letter of a name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a"), b"x")
    nameless = out.getvalue()
    central = nameless.index(b"PK\x01\x02")
    data = bytearray(nameless)
    data[central + 28 : central + 30] = b"\0\0"  # the length of the name, whose letter becomes a comment
    data[central + 32 : central + 34] = b"\x01\0"
    with pytest.raises(UnreadableError, match="member without a name"), open_zip(io.BytesIO(bytes(data))):
        pass
