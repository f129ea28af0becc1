"""What dpkg itself makes of the same packages is the oracle."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest

from builder.errors import FetchError
from builder.rootfs.deb import LockedDeb
from builder.rootfs.rootfs import write_rootfs_tar
from tests.rootfs.tiny_debs import deb, member

# dpkg writes these as it runs, or never for an installation that went well.
PASSING = ("available", "lock", "lock-frontend", "arch-native", "triggers/Lock", "diversions", "statoverride")


def packages(folder: Path) -> list[LockedDeb]:
    return [
        deb(
            folder,
            "libshared",
            [member("./lib/shared.so", b"so"), member("./usr/lib/link.so", b"", link="shared.so")],
            fields="Multi-Arch: same\nSource: shared (0.9)\n",
            control={"triggers": "# built\nactivate-noawait ldconfig\n", "shlibs": "libshared 1 libshared\n"},
        ),
        deb(
            folder,
            "conf",
            [
                member("./etc/conf.d/one", b"1"),
                member("./etc/two", b"2"),
                member("./usr/sbin/tool", b"", mode=0o2755, owner=(0, 42)),
            ],
            fields="Essential: yes\nX-Unknown: kept\nDepends: libshared (>= 0.5)\n",
            control={"conffiles": "/etc/two\n/etc/conf.d/one\n"},
        ),
        deb(
            folder,
            "listener",
            [
                member("./bin/hears", b"h", mode=0o755),
                member("./usr/bin/again", b"", hard="./bin/hears", mode=0o755),
            ],
            arch="all",
            fields="Multi-Arch: foreign\n",
            control={
                "triggers": "interest ldconfig\ninterest-noawait /usr/share/x\ninterest-await /usr/share/a\n"
            },
        ),
        deb(
            folder,
            "second",
            [member("./usr/share/x/f", b"f"), member("./usr/share/doc/s", b"new")],
            fields="Replaces: third (<< 1:1)\n",
            control={"triggers": "interest-noawait ldconfig\n"},
        ),
        deb(
            folder,
            "third",
            [member("./usr/share/doc/s", b"old"), member("./usr/share/doc/t", b"t")],
            version="1:1~a",
        ),
    ]


def dpkg(root: Path, *arguments: str | Path) -> None:
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    subprocess.run(
        ["dpkg", f"--root={root}", "--force-script-chrootless", "--log=/dev/null", *arguments],
        env={"PATH": path, "LC_ALL": "C"},
        check=True,
        capture_output=True,
    )


def inventory(root: Path) -> dict[str, tuple[object, ...]]:
    """Return kind, mode, owner, link count and content of everything below a folder."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        state = name.removeprefix("var/lib/dpkg/")
        if (state != name and state in PASSING) or name.endswith("-old") or state == "status":
            continue
        status = path.lstat()
        content: object = (
            path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        )
        links = status.st_nlink if stat.S_ISREG(status.st_mode) else 0
        if state.startswith("triggers/"):  # dpkg keeps the order of its hash table there
            content = sorted(path.read_bytes().splitlines()) if path.is_file() else b""
        found[name] = (status.st_mode, status.st_uid, status.st_gid, links, content)
    return found


@pytest.mark.skipif(
    shutil.which("dpkg") is None or os.geteuid() != 0, reason="needs dpkg, and root for owners"
)
def test_dpkg_finds_what_it_would_have_made_itself(tmp_path: Path) -> None:
    debs = packages(tmp_path)
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    sink = io.BytesIO()
    write_rootfs_tar(debs, sink, arch="amd64")
    sink.seek(0)
    with tarfile.open(fileobj=sink) as archive:
        archive.extractall(ours, filter="fully_trusted")
    dpkg(ours, "--configure", "--pending")
    for folder in (
        "usr/bin",
        "usr/lib",
        "usr/lib64",
        "usr/sbin",
        "var/lib/dpkg/info",
        "var/lib/dpkg/updates",
    ):
        (theirs / folder).mkdir(parents=True)
    for link in ("bin", "lib", "lib64", "sbin"):
        (theirs / link).symlink_to(f"usr/{link}")
    (theirs / "var/lib/dpkg/status").touch()
    dpkg(theirs, "--force-architecture", "--force-depends", "--install", *(package.path for package in debs))
    expected, found = inventory(theirs), inventory(ours)
    assert found.keys() == expected.keys() - {"var/lib/dpkg/parts"} | (found.keys() & {"var/lib/dpkg/parts"})
    assert {name: found[name] for name in found} == {name: expected[name] for name in found}
    assert paragraphs(ours) == paragraphs(theirs)
    dpkg(ours, "--verify")


def paragraphs(root: Path) -> list[str]:
    return sorted((root / "var/lib/dpkg/status").read_text().strip().split("\n\n"))


def test_the_status_is_that_of_unpacked_packages(tmp_path: Path) -> None:
    sink = io.BytesIO()
    write_rootfs_tar(packages(tmp_path), sink, arch="amd64")
    sink.seek(0)
    with tarfile.open(fileobj=sink) as archive:
        file = archive.extractfile("var/lib/dpkg/status")
        assert file is not None
        status = file.read().decode()
    assert status.count("\nStatus: install ok unpacked\n") == 5
    md5 = hashlib.md5(b"2").hexdigest()
    assert f"\nConffiles:\n /etc/two {md5}\n" in status


BROKEN = {
    "conffile-elsewhere": (
        {"conffiles": "/etc/other\n"},
        "p: its configuration file 'etc/other' is not a separate file",
    ),
    "unknown-trigger": ({"triggers": "interesting x\n"}, "p: its trigger 'interesting x' is not known"),
    "trigger-with-path": (
        {"triggers": "interest a/b\n"},
        "p: its trigger 'interest a/b' has an impossible name",
    ),
    "trigger-of-dpkg": (
        {"triggers": "interest File\n"},
        "p: its trigger 'interest File' has an impossible name",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_control_files_that_dpkg_would_refuse(tmp_path: Path, case: str) -> None:
    control, message = BROKEN[case]
    package = deb(tmp_path, "p", [member("./etc/x", b"")], control=control)
    with pytest.raises(FetchError) as caught:
        write_rootfs_tar([package], io.BytesIO(), arch="amd64")
    assert str(caught.value) == message
