"""Installing RPM packages with the base's own rpm, and what rpm writes that differs from build to build.

rpm checks dependencies, orders the packages and runs their scripts. Signatures
are not asked for: every file's SHA-256 is checked first. Its database holds the
time of each installation; older releases of rpm do not take that from
SOURCE_DATE_EPOCH, so later times are set back afterwards, whoever wrote them.
"""

from __future__ import annotations

from builder.lockfile import Lock
from builder.render.fetches import mounts, verify
from builder.render.instructions import SCRATCH, File, Mount, Run
from builder.render.shell import Command, Verbatim
from builder.render.stages import Stage

__all__ = ["SCRIPT", "install_rpms", "rpm_stages"]

_RPMS, _TOOLS = "/rpms", "/rpm-times"
_FILE = "/clamp.py"

# Headers are stored as rpm writes them into packages: a count of entries and of bytes, the entries (tag,
# type, offset, count), and the data. 1008 is INSTALLTIME, 1128 INSTALLTID, the key of the table of its name.
SCRIPT = r"""
# No time of installation in the rpm database is later than SOURCE_DATE_EPOCH, where that is set.
import os
import sqlite3
import struct
import subprocess
import sys

latest = int(os.environ.get("SOURCE_DATE_EPOCH") or 2**32 - 1)
told = subprocess.run(["rpm", "--eval", "%{_dbpath}"], check=True, stdout=subprocess.PIPE, text=True)
folder = told.stdout.strip()
database = sqlite3.connect("file:" + folder + "/rpmdb.sqlite?mode=rw", uri=True, isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
for number, blob in database.execute("SELECT hnum, blob FROM Packages").fetchall():
    header = bytearray(blob)
    entries, _ = struct.unpack_from(">II", header)
    for entry in range(entries):
        tag, kind, offset, count = struct.unpack_from(">IIiI", header, 8 + 16 * entry)
        if tag in (1008, 1128) and (kind, count) == (4, 1):
            place = 8 + 16 * entries + offset
            (time,) = struct.unpack_from(">I", header, place)
            struct.pack_into(">I", header, place, min(time, latest))
    database.execute("UPDATE Packages SET blob = ? WHERE hnum = ?", (bytes(header), number))
for row, key in database.execute("SELECT rowid, key FROM Installtid").fetchall():
    time = min(int.from_bytes(key, sys.byteorder), latest)
    database.execute("UPDATE Installtid SET key = ? WHERE rowid = ?", (time.to_bytes(4, sys.byteorder), row))
database.execute("COMMIT")
database.execute("VACUUM")
database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
database.close()
"""
"""A program for the base's own Python; an rpm database that is not SQLite stops it."""

_CLEAN: Command = ("rm", "-rf", "/var/cache/dnf", "/var/cache/ldconfig/aux-cache", "/var/cache/yum")


def rpm_stages(lock: Lock) -> tuple[Stage, ...]:
    """Return the stage that holds the program for rpm's database; none for other families."""
    if lock.environment.family != "rpm" or not lock.os_packages:
        return ()
    note = "Sets times of installation in the rpm database back to SOURCE_DATE_EPOCH."
    lines = tuple(SCRIPT.strip().splitlines())
    body = (File(lines=lines, target=_FILE),)
    return (Stage(name=_rpm_stage_name(str(lock.arch)), base=SCRATCH, notes=(note,), body=body),)


def install_rpms(arch: str, stages: tuple[str, ...]) -> Run:
    """Return what installs every package of some fetch stages, offline, as rpm orders them."""
    mounted = mounts(stages, _RPMS)
    tools = Mount(stage=_rpm_stage_name(arch), target=_TOOLS)
    install: Command = (
        "rpm",
        "--upgrade",
        "--verbose",
        "--nosignature",
        "--oldpackage",
        Verbatim(f"{_RPMS}/*/*.rpm"),
    )
    clamp: Command = ("python3", "-I", "-B", f"{_TOOLS}{_FILE}")
    checks = tuple(verify(mount.target) for mount in mounted)
    return Run(commands=(*checks, install, clamp, _CLEAN), mounts=(*mounted, tools))


def _rpm_stage_name(arch: str) -> str:
    return f"rpm-times-{arch}"
