"""The program that sets times of installation in an rpm database back, run as a build would run it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from builder.render.installing import SCRIPT

EPOCH = 1_788_000_000
NAME, INSTALLTIME, INSTALLTID = 1000, 1008, 1128
SPEC = """\
Name: tiny
Version: 1
Release: 1
Summary: s
License: none
BuildArch: noarch
%description
d
%install
mkdir -p %{buildroot}/opt
echo tiny > %{buildroot}/opt/tiny
%files
/opt/tiny
"""


def header(name: bytes, time: int) -> bytes:
    """Return a header as rpm stores it: a text and two times."""
    data = struct.pack(">II", time, time) + name + b"\0"
    entries = ((INSTALLTIME, 4, 0, 1), (INSTALLTID, 4, 4, 1), (NAME, 6, 8, 1))
    index = b"".join(struct.pack(">IIiI", *entry) for entry in entries)
    return struct.pack(">II", len(entries), len(data)) + index + data


def database(folder: Path, times: tuple[int, ...]) -> Path:
    folder.mkdir()
    path = folder / "rpmdb.sqlite"
    made = sqlite3.connect(path)
    made.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
    made.execute("CREATE TABLE Installtid (key BLOB NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL)")
    for number, time in enumerate(times):
        made.execute("INSERT INTO Packages (blob) VALUES (?)", (header(b"p%d" % number, time),))
        key = time.to_bytes(4, sys.byteorder)
        made.execute("INSERT INTO Installtid VALUES (?, ?, 0)", (key, number + 1))
    made.commit()
    made.close()
    return path


def clamp(folder: Path, epoch: str, path: str = "") -> None:
    """Run the program; without `path` a stand-in for rpm says where the database is."""
    program = folder / "clamp.py"
    program.write_text(SCRIPT.strip() + "\n")
    if not path:
        (folder / "bin").mkdir(exist_ok=True)
        stand_in = folder / "bin/rpm"
        stand_in.write_text(f"#!/bin/sh\necho {folder}\n")
        stand_in.chmod(0o755)
        path = f"{folder}/bin:{os.environ['PATH']}"
    env = {"PATH": path, "HOME": str(folder), "SOURCE_DATE_EPOCH": epoch}
    subprocess.run([sys.executable, "-I", "-B", str(program)], env=env, check=True)


def test_only_later_times_are_set_back_and_the_bytes_are_equal(tmp_path: Path) -> None:
    early = database(tmp_path / "a", (EPOCH - 5, EPOCH + 7, EPOCH + 8))
    late = database(tmp_path / "b", (EPOCH - 5, EPOCH + 7000, EPOCH + 9000))
    assert early.read_bytes() != late.read_bytes()
    for path in (early, late):
        clamp(path.parent, str(EPOCH))
    assert early.read_bytes() == late.read_bytes()
    kept = sqlite3.connect(early)
    blobs = [row[0] for row in kept.execute("SELECT blob FROM Packages ORDER BY hnum")]
    assert blobs == [header(b"p0", EPOCH - 5), header(b"p1", EPOCH), header(b"p2", EPOCH)]
    keys = [row[0] for row in kept.execute("SELECT key FROM Installtid ORDER BY hnum")]
    assert [int.from_bytes(key, sys.byteorder) for key in keys] == [EPOCH - 5, EPOCH, EPOCH]
    kept.close()


def test_without_an_epoch_no_time_is_changed(tmp_path: Path) -> None:
    path = database(tmp_path / "a", (EPOCH + 7,))
    clamp(path.parent, "")
    kept = sqlite3.connect(path)
    assert [row[0] for row in kept.execute("SELECT blob FROM Packages")] == [header(b"p0", EPOCH + 7)]
    kept.close()


def test_another_kind_of_database_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(subprocess.CalledProcessError):
        clamp(tmp_path / "a", str(EPOCH))


@pytest.mark.lab
def test_rpms_own_database_is_the_same_after_two_installations(tmp_path: Path) -> None:
    """Real packages, installed at two times by an rpm that knows no SOURCE_DATE_EPOCH."""
    assert shutil.which("rpmbuild"), "install Debian's package rpm"
    (tmp_path / "tiny.spec").write_text(SPEC)
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C"}
    build = ["rpmbuild", "-bb", "--quiet", "--define", f"_topdir {tmp_path}/top", str(tmp_path / "tiny.spec")]
    subprocess.run(build, env=env, check=True)
    (package,) = (tmp_path / "top").rglob("tiny-*.rpm")
    found = []
    for number in range(2):
        home = tmp_path / f"home{number}"
        (home / "root").mkdir(parents=True)
        install = [
            "rpm",
            "--root",
            str(home / "root"),
            "--dbpath",
            "/db",
            "--upgrade",
            "--nosignature",
            "--nodeps",
        ]
        subprocess.run([*install, str(package)], env=env | {"HOME": str(home)}, check=True)
        data = sqlite3.connect(home / "root/db/rpmdb.sqlite")
        (blob,) = data.execute("SELECT blob FROM Packages").fetchone()
        data.close()
        place = times(blob)
        assert min(place) > EPOCH
        assert len(place) == 2
        tools = home / "bin"
        tools.mkdir()
        (tools / "rpm").write_text(f"#!/bin/sh\necho {home}/root/db\n")
        (tools / "rpm").chmod(0o755)
        clamp(home, str(EPOCH), f"{tools}:{os.environ['PATH']}")
        found.append((home / "root/db/rpmdb.sqlite").read_bytes())
        query = ["rpm", "--root", str(home / "root"), "--dbpath", "/db", "--query", "--queryformat"]
        said = subprocess.run(
            [*query, "%{installtime} %{installtid}", "tiny"], env=env, check=True, capture_output=True
        )
        assert said.stdout.decode() == f"{EPOCH} {EPOCH}"
        subprocess.run(["sleep", "1.1"], check=True)
    assert found[0] == found[1]


def times(blob: bytes) -> list[int]:
    """Return the two times of a header, found by their tags."""
    entries = struct.unpack_from(">I", blob)[0]
    rows = [struct.unpack_from(">IIiI", blob, 8 + 16 * number) for number in range(entries)]
    places = [8 + 16 * entries + offset for tag, _, offset, _ in rows if tag in {INSTALLTIME, INSTALLTID}]
    return [struct.unpack_from(">I", blob, place)[0] for place in places]
