"""`bundle` and its import, over real files: whole, damaged, hostile, and killed."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.bundle.bundle import MANIFEST
from builder.bundle.contents import contents, dump_bundle, parse_bundle
from builder.commands import bundle
from builder.errors import BuilderError, DigestMismatchError, FetchError, LockError, UsageError
from builder.fetch.needed_files import needs
from builder.lockfile.reading import load_lock
from builder.origins.origins import Origin, Origins
from builder.selection import Selection
from tests.commands.stocked import Stock, make_stock

ALL = Selection(releases=("all",))
COMMITTED = sorted((Path(__file__).parents[2] / "lock").glob("*/*/*.toml"))


@pytest.fixture
def stock(tmp_path: Path) -> Stock:
    return make_stock(tmp_path / "here")


@pytest.fixture
def there(stock: Stock, tmp_path: Path) -> Stock:
    return stock.elsewhere(tmp_path / "there")


@pytest.fixture
def made(stock: Stock, tmp_path: Path) -> Path:
    return make(stock, tmp_path / "made.tar")


def make(stock: Stock, file: Path, *, apt: bool = False) -> Path:
    assert bundle.export_bundle(stock.project, bundle.Options(selection=ALL, output=file, apt=apt)) == 0
    return file


def take(stock: Stock, file: Path, sha256: str = "") -> int:
    return bundle.import_bundle(stock.project, bundle.ImportOptions(file=file, sha256=sha256))


def seen(stock: Stock) -> list[str]:
    """Everything that others could see: files of the store, locks, and what lies about."""
    return sorted(
        path.relative_to(stock.project.root).as_posix()
        for path in stock.project.root.rglob("*")
        if path.is_file() and path.name != "import.lock"
    )


def sha256_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_other_side_has_the_same_files_and_locks(stock: Stock, there: Stock, made: Path) -> None:
    assert take(there, made, sha256_of(made)) == 0
    wanted = contents(stock.locks, stock.store.read, apt=False)
    assert list(there.store.digests()) == [content.sha256 for content in wanted]
    for digest in there.store.digests():
        there.store.verify(digest)
    for lock in stock.locks:
        text = (there.project.locks / lock.target.path).read_bytes()
        assert load_lock(text, place="there") == lock
    assert take(there, made) == 0, "a second time changes nothing"
    assert f"sha256:{sha256_of(made)}  {made}\n" in stock.out.getvalue()
    assert made.with_name("made.tar.sha256").read_text() == f"{sha256_of(made)}  made.tar\n"


def test_the_same_locks_and_store_make_the_same_bytes(
    stock: Stock, there: Stock, made: Path, tmp_path: Path
) -> None:
    take(there, made)
    old = os.umask(0o077)
    try:
        again = make(there, tmp_path / "elsewhere" / "again.tar")
    finally:
        os.umask(old)
    assert again.read_bytes() == made.read_bytes()


def test_any_tar_program_can_list_it(made: Path) -> None:
    with tarfile.open(made) as archive:
        members = archive.getmembers()
        data = archive.extractfile(MANIFEST)
        assert data is not None
        told = parse_bundle(data.read(), place=MANIFEST)
    assert all(m.isfile() and (m.mode, m.uid, m.gid, m.mtime) == (0o644, 0, 0, 0) for m in members)
    names = [member.name for member in members]
    assert names[0] == MANIFEST
    assert names[1:3] == [f"lock/{lock.path}" for lock in told.locks]
    assert names[3:] == sorted(f"sha256/{row.sha256[:2]}/{row.sha256[2:]}" for row in told.files)
    kinds = {row.kind.value for row in told.files}
    assert {"wheel", "archive", "source", "os-package", "image"} <= kinds
    shared = [row for row in told.files if len(row.rows) > 1]
    assert shared, "what both architectures need is there once, and names both"


def test_with_apt_it_also_holds_the_package_lists(stock: Stock, there: Stock, tmp_path: Path) -> None:
    file = make(stock, tmp_path / "apt.tar", apt=True)
    take(there, file)
    for lock in stock.locks:
        for repository in lock.repositories:
            assert there.store.has(str(repository.inrelease))
            assert all(map(there.store.has, repository.indexes))


@pytest.mark.parametrize("lock", COMMITTED, ids=lambda path: "/".join(path.parts[-3:]))
def test_a_bundle_holds_what_the_store_form_needs(lock: Path) -> None:
    read = load_lock(lock.read_bytes(), place=lock.name)
    images = b'{"config": {"digest": "sha256:%064d", "size": 1}, "layers": []}' % 0
    held = {content.sha256 for content in contents([read], lambda _: images, apt=False)}
    published = {image.digest.removeprefix("sha256:") for image in read.images if image.digest}
    origins = [Origin(name=n, url="https://x.invalid/", layout="pool") for n in ("debian", "debian-security")]
    wanted = needs([read], Origins(origins=tuple(origins)), everything=True)
    assert held - published - {f"{0:064d}"} == set(wanted.digests())


def test_a_damaged_store_makes_no_bundle(stock: Stock, tmp_path: Path) -> None:
    path = stock.store.path(stock.locks[0].sources[0].sha256)
    path.chmod(0o644)
    stored = path.stat().st_mtime_ns
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    os.utime(path, ns=(stored, stored))  # a touched file would be fetched again: the disk itself went bad
    with pytest.raises(DigestMismatchError, match="the store is damaged"):
        make(stock, tmp_path / "out" / "made.tar")
    assert not list((tmp_path / "out").iterdir())


def test_an_import_repairs_a_damaged_store(there: Stock, made: Path) -> None:
    take(there, made)
    digest = next(iter(there.store.digests()))
    path = there.store.path(digest)
    path.chmod(0o644)
    path.write_bytes(b"?" * path.stat().st_size)
    take(there, made)
    there.store.verify(digest)


def test_another_lock_of_the_same_name_is_not_replaced(stock: Stock, there: Stock, made: Path) -> None:
    mine = there.project.locks / stock.locks[0].target.path
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine\n")
    with pytest.raises(LockError, match="differs from the lock in the bundle"):
        take(there, made)
    assert mine.read_bytes() == b"mine\n"
    assert not list(there.store.digests())


def test_a_missing_bundle_is_a_wrong_argument(there: Stock, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        take(there, tmp_path / "nowhere.tar")


Change = Callable[[bytes], bytes]


def cut(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def cut_at_the_end(data: bytes) -> bytes:
    return data[:-512]


def more(data: bytes) -> bytes:
    return data + b"\0"


def flipped_content(data: bytes) -> bytes:
    at = data.rindex(b"content of ")
    return data[:at] + b"k" + data[at + 1 :]


def flipped_padding(data: bytes) -> bytes:
    return data[: -1024 - 1] + b"x" + data[-1024:]


def link(data: bytes) -> bytes:
    """Make the last member a symbolic link."""
    return changed_header(data, lambda info: setattr(info, "type", tarfile.SYMTYPE))


def outside(data: bytes) -> bytes:
    return changed_header(data, lambda info: setattr(info, "name", "../../etc/passwd"))


def absolute(data: bytes) -> bytes:
    return changed_header(data, lambda info: setattr(info, "name", "/etc/passwd"))


def executable(data: bytes) -> bytes:
    return changed_header(data, lambda info: setattr(info, "mode", 0o4755))


def changed_header(data: bytes, change: Callable[[tarfile.TarInfo], None]) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        info = archive.getmembers()[-1]
    at = info.offset
    change(info)
    return data[:at] + info.tobuf(tarfile.USTAR_FORMAT) + data[at + 512 :]


def members_of(data: bytes) -> list[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return [(info.name, archive.extractfile(info).read()) for info in archive]  # type: ignore[union-attr]


def tar_of(members: list[tuple[str, bytes]]) -> bytes:
    from builder.tars.ustar import END, Member, header, padding  # noqa: PLC0415

    parts = []
    for name, data in members:
        parts += [header(Member(path=name.encode(), kind="file", mode=0o644, mtime=0, size=len(data)))]
        parts += [data, padding(len(data))]
    return b"".join(parts) + END


def duplicate(data: bytes) -> bytes:
    members = members_of(data)
    return tar_of([*members, members[-1]])


def missing_member(data: bytes) -> bytes:
    return tar_of(members_of(data)[:-1])


def out_of_order(data: bytes) -> bytes:
    first, second, third, *rest = members_of(data)
    return tar_of([first, third, second, *rest])


def not_listed_first(data: bytes) -> bytes:
    first, *rest = members_of(data)
    return tar_of([*rest, first])


def extra(data: bytes) -> bytes:
    """Add a file that the table lists and no lock needs."""
    (name, text), *rest = members_of(data)
    told = parse_bundle(text, place=name)
    own = b"echo hello\n"
    digest = hashlib.sha256(own).hexdigest()
    row = dataclasses.replace(told.files[0], sha256=type(told.files[0].sha256)(digest), size=len(own))
    files = tuple(sorted((*told.files, row), key=lambda file: file.sha256))
    members = [*rest, (f"sha256/{digest[:2]}/{digest[2:]}", own)]
    return tar_of([(name, dump_bundle(dataclasses.replace(told, files=files))), *sorted(members)])


def lacking(data: bytes) -> bytes:
    """Leave out a file, in the table too."""
    (name, text), *rest = members_of(data)
    told = parse_bundle(text, place=name)
    return tar_of([(name, dump_bundle(dataclasses.replace(told, files=told.files[:-1]))), *rest[:-1]])


def wrong_place(data: bytes) -> bytes:
    """Carry a lock under a path that leaves the lock folder."""
    (name, text), (_, lock), *rest = members_of(data)
    told = parse_bundle(text, place=name)
    path = "../../x.toml"
    moved = (dataclasses.replace(told.locks[0], path=path), *told.locks[1:])
    return tar_of(
        [(name, dump_bundle(dataclasses.replace(told, locks=moved))), (f"lock/{path}", lock), *rest]
    )


def newer(data: bytes) -> bytes:
    (name, text), *rest = members_of(data)
    return tar_of([(name, text.replace(b"format = 1\n", b"format = 2\n")), *rest])


def unknown_key(data: bytes) -> bytes:
    (name, text), *rest = members_of(data)
    return tar_of([(name, b"colour = 3\n" + text), *rest])


def without_locks(data: bytes) -> bytes:
    """A whole, canonical bundle of nothing."""
    (name, text), *_ = members_of(data)
    return tar_of(
        [(name, dump_bundle(dataclasses.replace(parse_bundle(text, place=name), locks=(), files=())))]
    )


def empty(_: bytes) -> bytes:
    return b""


def noise(data: bytes) -> bytes:
    return os.urandom(len(data))


FAULTS: list[tuple[Change, type[BuilderError], str]] = [
    (cut, FetchError, "is cut off"),
    (cut_at_the_end, FetchError, "is cut off"),
    (more, FetchError, "continues after its end"),
    (flipped_content, DigestMismatchError, "expected "),
    (flipped_padding, FetchError, "has unexpected bytes between its members"),
    (link, FetchError, "has another member"),
    (outside, FetchError, "has another member"),
    (absolute, FetchError, "has another member"),
    (executable, FetchError, "has another member"),
    (duplicate, FetchError, "has unexpected bytes between its members"),
    (missing_member, FetchError, "has another member"),
    (out_of_order, FetchError, "has another member"),
    (not_listed_first, FetchError, "does not begin with manifest.toml"),
    (extra, FetchError, "which none of its locks needs"),
    (lacking, FetchError, "lacks "),
    (wrong_place, LockError, "it is the lock of "),
    (newer, FetchError, "format 2 is newer"),
    (unknown_key, FetchError, "unknown key"),
    (empty, FetchError, "is cut off"),
    (without_locks, FetchError, "holds no lock"),
    (noise, FetchError, "is not a bundle"),
]


@pytest.mark.parametrize(
    ("change", "error", "text"), FAULTS, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_faulty_bundle_leaves_nothing(
    change: Change, error: type[BuilderError], text: str, there: Stock, made: Path
) -> None:
    made.write_bytes(change(made.read_bytes()))
    with pytest.raises(error, match=text):
        take(there, made)
    assert seen(there) == []


def test_a_bundle_of_another_digest_is_refused(there: Stock, made: Path) -> None:
    with pytest.raises(DigestMismatchError, match="expected sha256 0000"):
        take(there, made, "0" * 64)
    assert seen(there) == []


KILLED = """
import sys
from pathlib import Path
from builder.commands import bundle
from tests.commands.stocked import stock_of
from builder.origins import Origins
stock = stock_of(Path(sys.argv[1]), Origins(), ())
bundle.import_bundle(stock.project, bundle.ImportOptions(file=bundle.STANDARD_INPUT))
"""


@pytest.mark.parametrize("part", [0.6, 0.8, 1.0])
def test_a_killed_import_leaves_a_correct_store(there: Stock, made: Path, part: float) -> None:
    data = made.read_bytes()
    argv = [sys.executable, "-c", KILLED, str(there.project.root)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=root) as process:
        assert process.stdin is not None
        process.stdin.write(data[: int(len(data) * part) - 1])
        process.stdin.flush()
        while process.poll() is None and not list(there.store.root.glob("tmp/import-*/*")):
            time.sleep(0.02)
        assert process.poll() is None, "it waits for the rest"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdin.close()
    assert list(there.store.digests()) == []
    take(there, made)
    assert [name for name in seen(there) if name.startswith("store/tmp/")] == [], "the rest is cleared away"
    for digest in there.store.digests():
        there.store.verify(digest)


def test_the_result_as_json(stock: Stock, tmp_path: Path) -> None:
    file = tmp_path / "made.tar"
    bundle.export_bundle(stock.project, bundle.Options(selection=ALL, output=file, json=True))
    told = json.loads(stock.out.getvalue())
    assert told["sha256"] == sha256_of(file)
    assert told["locks"] == sorted(lock.target.path for lock in stock.locks)
