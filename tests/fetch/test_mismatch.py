"""What differs between two archives: packing, metadata, contents, and which files."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from builder.errors import UsageError
from builder.fetch.mismatch import Difference, DifferenceKind, KnownFiles, difference
from builder.store.store import Store
from tests.fetch.archives_made import FILES, packed, tar, wheel

PACKINGS = ["", "gz", "bz2", "xz", "zst"]
EDITED = FILES | {"ucx-1.0/src/b.c": b"int evil;\n"}
MOVED = {"ucx-1.0/configure": FILES["ucx-1.0/configure"], "ucx-1.0/src/c.c": FILES["ucx-1.0/src/b.c"]}
SHUFFLED = dict(reversed(FILES.items()))


def compared(tmp_path: Path, first: bytes, second: bytes) -> Difference:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(first)
    two.write_bytes(second)
    return difference(one, two)


@pytest.fixture(params=PACKINGS)
def packing(request: pytest.FixtureRequest) -> str:
    if request.param == "zst" and not (shutil.which("zstd") and shutil.which("unzstd")):
        pytest.skip("zstd is not installed")
    return str(request.param)


@pytest.mark.parametrize("other", ["gz", "bz2", "xz"])
def test_another_packing(tmp_path: Path, packing: str, other: str) -> None:
    found = compared(tmp_path, packed(tar(), packing), packed(tar(), other, level=1))
    kind = DifferenceKind.COMPRESSION
    assert found.kind is kind
    assert found.files == ()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"time": 2}, "time"),
        ({"owner": 1000}, "owner"),
        ({"mode": 0o755}, "mode"),
        ({"files": SHUFFLED}, "order"),
        ({"time": 2, "owner": 7, "files": SHUFFLED}, "time, owner, order"),
    ],
)
def test_only_metadata(tmp_path: Path, packing: str, more: dict[str, int], words: str) -> None:
    found = compared(tmp_path, packed(tar(), packing), packed(tar(**more), packing))  # type: ignore[arg-type]
    assert (found.kind, found.detail) == (DifferenceKind.METADATA, words)
    if words != "order":
        assert found.files[0].startswith("~ ucx-1.0/configure: ")


def test_contents_and_the_files(tmp_path: Path, packing: str) -> None:
    found = compared(tmp_path, packed(tar(), packing), packed(tar(EDITED, time=9), packing))
    assert found == Difference(kind=DifferenceKind.CONTENTS, detail="1 file", files=("~ ucx-1.0/src/b.c",))
    found = compared(tmp_path, packed(tar(), packing), packed(tar(MOVED), packing))
    assert found.files == ("- ucx-1.0/src/a.c", "- ucx-1.0/src/b.c", "+ ucx-1.0/src/c.c")


def test_where_a_link_leads_is_contents(tmp_path: Path) -> None:
    found = compared(tmp_path, tar(link="src/a.c"), tar(link="/etc/passwd"))
    assert found.files == ("~ ucx-1.0/link",)


def test_the_archives_own_format(tmp_path: Path) -> None:
    found = compared(tmp_path, tar(), tar() + bytes(10240))
    assert (found.kind, found.detail) == (DifferenceKind.METADATA, "the archive's own format")


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        (wheel(level=1), DifferenceKind.COMPRESSION),
        (wheel(stored=True), DifferenceKind.COMPRESSION),
        (wheel(year=2021), DifferenceKind.METADATA),
        (wheel(SHUFFLED), DifferenceKind.METADATA),
        (wheel(EDITED), DifferenceKind.CONTENTS),
        (wheel(EDITED, level=1, year=2021), DifferenceKind.CONTENTS),
        (wheel(), DifferenceKind.NOTHING),
    ],
    ids=["level", "stored", "time", "order", "edited", "edited-and-more", "same"],
)
def test_wheels(tmp_path: Path, other: bytes, kind: DifferenceKind) -> None:
    assert compared(tmp_path, wheel(), other).kind is kind


@pytest.mark.parametrize(
    "damaged",
    [b"<html>not found</html>", packed(tar(), "gz")[:90], wheel()[:200], b""],
    ids=["page", "gz", "zip", "empty"],
)
def test_no_archives(tmp_path: Path, damaged: bytes) -> None:
    found = compared(tmp_path, packed(tar(), "gz"), damaged)
    assert found.kind is DifferenceKind.BYTES
    assert "from byte" in found.detail


def test_many_files_and_names_that_are_no_text(tmp_path: Path) -> None:
    names = {f"a/{number:03}": b"x" for number in range(50)} | {"a/\x1b[31mred\n": b"x"}
    found = compared(tmp_path, tar(names), tar(dict.fromkeys(names, b"y")))
    text = found.text()
    assert "\x1b" not in text
    assert "and 31 more" in text
    assert len(text.splitlines()) == 23


def test_known_files(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    held = store.add_bytes(b"held")
    folder = tmp_path / "folder" / "deep"
    folder.mkdir(parents=True)
    (folder / "loose").write_bytes(b"loose")
    loose = hashlib.sha256(b"loose").hexdigest()
    known = KnownFiles((store.root, tmp_path / "folder"))
    assert known.find(held) == store.path(held)
    assert known.find(loose) == folder / "loose"
    assert known.find("0" * 64) is None
    store.path(held).chmod(0o644)
    store.path(held).write_bytes(b"hurt")
    assert known.find(held) is None, "damaged bytes explain nothing"
    with pytest.raises(UsageError, match="no such file"):
        KnownFiles((tmp_path / "missing",))
