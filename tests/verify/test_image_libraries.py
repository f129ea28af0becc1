"""Libraries that objects of an image need: `verify --image` and the program of checks give one answer."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from builder.lockfile.lock import Check, Lock
from builder.lockfile.reading import load_lock
from builder.oci import open_images, read_tree
from builder.oci.elf import read_elf
from builder.verify.image.libraries import DRIVER, LibraryClosure, library_closure
from tests.checks.elf_files import AARCH64, elf, linker_cache
from tests.oci.samples_oci import File, image

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "recipes/checks/elf_closure.py"
LOCK = ROOT / "tests/faults/project/lock/1.0/plain/tiny-x86_64.toml"
LIBRARIES = "usr/lib/x86_64-linux-gnu"
OWN = "opt/zlib/lib"
"""A folder of a build of the lock."""

Tree = dict[str, bytes | str]
"""Contents of files, and targets of links, by path."""

WHOLE: Tree = {
    f"{LIBRARIES}/libc.so.6": elf(soname="libc.so.6"),
    "lib": "usr/lib",
    f"{OWN}/libz.so.1": elf(needed=("libc.so.6",), soname="libz.so.1"),
    f"{OWN}/plugins/gpu.so": elf(needed=("libz.so.1", "libcuda.so.1")),
    f"{OWN}/plugins/beside.so": elf(needed=("libz.so.1",), runpath="$ORIGIN/.."),
    "etc/ld.so.cache": linker_cache({"libz.so.1": f"/{OWN}/libz.so.1"}),
    "opt/venv/own.libs/libzstd-1a2b.so": elf(),
    "opt/venv/own/_c.so": elf(needed=("libzstd-1a2b.so",), runpath="${ORIGIN}/../own.libs"),
    "opt/venv/own/loads-first.so": elf(needed=("libzstd-1a2b.so",)),
    "opt/venv/own/gpu.cubin": elf(needed=("libnowhere.so",), machine=AARCH64),
    "opt/venv/own/broken.so": elf(needed=("libnowhere.so",))[:200],
}

FAULTS: dict[str, tuple[Tree, str]] = {
    "nothing has it": ({"opt/venv/own/x.so": elf(needed=("libgone.so.3",))}, "libgone.so.3"),
    "a link leads nowhere": ({f"{OWN}/libz.so.1": "libz.so.1.3"}, "libz.so.1"),
    "links in a circle": ({f"{OWN}/libz.so.1": "libz.so.1"}, "libz.so.1"),
    "the cache names another file": (
        {"etc/ld.so.cache": linker_cache({"libz.so.1": "/opt/gone/libz.so.1"})},
        "libz.so.1",
    ),
    "no cache": ({"etc/ld.so.cache": b""}, "libz.so.1"),
    "elsewhere is not enough for a build": (
        {f"{OWN}/plugins/own.so": elf(needed=("libzstd-1a2b.so",))},
        "libzstd-1a2b.so",
    ),
    "a library of the wheel is gone": ({"opt/venv/own.libs/libzstd-1a2b.so": "gone.so"}, "libzstd-1a2b.so"),
}


@pytest.fixture(scope="module")
def lock() -> Lock:
    return load_lock(LOCK.read_bytes(), place="lock")


def closure(tmp_path: Path, lock: Lock, tree: Tree) -> LibraryClosure:
    """Return what `verify --image` finds in an image of one layer."""
    layer = [
        File(path=path, kind=tarfile.SYMTYPE, target=value)
        if isinstance(value, str)
        else File(path=path, data=value)
        for path, value in tree.items()
    ]
    path = image(tmp_path / "image.tar", [layer], tar=True)
    with open_images(path) as images:
        return library_closure(lock, read_tree(images, images.images()[0]))


def program(tmp_path: Path, tree: Tree) -> tuple[int, str]:
    """Return the exit code and the output of the check's program on the same files."""
    root = tmp_path / "root"
    for path, value in tree.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(value, str):
            place.symlink_to(value)
        else:
            place.write_bytes(value)
    done = subprocess.run(
        [sys.executable, "-I", str(PROGRAM), f"--root={root}", "--ours=/opt/zlib"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_whole_image_has_no_finding_and_counts_what_it_looked_at(tmp_path: Path, lock: Lock) -> None:
    found = closure(tmp_path, lock, WHOLE)
    assert (found.findings, found.objects, found.elsewhere) == ((), 7, 1)
    code, said = program(tmp_path, WHOLE)
    assert code == 0, said
    assert "7 objects name" in said


@pytest.mark.parametrize("name", FAULTS)
def test_a_missing_library_is_named_by_both(tmp_path: Path, lock: Lock, name: str) -> None:
    change, library = FAULTS[name]
    tree = {path: value for path, value in WHOLE.items() if path != "opt/venv/own/loads-first.so"} | change
    found = closure(tmp_path, lock, tree)
    assert [one.text.partition(":")[0] for one in found.findings] == [library]
    assert {one.rule.id for one in found.findings} == {"unresolved"}
    code, said = program(tmp_path, tree)
    assert code == 1
    assert f"  {library}  for " in said


def test_a_finding_names_the_build_whose_object_lacks_it(tmp_path: Path, lock: Lock) -> None:
    found = closure(
        tmp_path, lock, {f"{OWN}/a.so": elf(needed=("libx.so",)), f"{OWN}/b.so": elf(needed=("libx.so",))}
    )
    assert [(one.row, one.text) for one in found.findings] == [
        ("builds zlib 1.3.1", f"libx.so: the dynamic linker does not find it for /{OWN}/a.so and 1 more")
    ]


def test_what_the_lock_calls_absent_is_not_missed(tmp_path: Path, lock: Lock) -> None:
    tree: Tree = {"opt/venv/own/media.so": elf(needed=("libavcodec.so.61",))}
    assert closure(tmp_path, lock, tree).findings
    for word, missed in (("--absent=libav*=no media here", False), ("--absent=libav*", True)):
        check = Check(run=("python", "/checks/elf_closure.py", word), program="checks/elf_closure.py")
        stated = replace(lock, runtime=replace(lock.runtime, checks=(check,)))
        assert bool(closure(tmp_path, stated, tree).findings) is missed
    other = Check(run=("python", "/checks/other.py", "--absent=libav*=why"), program="checks/other.py")
    stated = replace(lock, runtime=replace(lock.runtime, checks=(other,)))
    assert closure(tmp_path, stated, tree).findings


def test_both_know_the_same_driver() -> None:
    said = subprocess.run(
        [sys.executable, "-c", "import runpy, sys; print(*sorted(runpy.run_path(sys.argv[1])['DRIVER']))", PROGRAM],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout.split() == sorted(DRIVER)


@pytest.mark.parametrize("size", [0, 5, 30, 63, 64, 100, 150, 200])
def test_a_cut_object_is_none(size: int) -> None:
    whole = elf(needed=("libc.so.6",), runpath="/x", soname="a")
    one = read_elf(io.BytesIO(whole))
    assert one is not None
    assert (one.needed, one.folders) == (("libc.so.6",), ("/x",))
    cut = read_elf(io.BytesIO(whole[:size]))
    assert cut is None or cut.needed == ()
