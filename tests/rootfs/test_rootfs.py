from __future__ import annotations

import hashlib
import io
import os
import random
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from builder.errors import BuilderError, DigestMismatchError, FetchError
from builder.rootfs.deb import LockedDeb
from builder.rootfs.rootfs import write_rootfs_tar
from tests.rootfs.tiny_debs import WHEN, deb, member


def make(*debs: LockedDeb, arch: str = "amd64", latest: int | None = None) -> tarfile.TarFile:
    sink = io.BytesIO()
    digest = write_rootfs_tar(debs, sink, arch=arch, latest=latest)
    assert digest == hashlib.sha256(sink.getvalue()).hexdigest()
    sink.seek(0)
    return tarfile.open(fileobj=sink)


def text(archive: tarfile.TarFile, path: str) -> str:
    file = archive.extractfile(path)
    assert file is not None
    return file.read().decode()


def refused(*debs: LockedDeb, arch: str = "amd64", error: type[BuilderError] = FetchError) -> str:
    sink = io.BytesIO()
    with pytest.raises(error) as caught:
        write_rootfs_tar(debs, sink, arch=arch)
    assert type(caught.value) is error
    return str(caught.value)


def base(folder: Path) -> LockedDeb:
    return deb(folder, "base", [member("./usr/bin/one", b"1"), member("./etc/conf", b"c")])


def test_the_bytes_depend_on_the_packages_alone(tmp_path: Path) -> None:
    debs = [
        deb(tmp_path, f"p{n}", [member(f"./usr/share/p{n}/f", b"x" * n, when=WHEN + n)], pack=pack)
        for n, pack in enumerate(("", ".gz", ".xz", ".xz", ".gz"))
    ]
    found = set()
    for seed in range(6):
        random.Random(seed).shuffle(debs)
        sink = io.BytesIO()
        found.add(write_rootfs_tar(debs, sink, arch="amd64"))
    assert len(found) == 1


def test_members_are_sorted_and_a_parent_comes_first(tmp_path: Path) -> None:
    names = make(base(tmp_path)).getnames()
    assert names == sorted(names, key=str.encode)
    assert {"usr", "usr/bin", "usr/bin/one", "var/lib/dpkg/info", "var/lib/dpkg/status"} <= set(names)


@pytest.mark.parametrize(
    ("arch", "links"),
    [
        ("amd64", {"bin": "usr/bin", "lib": "usr/lib", "lib64": "usr/lib64", "sbin": "usr/sbin"}),
        ("arm64", {"bin": "usr/bin", "lib": "usr/lib", "sbin": "usr/sbin"}),
    ],
)
def test_usr_is_merged(tmp_path: Path, arch: str, links: dict[str, str]) -> None:
    old = deb(tmp_path, "old", [member("./bin/sh", b"#"), member("./lib/x/so", b"s")], arch=arch)
    both = deb(tmp_path, "both", [member("./usr/lib/x/a", b"a"), member("./lib/x/b", b"b")], arch="all")
    archive = make(old, both, arch=arch)
    assert {m.name: m.linkname for m in archive if m.issym()} == links
    assert all(archive.getmember(target).isdir() for target in links.values())
    assert {"usr/bin/sh", "usr/lib/x/so", "usr/lib/x/a", "usr/lib/x/b"} <= set(archive.getnames())
    assert "/bin/sh" in text(archive, "var/lib/dpkg/info/old.list").splitlines()


def test_a_package_may_bring_the_links_of_merged_usr(tmp_path: Path) -> None:
    files = deb(tmp_path, "files", [member("./bin", b"", link="usr/bin"), member("./usr/bin/x", b"")])
    assert make(files).getmember("bin").linkname == "usr/bin"
    other = deb(tmp_path, "other", [member("./bin", b"", link="opt/bin"), member("./opt/bin/x", b"")])
    assert refused(other) == (
        "assembled base: /bin: is in merged /usr and in the package other, as a link and as a link"
    )


def test_modes_owners_and_times_are_those_of_the_packages(tmp_path: Path) -> None:
    entries = [
        member("./usr/bin/chage", b"x", mode=0o2755, owner=(0, 42), when=WHEN - 5),
        member("./usr/bin/su", b"x", mode=0o4755, when=WHEN + 100),
        member("./var/local/", mode=0o2775, owner=(0, 50)),
        member("./usr/lib/link", b"", link="../bin/su"),
    ]
    package = deb(tmp_path, "p", entries)
    archive = make(package)
    found = {m.name: (m.mode, m.uid, m.gid, m.mtime) for m in archive}
    assert found["usr/bin/chage"] == (0o2755, 0, 42, WHEN - 5)
    assert found["usr/bin/su"] == (0o4755, 0, 0, WHEN + 100)
    assert found["var/local"] == (0o2775, 0, 50, WHEN)
    assert found["var/lib/dpkg/status"] == (0o644, 0, 0, WHEN + 100)
    assert max(m.mtime for m in make(package, latest=WHEN)) == WHEN


def test_hard_links_are_named_after_the_first_path(tmp_path: Path) -> None:
    entries = [
        member("./usr/bin/zz", b"same", mode=0o755, owner=(0, 42)),
        member("./bin/aa", b"", hard="./usr/bin/zz", mode=0o755, owner=(0, 42)),
        member("./usr/bin/mm", b"", hard="./bin/aa", mode=0o755, owner=(0, 42)),
        member("./usr/bin/empty", b""),
        member("./usr/bin/other", b""),
    ]
    archive = make(deb(tmp_path, "p", entries))
    assert {m.name: m.linkname for m in archive if m.islnk()} == {
        "usr/bin/mm": "usr/bin/aa",
        "usr/bin/zz": "usr/bin/aa",
    }
    first = archive.getmember("usr/bin/aa")
    assert (first.isreg(), first.mode, first.gid) == (True, 0o755, 42)
    assert text(archive, "usr/bin/zz") == "same"


CLASHES = {
    "neither-replaces": ("", "", "neither replaces the other"),
    "both-replace": ("Replaces: b\n", "Replaces: a\n", "each replaces the other"),
    "too-new": ("Replaces: b (<< 1.0)\n", "", "neither replaces the other"),
}


@pytest.mark.parametrize("case", CLASHES)
def test_two_packages_with_one_path_are_refused(tmp_path: Path, case: str) -> None:
    of_a, of_b, why = CLASHES[case]
    a = deb(tmp_path, "a", [member("./usr/bin/x", b"a")], fields=of_a)
    b = deb(tmp_path, "b", [member("./bin/x", b"b")], fields=of_b)
    message = f"assembled base: /usr/bin/x: is in the package a and in the package b, and {why}"
    assert refused(a, b) == refused(b, a) == message


@pytest.mark.parametrize("winner", ["a", "b"])
def test_the_package_that_replaces_wins_whatever_the_order(tmp_path: Path, winner: str) -> None:
    loser = "ab".replace(winner, "")
    files = {name: [member("./bin/x", name.encode()), member(f"./bin/{name}", b"")] for name in "ab"}
    debs = [
        deb(tmp_path, winner, files[winner], fields=f"Replaces: other, {loser} (<< 2)\n"),
        deb(tmp_path, loser, files[loser]),
    ]
    for order in (debs, debs[::-1]):
        archive = make(*order)
        assert text(archive, "usr/bin/x") == winner
        lists = {name: text(archive, f"var/lib/dpkg/info/{name}.list").splitlines() for name in "ab"}
        assert "/bin/x" in lists[winner]
        assert "/bin/x" not in lists[loser]
        assert f"/bin/{loser}" in lists[loser]


def test_directories_are_shared_when_they_are_alike(tmp_path: Path) -> None:
    a = deb(tmp_path, "a", [member("./var/x/"), member("./var/x/a", b"")])
    make(a, deb(tmp_path, "b", [member("./var/x/", when=WHEN + 9), member("./var/x/b", b"")]))
    c = deb(tmp_path, "c", [member("./var/x/", mode=0o1777)])
    assert refused(a, c) == (
        "assembled base: /var/x: is in the package a and in the package c, with modes 0755 0:0 and 1777 0:0"
    )
    d = deb(tmp_path, "d", [member("./var/x", b"file")], fields="Replaces: a\n")
    assert refused(a, d) == (
        "assembled base: /var/x: is in the package a and in the package d, as a directory and as a file"
    )


UNSAFE = {
    "above": ([member("./usr/../../etc/x", b"")], "p 1.0: file name '..' is not allowed"),
    "absolute": ([member("/etc/x", b"")], "p 1.0: file name '' is not allowed"),
    "line-feed": ([member("./etc/a\nb", b"")], "p 1.0: file name 'a\\nb' contains a control character"),
    "whiteout": (
        [member("./etc/.wh.x", b"")],
        "p 1.0: 'etc/.wh.x' would be taken for a deletion by image layers",
    ),
    "device": (
        [member("./dev/sda", b"", kind=tarfile.BLKTYPE)],
        "p 1.0: dev/sda: is a device or another entry that a base may not hold",
    ),
    "owner": (
        [member("./usr/x", b"", owner=(1000, 0))],
        "p 1.0: usr/x: belongs to 1000, which is not a fixed user or group",
    ),
    "through-own-link": (
        [member("./usr/a", b"", link="/etc"), member("./usr/a/x", b"")],
        "p: /usr/a/x: is below a link of the package p",
    ),
    "empty-link": (
        [member("./usr/a", b"", kind=tarfile.SYMTYPE)],
        "p 1.0: usr/a: is a link to an impossible path",
    ),
    "hard-outside": (
        [member("./usr/a", b"", hard="./etc/shadow")],
        "p: /usr/a: is a hard link to 'etc/shadow', no earlier file of its package",
    ),
    "hard-otherwise": (
        [member("./usr/a", b"", mode=0o4755), member("./usr/b", b"", hard="./usr/a")],
        "p: /usr/b: is 0644 0:0, and the file that it is a hard link to is 4755 0:0",
    ),
    "twice": (
        [member("./bin/x", b"1"), member("./usr/bin/x", b"2")],
        "p: /usr/bin/x: occurs twice",
    ),
    "database": (
        [member("./var/lib/dpkg/status", b"")],
        "p: /var/lib/dpkg/status: is a file of dpkg's own",
    ),
}


@pytest.mark.parametrize("case", UNSAFE)
def test_what_a_base_may_not_hold_is_refused(tmp_path: Path, case: str) -> None:
    members, message = UNSAFE[case]
    assert refused(deb(tmp_path, "p", members)) == message


def test_nothing_is_written_through_the_link_of_another_package(tmp_path: Path) -> None:
    link = deb(tmp_path, "link", [member("./usr/share/evil", b"", link="/etc")])
    there = deb(tmp_path, "there", [member("./usr/share/evil/passwd", b"x")])
    assert refused(link, there) == (
        "assembled base: /usr/share/evil: is in the package link and in the package there, as a link and as a directory"
    )


def test_a_missing_directory_is_not_invented(tmp_path: Path) -> None:
    orphan = deb(tmp_path, "q", [member("./opt/y/z", b"")], above=False)
    assert refused(orphan) == "q: /opt/y/z: no package holds the directory above it"
    assert "opt/y/z" in make(orphan, deb(tmp_path, "r", [member("./opt/y/r", b"")])).getnames()


def test_the_file_must_be_the_locked_package(tmp_path: Path) -> None:
    wrong = deb(tmp_path, "p", claims="q")
    assert refused(wrong, error=DigestMismatchError) == "p 1.0 amd64: its file is the package q 1.0 amd64"
    other = deb(tmp_path, "r", arch="arm64")
    assert refused(other) == "r 1.0: is for arm64, not for amd64"
    assert refused(base(tmp_path), base(tmp_path)) == "assembled base: a package is listed twice"


@pytest.mark.parametrize("keep", [0, 8, 40, 200, -1000])
def test_what_is_no_package_is_refused(tmp_path: Path, keep: int) -> None:
    package = deb(tmp_path, "p", [member("./usr/x", random.Random(1).randbytes(4000))])
    package.path.write_bytes(package.path.read_bytes()[:keep])
    assert refused(package).startswith("p 1.0: cannot be read as a Debian package: ")


def test_zstd_needs_its_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = deb(tmp_path, "p", [member("./usr/x", b"data")], pack="")
    data = package.path.read_bytes()
    start = data.index(b"data.tar ") + 60
    packed = data[:start].replace(b"data.tar        ", b"data.tar.zst    ") + b"\x28\xb5\x2f\xfd"
    package.path.write_bytes(packed + data[start + 4 :])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "unzstd" in refused(package)


@pytest.mark.skipif(shutil.which("unzstd") is None, reason="needs unzstd")
def test_zstd_is_read_where_its_program_is(tmp_path: Path) -> None:
    package = deb(tmp_path, "p", [member("./usr/x", b"data")], pack="")
    plain = package.path.read_bytes()
    start = plain.index(b"data.tar ") + 60
    packed = subprocess.run(["zstd", "-q"], input=plain[start:], capture_output=True, check=True).stdout
    header = plain[start - 60 : start].replace(b"data.tar        ", b"data.tar.zst    ")
    header = header[:48] + b"%-10d" % len(packed) + header[58:]
    package.path.write_bytes(plain[: start - 60] + header + packed)
    assert text(make(package), "usr/x") == "data"


def test_names_do_not_depend_on_the_locale(tmp_path: Path) -> None:
    package = deb(tmp_path, "p", [member("./usr/share/Főtanúsítvány", b"x")])
    script = (
        "import io,sys;from pathlib import Path;from builder.rootfs.rootfs import *;"
        "print(write_rootfs_tar([LockedDeb(name='p',version='1.0',arch='amd64',path=Path(sys.argv[1]))],"
        "io.BytesIO(),arch='amd64'))"
    )
    found = set()
    for extra in ({"LC_ALL": "C.UTF-8"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}):
        environment = {"PATH": os.environ["PATH"], **extra}
        done = subprocess.run(
            [sys.executable, "-c", script, package.path],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        found.add(done.stdout)
    assert len(found) == 1
    assert "usr/share/Főtanúsítvány" in make(package).getnames()
