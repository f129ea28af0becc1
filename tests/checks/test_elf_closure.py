"""The program that closes an image over its shared libraries, on images of a few small ELF files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.checks.elf_files import AARCH64, elf, linker_cache, write

PROGRAM = Path(__file__).resolve().parents[2] / "recipes/checks/elf_closure.py"
GOOD = "no unresolved library outside the driver's list"


def closure(root: Path, *words: str) -> tuple[int, str]:
    """Run the program on an image, as a check does."""
    done = subprocess.run(
        [sys.executable, "-I", str(PROGRAM), f"--root={root}", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an image: a C library, a component below /opt, a wheel with a library of its own."""
    write(tmp_path, "/usr/lib/x86_64-linux-gnu/libc.so.6", elf(soname="libc.so.6"))
    (tmp_path / "lib").symlink_to("usr/lib")
    write(tmp_path, "/opt/ucx/lib/libucs.so.0", elf(needed=("libc.so.6",), soname="libucs.so.0"))
    write(tmp_path, "/opt/ucx/lib/ucx/libuct_cuda.so", elf(needed=("libucs.so.0", "libcuda.so.1")))
    write(tmp_path, "/etc/ld.so.cache", linker_cache({"libucs.so.0": "/opt/ucx/lib/libucs.so.0"}))
    site = "/opt/venv/lib/python3.13/site-packages"
    write(tmp_path, f"{site}/own.libs/libzstd-1a2b.so", elf())
    write(tmp_path, f"{site}/own/_c.so", elf(needed=("libzstd-1a2b.so",), runpath="$ORIGIN/../own.libs"))
    write(tmp_path, f"{site}/own-1.0.dist-info/RECORD", b"own/_c.so,sha256=x,1\n")
    return tmp_path


def test_libraries_are_found_by_runpath_by_the_cache_in_default_folders_and_at_the_driver(root: Path) -> None:
    code, said = closure(root, "--ours", "/opt/ucx", "--distribution", "own")
    assert (code, said.splitlines()[-1]) == (0, GOOD)
    assert "5 objects name 4 libraries" in said


def test_a_library_that_is_nowhere_is_named_with_who_needs_it(root: Path) -> None:
    write(root, "/usr/lib/x86_64-linux-gnu/libbad.so", elf(needed=("libgone.so.3",)))
    code, said = closure(root)
    assert code == 1
    assert "libgone.so.3  for /usr/lib/x86_64-linux-gnu/libbad.so" in said
    assert GOOD not in said


def test_a_name_for_dlopen_in_our_own_object_must_be_found(root: Path) -> None:
    """libfabric asked for libcudart.so, and the image had libcudart.so.13 alone: GPU memory was off, silently."""
    write(root, "/opt/ucx/lib/libfabric.so.1", elf(texts=("libcudart.so", "not/libpath.so", "lib%s.so")))
    write(root, "/opt/venv/lib/libcudart.so.13", elf(soname="libcudart.so.13"))
    assert closure(root)[0] == 0, "of objects of others texts are not read"
    code, said = closure(root, "--ours", "/opt/ucx")
    assert code == 1
    assert "libcudart.so  for /opt/ucx/lib/libfabric.so.1" in said
    assert "libpath" not in said


def test_a_library_elsewhere_is_enough_for_a_wheel_but_not_for_us(root: Path) -> None:
    write(root, "/opt/venv/lib/libtorch.so", elf())
    write(root, "/opt/venv/lib/other/_c.so", elf(needed=("libtorch.so",)))
    code, said = closure(root)
    assert code == 0
    assert "found elsewhere in the image, so a program must load it first: 1" in said
    assert closure(root, "--ours", "/opt/venv/lib/other")[0] == 1


def test_what_is_absent_on_purpose_has_a_reason_and_is_absent(root: Path) -> None:
    write(root, "/opt/ucx/lib/libx.so", elf(needed=("libmpi.so.40",)))
    assert closure(root, "--absent", "libmpi.so.40=no MPI in the image")[0] == 0
    assert closure(root, "--absent", "libmpi.so.40=")[0] == 1
    code, said = closure(root, "--absent", "libmpi.so.40=x", "--absent", "libother.so=x")
    assert (code, "--absent libother.so: nothing lacks it" in said) == (1, True)


def test_objects_of_other_architectures_are_left_out_and_counted(root: Path) -> None:
    write(root, "/opt/ucx/lib/arm.so", elf(needed=("libnowhere.so",), machine=AARCH64))
    code, said = closure(root)
    assert (code, "(1 objects of other architectures were left out)" in said) == (0, True)


def test_an_image_without_objects_is_no_success(tmp_path: Path) -> None:
    assert closure(tmp_path) == (
        1,
        "0 objects name 0 libraries (0 objects of other architectures were left out)\nno object was found\n",
    )


def test_a_broken_file_is_no_object(root: Path) -> None:
    write(root, "/opt/ucx/lib/broken.so", elf()[:70] + b"\xff" * 200)
    assert closure(root)[0] == 0
