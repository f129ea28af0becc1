"""Foreign tars: each file of `faults/` is named after its fault, and `expect.txt` has its message.

Every program part that reads tars gets every one of them. Reading is bounded by counting: a reader that
goes on for ever asks for more blocks than any of these files has.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.errors import BuilderError
from builder.git.heritage import _take_objects
from builder.index.sdist import read_sdist
from builder.oci import open_images, read_tree
from builder.pin.image import LayeredFiles
from builder.reproduce.difference import members as explained_members
from builder.rootfs.deb import LockedDeb, read_control, read_deb
from builder.tars import TarBounds, UnreadableError, open_unpacked, read_contents, read_tar
from builder.tars.packing import PackedStream
from tests.rootfs.tiny_debs import archive as ar_archive
from tests.rootfs.tiny_debs import member as deb_member
from tests.rootfs.tiny_debs import tar as deb_tar

FAULTS = Path(__file__).parent / "faults"
EXPECTED = dict(line.split(": ", 1) for line in (FAULTS / "expect.txt").read_text("utf-8").splitlines())
MOST_READS = 20_000


class CountedFile(io.BytesIO):
    """A file that ends a reader which never ends itself."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        assert self.reads < MOST_READS, "it reads for ever"
        return super().read(size)


def read_all(data: bytes, bounds: TarBounds | None = None) -> list[tuple[str, bytes]]:
    with open_unpacked(CountedFile(data)) as stream:
        return [(member.name, content.read()) for member, content in read_tar(stream, bounds)]


def test_every_fault_has_a_message_and_every_message_a_fault() -> None:
    assert {path.stem for path in FAULTS.glob("*.tar")} == EXPECTED.keys()


@pytest.mark.parametrize("fault", EXPECTED)
def test_a_damaged_tar_is_named_whatever_is_wrong_with_it(fault: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_all((FAULTS / f"{fault}.tar").read_bytes())
    assert str(caught.value) == EXPECTED[fault]


def _as_sdist(data: bytes, folder: Path) -> None:
    read_sdist("a-1.tar.gz", data)


def _deb(folder: Path, control: bytes, data: bytes) -> LockedDeb:
    extensions = {b"\x1f\x8b": ".gz", b"BZ": ".bz2", b"\xfd7": ".xz", b"\x28\xb5": ".zst"}
    path = folder / "p.deb"
    parts = [("debian-binary", b"2.0\n")]
    parts += [
        (f"{name}.tar{extensions.get(part[:2], '')}", part)
        for name, part in (("control", control), ("data", data))
    ]
    path.write_bytes(ar_archive(parts))
    return LockedDeb(name="p", version="1.0", arch="amd64", path=path)


CONTROL = deb_tar([deb_member("./control", b"Package: p\nVersion: 1.0\nArchitecture: amd64\n")])


def _as_deb(data: bytes, folder: Path) -> None:
    read_deb(_deb(folder, CONTROL, data), io.BytesIO())


def _as_control(data: bytes, folder: Path) -> None:
    read_control(_deb(folder, data, deb_tar([])))


def _as_pinned_layer(data: bytes, folder: Path) -> None:
    LayeredFiles(lambda path: path == "b", frozenset()).apply(io.BytesIO(data), place="layer")


def _as_heritage(data: bytes, folder: Path) -> None:
    _take_objects(io.BytesIO(data), folder / "repository.git", place="vault")


def _as_archive(data: bytes, folder: Path) -> None:
    (folder / "a").write_bytes(data)
    read_contents(folder / "a")


def _as_image(data: bytes, folder: Path) -> None:
    with contextlib.suppress(OSError, EOFError):  # a saved image is not packed
        data = gzip.decompress(data)
    (folder / "image.tar").write_bytes(data)
    with open_images(folder / "image.tar") as images:
        images.images()


def _as_layer(data: bytes, folder: Path) -> None:
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def blob(content: bytes) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"mediaType": "x", "digest": f"sha256:{digest}", "size": len(content)}

    layer = blob(data)
    config = blob(json.dumps({"os": "linux", "rootfs": {"diff_ids": [layer["digest"]]}}).encode())
    manifest = blob(json.dumps({"schemaVersion": 2, "config": config, "layers": [layer]}).encode())
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    with open_images(folder) as images:
        read_tree(images, images.images()[0])


READERS = [
    *(_as_sdist, _as_deb, _as_control, _as_pinned_layer, _as_heritage, _as_archive, _as_image, _as_layer),
]


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__.removeprefix("_as_"))
@pytest.mark.parametrize("fault", EXPECTED)
def test_every_reader_of_tars_says_it(
    fault: str, reader: Callable[[bytes, Path], None], tmp_path: Path
) -> None:
    with pytest.raises((BuilderError, UnreadableError)) as caught:
        reader((FAULTS / f"{fault}.tar").read_bytes(), tmp_path)
    packed_alone = reader is _as_image and fault.startswith(("gzip", "bzip2", "xz", "zstd"))
    assert packed_alone or EXPECTED[fault] in str(caught.value)


def test_what_compares_two_builds_takes_it_for_other_bytes() -> None:
    for fault in EXPECTED:
        data = (FAULTS / f"{fault}.tar").read_bytes()
        found = explained_members(data)
        assert data[257:262] != b"ustar" or found is None, fault


NAMES = st.text("abcé/", min_size=1, max_size=300).map(lambda text: text.strip("/") or "a")
SMALL = st.integers(0, 2**21 - 1)


@settings(max_examples=200)
@given(
    form=st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    rows=st.lists(
        st.tuples(NAMES, st.sampled_from([b"0", b"1", b"2", b"5", b"3", b"6"]), SMALL, SMALL, st.binary()),
        max_size=4,
    ),
    time=st.integers(0, 2**33 - 1),
)
def test_sound_tars_are_read_as_python_reads_them(
    form: int, rows: list[tuple[str, bytes, int, int, bytes]], time: int
) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, flag, uid, gid, data in rows:
            info = tarfile.TarInfo(name)
            info.type, info.uid, info.gid, info.mtime = flag, uid, gid, time
            info.linkname = name if flag in (b"1", b"2") else ""
            info.uname, info.size = "wer", len(data) if flag == b"0" else 0
            try:
                archive.addfile(info, io.BytesIO(data) if flag == b"0" else None)
            except ValueError:
                return  # ustar cannot say it
    with tarfile.open(fileobj=io.BytesIO(out.getvalue())) as theirs:
        expected = []
        for info in theirs:
            stream = theirs.extractfile(info) if info.isreg() else None
            content = stream.read() if stream is not None else b""
            numbers = (info.uid, info.gid, info.mode, Decimal(info.mtime))
            expected.append((info.name, *numbers, info.linkname, info.uname, content))
    with open_unpacked(io.BytesIO(out.getvalue())) as stream_:
        found = [
            (m.name, m.uid, m.gid, m.mode, m.mtime, m.link_name, m.user, content.read())
            for m, content in read_tar(stream_)
        ]
    assert found == expected


def _tar(*sizes: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for number, size in enumerate(sizes):
            info = tarfile.TarInfo(f"m{number}")
            info.size = size
            archive.addfile(info, io.BytesIO(bytes(size)))
    return out.getvalue()


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        (TarBounds(members=2), "has more than 2 members"),
        (TarBounds(unpacked=2000), "unpacks to more than 2000 bytes"),
        (TarBounds(names=5), "has more than 5 bytes of names"),
    ],
    ids=["members", "unpacked", "names"],
)
def test_an_archive_beyond_a_bound_is_refused(bounds: TarBounds, message: str) -> None:
    with pytest.raises(UnreadableError, match=message):
        read_all(_tar(10, 600, 10), bounds)
    read_all(_tar(10, 10), TarBounds(members=2, unpacked=2560, names=4))


def test_content_that_nobody_reads_is_passed_by_whether_the_file_seeks_or_not() -> None:
    data = _tar(3, 3 * 2**20 + 1, 5)
    for stream in (io.BytesIO(data), PackedStream(io.BytesIO(data))):
        found = [(member.name, member.size, member.offset) for member, _ in read_tar(stream)]
        assert found == [("m0", 3, 512), ("m1", 3 * 2**20 + 1, 1536), ("m2", 5, 3148288)]


def test_what_follows_the_first_block_of_zeros_is_not_read() -> None:
    data = _tar(3)
    assert read_all(data + _tar(4)) == read_all(data)
