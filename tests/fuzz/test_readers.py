"""Any bytes: each reader returns, or raises one of its errors that names a cause.

Half of the bytes are samples with a few places changed, so that they get past the first check; numbers,
lengths and nesting are what the changes know of. `LOCKWRIGHT_FUZZ_RUNS` sets the runs of each reader;
`LOCKWRIGHT_FUZZ_SECONDS` adds inputs for so long, the same ones in the same order each time.
"""

from __future__ import annotations

import os
import random
import re
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.fuzzed_reader import FuzzedReader
from tests.fuzz.readers import READERS

RUNS = int(os.environ.get("LOCKWRIGHT_FUZZ_RUNS", "60"))
SECONDS = float(os.environ.get("LOCKWRIGHT_FUZZ_SECONDS", "0"))
MOST_CHANGES = 8
TABLE = Path(__file__).parents[2] / "docs/bounds.md"
PIECES = (
    *(
        b"",
        b"\0",
        b"\xff",
        b"\n",
        b"-1",
        b"0",
        b"9" * 30,
        b"9" * 5000,
        b"inf",
        b"nan",
        b"1e999",
        b"\x80" * 12,
    ),
    *(
        b"[" * 3000,
        b'{"a":' * 3000,
        b'"',
        b"'",
        b"???",
        b"../" * 9,
        b"null",
        b"true",
        b"[]",
        b"{}",
        b"a" * 5000,
    ),
    *(
        b"PK\x03\x04",
        b"\x1f\x8b\x08\x01",
        b"ustar\x00",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"\xe2\x80\xae",
        b" = ",
        b": ",
    ),
    b"\xff" * 8,
)
CHANGES = st.lists(
    st.tuples(st.integers(0, 2**20), st.integers(0, 64), st.sampled_from(PIECES) | st.binary(max_size=8)),
    min_size=1,
    max_size=5,
)


def changed(sample: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    """Replace as many bytes as each change says by its piece, at a place within the sample."""
    data = bytearray(sample)
    for place, length, piece in changes:
        at = place % (len(data) + 1)
        data[at : at + length] = piece
    return bytes(data)


def tried(reader: FuzzedReader, data: bytes) -> None:
    try:
        reader.read(data)
    except reader.errors as error:
        said = str(error).strip()
    else:
        said = "nothing was wrong"
    assert said, f"{reader.name} does not say what is wrong"


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: re.sub(r"\W+", "-", reader.name))
def test_any_bytes_are_read_or_refused(reader: FuzzedReader) -> None:
    for sample in reader.corpus:
        tried(reader, sample)

    @settings(
        max_examples=RUNS,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(reader.corpus), CHANGES)
    def with_changes(sample: bytes, changes: list[tuple[int, int, bytes]]) -> None:
        tried(reader, changed(sample, changes))

    @settings(max_examples=RUNS // 3, deadline=None, derandomize=True, database=None)
    @given(st.binary() | st.sampled_from(PIECES))
    def without_sample(data: bytes) -> None:
        tried(reader, data)

    with_changes()
    without_sample()
    chance = random.Random(reader.name)
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        found = [
            (chance.randrange(2**20), chance.randrange(65), chance.choice(PIECES) or chance.randbytes(8))
            for _ in range(chance.randint(1, MOST_CHANGES))
        ]
        tried(reader, changed(chance.choice(reader.corpus), found))


def test_the_table_has_every_reader() -> None:
    rows = re.findall(r"(?m)^\| ([^|]+) \| [^|]+ \| [^|]+ \| [^|]+ \| [^|]+ \|$", TABLE.read_text("utf-8"))
    assert rows[rows.index("reader") + 1 :] == [reader.name for reader in READERS]
