from __future__ import annotations

import io
import random
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import FetchError
from builder.index.metadata import parse_metadata
from builder.index.remote_wheel import RemoteFile, read_metadata_member
from builder.model.licenses import LicenseStatement

DATA = random.Random(7).randbytes(300_001)


def remote(data: bytes, log: list[tuple[int, int]] | None = None) -> RemoteFile:
    def fetch(start: int, end: int) -> bytes:
        assert 0 <= start < end <= len(data)
        if log is not None:
            log.append((start, end))
        return data[start:end]

    return RemoteFile(len(data), fetch)


@given(st.lists(st.tuples(st.integers(0, 310_000), st.integers(0, 200_000)), max_size=6))
def test_reads_what_a_file_would(reads: list[tuple[int, int]]) -> None:
    ours, theirs = remote(DATA), io.BytesIO(DATA)
    for position, length in reads:
        assert ours.seek(position) == theirs.seek(position)
        assert ours.read(length) == theirs.read(length)
        assert ours.tell() == theirs.tell()


def test_seeks_from_every_side() -> None:
    file = remote(DATA)
    assert file.seek(-10, io.SEEK_END) == len(DATA) - 10
    assert file.seek(4, io.SEEK_CUR) == len(DATA) - 6
    assert file.read() == DATA[-6:]
    with pytest.raises(OSError, match="before the start"):
        file.seek(-1)


def test_nothing_is_fetched_twice() -> None:
    log: list[tuple[int, int]] = []
    file = remote(DATA, log)
    for _ in range(2):
        file.seek(0)
        assert file.read(len(DATA)) == DATA
    assert sum(end - start for start, end in log) == len(DATA)


def archive(*members: tuple[str, bytes], padding: int = 0) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("big.bin", b"\1" * padding)
        for name, data in members:
            made.writestr(name, data)
    return buffer.getvalue()


def test_metadata_of_a_large_wheel_takes_one_request() -> None:
    log: list[tuple[int, int]] = []
    data = archive(("app-1.dist-info/METADATA", b"Name: app\n"), padding=5_000_000)
    assert read_metadata_member(remote(data, log), name="app", place="u") == b"Name: app\n"
    assert len(log) == 1


def test_metadata_of_the_right_distribution() -> None:
    data = archive(
        ("app/vendored/other-2.dist-info/METADATA", b"no"),
        ("other-2.dist-info/METADATA", b"no"),
        ("My_App-1.dist-info/METADATA", b"yes"),
    )
    assert read_metadata_member(io.BytesIO(data), name="my-app", place="u") == b"yes"


@pytest.mark.parametrize(
    "data", [b"", b"not a wheel", archive(("a.txt", b"")), archive(("app-1.dist-info/METADATA", b"x"))[:-30]]
)
def test_no_wheel_is_an_error(data: bytes) -> None:
    with pytest.raises(FetchError) as caught:
        read_metadata_member(io.BytesIO(data), name="app", place="https://u:secret@files.invalid/app.whl")
    assert caught.value.place == "https://***@files.invalid/app.whl"


def test_metadata_of_another_distribution_is_refused() -> None:
    with pytest.raises(FetchError, match="its metadata is of 'evil', not of 'app'"):
        parse_metadata(b"Name: evil\nVersion: 1\n", name="app", size=1, place="u")


def test_facts(request: Any) -> None:
    text = b"Metadata-Version: 2.4\nName: My.App\nVersion: 1.0\nRequires-Dist: b\nRequires-Dist: c; extra=='X_y'\n"
    facts = parse_metadata(text + b"Provides-Extra: X_y\n\nbody\n", name="my-app", size=9, place="u")
    assert facts.requires == ("b", "c; extra=='X_y'")
    assert facts.extras == ("x-y",)
    assert facts.size == 9
    assert facts.license == LicenseStatement()


def test_the_licence_statement_is_kept_word_for_word() -> None:
    text = b"Metadata-Version: 2.4\nName: app\nVersion: 1\nLicense: MIT\nClassifier: Topic :: X\n"
    text += b"Classifier: License :: OSI Approved :: MIT License\nLicense-Expression: MIT OR ISC\n\n"
    facts = parse_metadata(text, name="app", size=9, place="u")
    assert facts.license == LicenseStatement(
        expression="MIT OR ISC", text="MIT", classifiers=("License :: OSI Approved :: MIT License",)
    )
