from __future__ import annotations

import io
import tarfile

from builder.tars.ustar import END, Member, entry_header, header, padding


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
