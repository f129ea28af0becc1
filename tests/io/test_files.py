from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from builder.errors import RecipeError, UsageError
from builder.io.files import locked, read_bytes, read_text, remove, replacing, write_atomic


def test_read_text_keeps_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes("é\r\n".encode())
    assert read_text(file) == "é\r\n"
    assert read_bytes(file) == b"\xc3\xa9\r\n"


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_bytes(tmp_path / "none")
    assert str(caught.value) == f"{tmp_path}/none: cannot be read: No such file or directory"


def test_the_caller_chooses_the_error(tmp_path: Path) -> None:
    file = tmp_path / "ucx.toml"
    file.write_bytes(b"abc\xff")
    with pytest.raises(RecipeError) as caught:
        read_text(file, error=RecipeError)
    assert str(caught.value) == f"{file}: is not UTF-8: byte 0xff at offset 3"
    assert caught.value.hint == "save the file as UTF-8"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_mode_is_0644_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    old = os.umask(umask)
    try:
        assert write_atomic(tmp_path / "x" / "y" / "lock", b"1")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "x/y/lock").stat().st_mode) == 0o644


def test_equal_content_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    assert write_atomic(file, b"one")
    before = file.stat()
    assert not write_atomic(file, b"one")
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert write_atomic(file, b"two")
    assert file.read_bytes() == b"two"


@pytest.mark.parametrize("failing", ["fsync", "fchmod"])
@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, fault: BaseException
) -> None:
    file = tmp_path / "lock"
    write_atomic(file, b"old")

    def fail(*_: object) -> None:
        raise fault

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises((UsageError, KeyboardInterrupt)):
        write_atomic(file, b"new and longer")
    assert [entry.name for entry in tmp_path.iterdir()] == ["lock"]
    assert file.read_bytes() == b"old"


def test_directory_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(UsageError, match="lock: cannot be written: Is a directory"):
        write_atomic(tmp_path / "lock", b"x")
    assert list(tmp_path.iterdir()) == [tmp_path / "lock"]


def test_file_in_place_of_a_parent(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(UsageError, match="cannot be written"):
        write_atomic(tmp_path / "a" / "b", b"x")


def test_readers_see_old_or_new_only(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    contents = (b"a" * 200_000, b"b" * 200_001)
    write_atomic(file, contents[0])
    done = threading.Event()
    seen: set[bytes] = set()

    def read() -> None:
        while not done.is_set():
            seen.add(file.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(30):
        write_atomic(file, contents[number % 2])
    done.set()
    reader.join()
    assert seen <= set(contents)


def test_remove(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"")
    assert remove(file)
    assert not remove(file)
    with pytest.raises(UsageError, match="cannot be deleted"):
        remove(tmp_path)


_HOLDER = """
import sys
from pathlib import Path
from builder.io.files import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_lock_excludes_another_process(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "store.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    order: list[str] = []

    def release() -> None:
        order.append("waiting")
        holder.communicate("\n")

    with locked(path, on_wait=release):
        order.append("mine")
    assert order == ["waiting", "mine"]
    with locked(path, on_wait=lambda: order.append("again")):
        pass
    assert order == ["waiting", "mine"]


def test_lock_is_released_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="body"), locked(tmp_path / "l"):
        raise ValueError("body")
    with locked(tmp_path / "l", on_wait=lambda: pytest.fail("still held")):
        pass


ROOT = Path(__file__).parents[2]
KILLED = """
import os, signal, sys
from pathlib import Path
from builder.io import replacing
with replacing(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_is_swept_by_the_next_write_and_ignored_by_git(tmp_path: Path) -> None:
    target = tmp_path / "tiny-x86_64.toml"
    done = subprocess.run([sys.executable, "-c", KILLED, str(target)], check=False, cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.match(".tiny-x86_64.toml.*.tmp")
    asked = ["git", "-C", str(ROOT), "check-ignore", f"lock/1.4.2/{left.name}"]
    assert subprocess.run(asked, check=False, capture_output=True).returncode == 0
    os.utime(left, (0, 0))
    with replacing(tmp_path / "other.toml") as living:
        (held,) = tmp_path.glob(".other.toml.*.tmp")
        os.utime(held, (0, 0))
        write_atomic(target, b"whole")
        living.write(b"lives")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.toml", "tiny-x86_64.toml"]
    assert (tmp_path / "other.toml").read_bytes() == b"lives"
