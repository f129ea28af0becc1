from __future__ import annotations

import io
import tarfile
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import FetchError
from builder.tars.ustar import BLOCK, END, Member, entry_header, header, padding


def read_back(*members: Member) -> list[tarfile.TarInfo]:
    data = b"".join(header(member) + bytes(member.size) + padding(member.size) for member in members) + END
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return archive.getmembers()


def test_plain_header_is_one_block_equal_to_pythons() -> None:
    ours = header(Member(path=b"a/b", kind="file", mode=0o644, mtime=7, size=3))
    info = tarfile.TarInfo("a/b")
    info.size, info.mtime = 3, 7
    theirs = info.tobuf(tarfile.USTAR_FORMAT)
    assert len(ours) == BLOCK
    same = (
        slice(0, 329),
        slice(345, 512),
    )  # between them are device numbers, which python leaves out for files
    assert ours[329:345] == b"0000000\x000000000\x00"
    assert theirs[329:345] in (bytes(16), ours[329:345])
    if theirs[329:345] == ours[329:345]:
        assert ours == theirs
    assert [ours[part] for part in same][1] == [theirs[part] for part in same][1]
    assert ours[:148] == theirs[:148]


def test_bytes_are_fixed() -> None:
    ours = header(Member(path=b"d", kind="directory", mode=0o755, mtime=0))
    assert ours[:2] == b"d/"
    assert ours[100:136] == b"0000755\x000000000\x000000000\x0000000000000\x00"
    assert ours[136:157] == b"00000000000\x00" + ours[148:156] + b"5"
    assert ours[257:265] == b"ustar\x0000"
    assert int(ours[148:154], 8) == sum(ours[:148]) + sum(ours[156:]) + 8 * 32


@pytest.mark.parametrize("length", [99, 100, 101, 155, 200, 255, 256, 257, 300])
@pytest.mark.parametrize("kind", ["file", "directory"])
def test_long_paths(length: int, kind: Literal["file", "directory"]) -> None:
    path = "/".join(["x" * 49] * 7)[:length].rstrip("/")
    (info,) = read_back(Member(path=path.encode(), kind=kind, mode=0o644, mtime=0))
    assert info.name == path
    assert info.isdir() == (kind == "directory")


def test_pax_only_where_needed() -> None:
    def blocks(path: str, target: str = "") -> int:
        kind: Literal["link", "file"] = "link" if target else "file"
        member = Member(path=path.encode(), kind=kind, mode=0o644, mtime=0, target=target.encode())
        (info,) = read_back(member)
        assert (info.name, info.linkname) == (path, target)
        return len(header(member)) // BLOCK

    assert blocks("x" * 100) == 1
    assert blocks("x" * 101) == 3
    assert blocks("p" * 155 + "/" + "x" * 100) == 1
    assert blocks("p" * 156 + "/" + "x" * 100) == 3
    assert blocks("ä") == 3
    assert blocks("a", "t" * 100) == 1
    assert blocks("a", "t" * 101) == 3
    assert blocks("a", "ü") == 3


def test_size_beyond_octal() -> None:
    size = 9 * 2**30
    blocks = header(Member(path=b"a", kind="file", mode=0o644, mtime=0, size=size))
    assert b"19 size=9663676416\n" in blocks
    assert tarfile.TarInfo.frombuf(blocks[-BLOCK:], "utf-8", "strict").size == 0


@pytest.mark.parametrize("mtime", [-1, 8**11])
def test_impossible_time(mtime: int) -> None:
    with pytest.raises(FetchError, match=f"time {mtime} is outside"):
        header(Member(path=b"a", kind="file", mode=0o644, mtime=mtime))


_WORD = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/"), min_size=1, max_size=120
)


@given(st.lists(_WORD, min_size=1, max_size=6).map("/".join), st.integers(0, 8**11 - 1), st.integers(0, 1000))
def test_python_reads_what_was_written(path: str, mtime: int, size: int) -> None:
    (info,) = read_back(Member(path=path.encode(), kind="file", mode=0o755, mtime=mtime, size=size))
    assert (info.name, info.mtime, info.size, info.mode) == (path, mtime, size, 0o755)
    assert (info.uid, info.gid, info.uname, info.gname) == (0, 0, "", "")


def read(data: bytes) -> tarfile.TarInfo:
    with tarfile.open(fileobj=io.BytesIO(data + END)) as archive:
        (info,) = archive.getmembers()
    return info


def test_owners_are_numbers_and_the_checksum_holds() -> None:
    member = Member(path=b"etc/shadow", kind="file", mode=0o640, mtime=7, size=3)
    info = read(entry_header(member, uid=65534, gid=42) + b"abc" + padding(3))
    assert (info.uid, info.gid, info.uname, info.gname) == (65534, 42, "", "")
    assert (info.name, info.mode, info.mtime, info.size) == ("etc/shadow", 0o640, 7, 3)


def test_without_owner_it_is_a_plain_header() -> None:
    member = Member(path=b"etc", kind="directory", mode=0o755, mtime=7)
    assert entry_header(member) == header(member)


def test_a_hard_link_names_its_file_however_long() -> None:
    target = b"usr/" + b"long/" * 60 + "é".encode()
    info = read(
        entry_header(
            Member(path=b"b" * 200, kind="link", mode=0o755, mtime=7, target=target), gid=5, hard=True
        )
    )
    assert info.islnk()
    assert (info.name, info.linkname.encode(), info.gid, info.size) == ("b" * 200, target, 5, 0)
