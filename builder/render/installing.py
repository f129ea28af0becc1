"""Commands that install OS packages and wheels, and remove what differs from build to build.

RPM packages are installed by the base's own rpm: it checks dependencies, orders
the packages and runs their scripts. Signatures are not asked for: every file's
SHA-256 is checked first. Its database holds the time of each installation; older
releases of rpm do not take that from SOURCE_DATE_EPOCH, so later times are set
back afterwards, whoever wrote them.
"""

from __future__ import annotations

from builder.errors import LockError
from builder.lockfile import INSTALLER, RUNTIME, Lock
from builder.render.fetches import Fetches, mounts, verify, wheel_requirement
from builder.render.instructions import SCRATCH, Copy, File, Instruction, Mount, Run
from builder.render.quoting import Command, Verbatim, shown
from builder.render.stages import WHEELS, Stage, build_stage

__all__ = [
    "SCRIPT",
    "clean_bytecode",
    "fill_environment",
    "install_os_packages",
    "install_rpms",
    "interpreter_copy",
    "rpm_stages",
]


_CHECK_HELD = (
    "import sys, importlib.metadata as m; "
    "wrong = [t for t in sys.argv[1:] if m.version(t.split('==')[0]) != t.split('==')[1]]; "
    "assert not wrong, 'the base image does not hold ' + ', '.join(wrong)"
)
"""Ends the build where the image holds other versions than the lock says."""

_DEBS, _WHEELS, _BUILT, _INSTALLER = "/debs", "/wheels", "/built", "/installer"

# Caches, logs and backups hold times or depend on the order of events; nothing reads them later.
_APT_CLEAN_UP: tuple[Command, ...] = (
    (
        "rm",
        "-rf",
        Verbatim("/var/cache/apt/*.bin"),
        "/var/cache/ldconfig/aux-cache",
        Verbatim("/var/cache/debconf/*-old"),
        Verbatim("/var/lib/apt/lists/*"),
        Verbatim("/var/lib/dpkg/*-old"),
        "/var/log/alternatives.log",
        "/var/log/apt",
        "/var/log/dpkg.log",
    ),
)


def clean_bytecode(folder: str) -> Command:
    """Return the command that removes compiled Python below `folder`: it records times."""
    return (
        "find",
        folder,
        "-xdev",
        "-type",
        "d",
        "-name",
        "__pycache__",
        "-prune",
        "-exec",
        "rm",
        "-rf",
        "{}",
        "+",
    )


def install_os_packages(lock: Lock, stages: tuple[str, ...]) -> Run:
    """Return what installs every package of some fetch stages, as apt or rpm orders them."""
    family = lock.environment.family
    if family == "rpm":
        return install_rpms(str(lock.arch), stages)
    if family != "debian":
        raise LockError(f"OS packages of the family {shown(family)} cannot be installed by this version")
    mounted = mounts(stages, _DEBS)
    install: Command = (
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "install",
        "--yes",
        "--no-install-recommends",
        Verbatim(f"{_DEBS}/*/*.deb"),
    )
    checks = tuple(verify(mount.target) for mount in mounted)
    return Run(commands=(*checks, install, *_APT_CLEAN_UP, clean_bytecode("/")), mounts=mounted)


def fill_environment(lock: Lock, fetches: Fetches, use: str, folder: str) -> tuple[Instruction, ...]:
    """Return what makes the Python environment of `use` in `folder`; nothing where it has no rows."""
    stages = tuple(stage.name for group in fetches.python if use in group.uses for stage in group.stages)
    built = [row for row in lock.python if row.build and use in row.for_]
    if not stages and not built:
        return ()
    fetched = mounts(stages, _WHEELS)
    pip, pip_mount = _pip_from_wheel(lock, fetches)
    interpreter = _interpreter_command(lock)
    makers = sorted({row.build for row in built})
    held = _held_distributions(lock) if use == RUNTIME else ()
    # What the image holds is used as it is: the environment sees it, and nothing of it is installed again.
    site = ("--system-site-packages",) if held else ()
    commands: list[Command] = [
        verify(_INSTALLER),
        (interpreter, "-m", "venv", "--without-pip", *site, folder),
        *([(f"{folder}/bin/python", "-c", _CHECK_HELD, *held)] if held else []),
    ]
    if fetched:
        sources = [f"--find-links={mount.target}" for mount in fetched]
        files = [f"--requirement={mount.target}/requirements.txt" for mount in fetched]
        commands.append(
            (*_pip_install_command(interpreter, pip, folder), "--require-hashes", *sources, *files)
        )
    if built:
        sources = [f"--find-links={_BUILT}/{maker}" for maker in makers]
        commands.append(
            (*_pip_install_command(interpreter, pip, folder), *sources, *map(wheel_requirement, built))
        )
    from_builds = tuple(
        Mount(stage=build_stage(maker, lock.arch), source=WHEELS, target=f"{_BUILT}/{maker}")
        for maker in makers
    )
    return (Run(commands=tuple(commands), mounts=(pip_mount, *fetched, *from_builds)),)


def interpreter_copy(lock: Lock) -> tuple[Copy, ...]:
    """Return what brings the interpreter into a stage; nothing where an OS package is it."""
    name = lock.environment.interpreter
    if not name:
        return ()
    prefix = _interpreter_prefix(lock)
    return (Copy(stage=build_stage(name, lock.arch), source=prefix, target=prefix),)


def _interpreter_prefix(lock: Lock) -> str:
    name = lock.environment.interpreter
    prefix = next((build.prefix for build in lock.builds if build.component == name), "")
    if not prefix:
        raise LockError(f"environment: interpreter {shown(name)} is not a build with a prefix")
    return prefix


def _interpreter_command(lock: Lock) -> str:
    """Return the command of the interpreter: the OS's, or the one in a build's prefix."""
    command = f"python{lock.environment.python}"
    return f"{_interpreter_prefix(lock)}/bin/{command}" if lock.environment.interpreter else command


def _held_distributions(lock: Lock) -> tuple[str, ...]:
    """Return the Python distributions that the runtime image brings, `name==version`."""
    return tuple(text for image in lock.images if RUNTIME in image.roles for text in image.python)


def _pip_from_wheel(lock: Lock, fetches: Fetches) -> tuple[str, Mount]:
    """Return the path of pip, which runs out of its own wheel and is installed nowhere."""
    rows = [row for row in lock.python if INSTALLER in row.for_]
    if len(rows) != 1 or rows[0].name != "pip" or not fetches.installer:
        raise LockError(
            "python: exactly one row, pip, must be for installer: it installs the others",
            hint="run `python -m builder lock`",
        )
    return f"{_INSTALLER}/{rows[0].file}/pip", Mount(stage=fetches.installer[-1].name, target=_INSTALLER)


def _pip_install_command(interpreter: str, pip: str, folder: str) -> Command:
    """Return pip's command line up to what is to be installed: offline, as it is, compiling nothing.

    pip itself imports `attr` where an earlier run has installed it: without
    the variable it would leave bytecode there, which holds the time.
    """
    return (
        "env",
        "PYTHONDONTWRITEBYTECODE=1",
        interpreter,
        "-I",
        pip,
        "--isolated",
        "--python",
        f"{folder}/bin/python",
        "install",
        "--no-cache-dir",
        "--no-index",
        "--no-deps",
        "--no-compile",
        "--only-binary=:all:",
        "--root-user-action=ignore",
        "--disable-pip-version-check",
        "--no-input",
    )


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

_RPM_CLEAN_UP: Command = ("rm", "-rf", "/var/cache/dnf", "/var/cache/ldconfig/aux-cache", "/var/cache/yum")


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
    return Run(commands=(*checks, install, clamp, _RPM_CLEAN_UP), mounts=(*mounted, tools))


def _rpm_stage_name(arch: str) -> str:
    return f"rpm-times-{arch}"
