"""Every ELF file of an image finds the libraries that it needs, as the dynamic linker would look for them.

    elf_closure.py [--root DIR] [--ours PATH]… [--distribution NAME]… [--absent LIBRARY=REASON]…

For each object of the machine's own architecture the names of DT_NEEDED are looked for in its RPATH
or RUNPATH, in ld.so.cache, and in the default folders. One that is not found there counts as found
`elsewhere` if a file of that name is in the image: a Python package may load it first. That is not
enough for what `--ours` and `--distribution` name, the objects that the image's own recipes built:
their libraries must be found, and so must the names that they give to dlopen, which are the texts
in them that look like a shared library.

The driver's libraries come from the host (DRIVER). `--absent` names libraries that are missing on
purpose, by a name or a pattern such as `libav*`, with the reason; one that fits nothing missing is an
error too.
Standard library only. Exit 0: nothing is unresolved; 1: something is, and the output names it.
"""

from __future__ import annotations

import argparse
import fnmatch
import mmap
import os
import re
import struct
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

DRIVER = frozenset(
    {
        "libcuda.so",  # the container toolkit links it to libcuda.so.1
        "libcuda.so.1",
        "libcudadebugger.so.1",
        "libnvcuvid.so.1",
        "libnvidia-cfg.so.1",
        "libnvidia-encode.so.1",
        "libnvidia-ml.so.1",
        "libnvidia-nvvm.so.4",
        "libnvidia-opencl.so.1",
        "libnvidia-opticalflow.so.1",
        "libnvidia-ptxjitcompiler.so.1",
        "libnvoptix.so.1",
    }
)
"""What NVIDIA's container toolkit brings into a container."""

DEFAULT_FOLDERS = ("/lib64", "/usr/lib64", "/lib", "/usr/lib")
SKIPPED = ("/proc", "/sys", "/dev", "/run", "/tmp", "/var/lib/docker")
MAGIC = b"\x7fELF"
CACHE_MAGIC = b"glibc-ld.so.cache1.1"
PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
DT_NULL, DT_NEEDED, DT_STRTAB, DT_SONAME, DT_RPATH, DT_RUNPATH = 0, 1, 5, 14, 15, 29
ET_EXEC, ET_DYN = 2, 3
LIBRARY = re.compile(rb"(?<![\w./%+-])lib[A-Za-z0-9_+-]{2,60}\.so(?:\.[0-9]{1,4}){0,3}(?=\0)")
"""A whole text of an object that names a shared library, without a folder and without `%s`."""
SHOWN = 60


class NotElfError(Exception):
    """A file that the dynamic linker would not load."""


@dataclass(frozen=True)
class ElfObject:
    """What the dynamic section of one file says."""

    machine: int
    needed: tuple[str, ...]
    soname: str
    folders: tuple[str, ...]
    """Of RUNPATH, else of RPATH, with `$ORIGIN` as it stands."""
    interpreter: str
    asked: tuple[str, ...] = ()
    """Names of libraries among its texts; read of our own objects only."""


@dataclass
class Findings:
    """What was looked for, and where it was."""

    objects: int = 0
    foreign: int = 0
    names: set[str] = field(default_factory=set)
    elsewhere: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    unresolved: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    excused: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def read_object(path: Path, *, texts: bool = False) -> ElfObject:
    """Read a 64-bit little-endian ELF file; NotElfError for anything else that is not an ELF file of ours."""
    with path.open("rb") as file:
        if file.read(6) != MAGIC + b"\x02\x01":
            raise NotElfError
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                return _read_mapped(data, texts=texts)
            except (struct.error, IndexError, ValueError) as cause:
                raise NotElfError(str(cause)) from cause


def _read_mapped(data: mmap.mmap, *, texts: bool) -> ElfObject:
    kind, machine = struct.unpack_from("<HH", data, 16)
    (start,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    if kind not in (ET_EXEC, ET_DYN):
        raise NotElfError("neither a program nor a shared object")
    loads, dynamic, interpreter = [], None, ""
    for index in range(count):
        what, _, offset, address, _, length, _, _ = struct.unpack_from(
            "<IIQQQQQQ", data, start + index * size
        )
        if what == PT_LOAD:
            loads.append((address, offset, length))
        elif what == PT_DYNAMIC:
            dynamic = (offset, length)
        elif what == PT_INTERP:
            interpreter = data[offset : offset + length].rstrip(b"\0").decode()
    entries = list(_dynamic_entries(data, dynamic)) if dynamic else []
    table = next((value for tag, value in entries if tag == DT_STRTAB), 0)
    strings = next((o + table - a for a, o, length in loads if a <= table < a + length), 0)

    def text(position: int) -> str:
        end = data.find(b"\0", strings + position)
        return data[strings + position : end].decode("utf-8", "replace")

    found: dict[int, list[str]] = defaultdict(list)
    for tag, value in entries:
        if tag in (DT_NEEDED, DT_SONAME, DT_RPATH, DT_RUNPATH):
            found[tag].append(text(value))
    paths = found[DT_RUNPATH] or found[DT_RPATH]
    needed, soname = tuple(found[DT_NEEDED]), "".join(found[DT_SONAME])
    asked = sorted({match[0].decode() for match in LIBRARY.finditer(data)}) if texts else []
    return ElfObject(
        machine=machine,
        needed=needed,
        soname=soname,
        folders=tuple(folder for path in paths for folder in path.split(":") if folder),
        interpreter=interpreter,
        asked=tuple(name for name in asked if name not in (*needed, soname)),
    )


def _dynamic_entries(data: mmap.mmap, dynamic: tuple[int, int]) -> Iterator[tuple[int, int]]:
    for offset in range(dynamic[0], dynamic[0] + dynamic[1], 16):
        tag, value = struct.unpack_from("<qQ", data, offset)
        if tag == DT_NULL:
            return
        yield tag, value


def read_cache(path: Path) -> dict[str, str]:
    """Return the libraries of ld.so.cache in glibc's format since 2.2, name to path; the first counts."""
    try:
        data = path.read_bytes()
    except OSError:
        return {}
    begin = data.find(CACHE_MAGIC)
    if begin < 0:
        return {}
    (count,) = struct.unpack_from("<I", data, begin + 20)
    found: dict[str, str] = {}
    for index in range(count):
        _, key, value = struct.unpack_from("<iII", data, begin + 48 + 24 * index)
        name, place = (data[at + begin : data.index(b"\0", at + begin)].decode() for at in (key, value))
        found.setdefault(name, place)
    return found


class Image:
    """The files below a root, as its dynamic linker sees them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cache = read_cache(root / "etc/ld.so.cache")
        multiarch = sorted(root.glob("usr/lib/*-linux-gnu"))
        folders = [f"/{folder.relative_to(root)}" for folder in multiarch]
        self.default_folders = (*(f.removeprefix("/usr") for f in folders), *folders, *DEFAULT_FOLDERS)
        self.machine = 0
        self.files = dict(self._elf_files())
        self.names = {path.rpartition("/")[2] for path in self.files}

    def resolve(self, path: str) -> Path | None:
        """Return the file of a path inside the image, its links followed inside the image; None without."""
        parts, at, links = [part for part in path.split("/") if part], self.root, 0
        while parts:
            part = parts.pop(0)
            if part == "..":
                at = at.parent if at != self.root else at
                continue
            if part == ".":
                continue
            step = at / part
            if step.is_symlink() and links < 40:
                links += 1
                target = str(step.readlink())
                at = self.root if target.startswith("/") else at
                parts = [*(piece for piece in target.split("/") if piece), *parts]
            else:
                at = step
        return at if at.exists() else None

    def has_library(self, path: str) -> bool:
        """Whether a file is there that could be loaded."""
        found = self.resolve(path)
        return found is not None and found.is_file()

    def finds(self, name: str, path: str, one: ElfObject) -> bool:
        """Whether the dynamic linker finds library `name` for the object at `path`."""
        if "/" in name:
            return self.has_library(name)
        origin = path.rpartition("/")[0]
        folders = [
            re.sub(r"\$(?:ORIGIN|\{ORIGIN\})", origin, folder).replace("$LIB", "lib")
            for folder in one.folders
        ]
        if any(self.has_library(f"{folder}/{name}") for folder in folders):
            return True
        if name in self.cache and self.has_library(self.cache[name]):
            return True
        return any(self.has_library(f"{folder}/{name}") for folder in self.default_folders)

    def _elf_files(self) -> list[tuple[str, ElfObject]]:
        found = []
        for folder, folders, files in os.walk(self.root):
            here = "/" + os.path.relpath(folder, self.root).removeprefix(".").lstrip("/")
            folders[:] = [name for name in sorted(folders) if f"{here.rstrip('/')}/{name}" not in SKIPPED]
            for name in sorted(files):
                path = Path(folder) / name
                if path.is_symlink() or not path.is_file() or path.stat().st_size < 64:
                    continue
                try:
                    one = read_object(path)
                except (NotElfError, OSError):
                    continue
                found.append((f"{here.rstrip('/')}/{name}", one))
        return found


def distribution_files(image: Image, name: str) -> set[str]:
    """Return the paths of an installed distribution's files, by its RECORD (SystemExit without one)."""
    wanted = re.sub(r"[-_.]+", "_", name).lower()
    for record in image.root.glob("**/site-packages/*.dist-info/RECORD"):
        stem = record.parent.name.removesuffix(".dist-info").rpartition("-")[0]
        if re.sub(r"[-_.]+", "_", stem).lower() == wanted:
            site = "/" + str(record.parent.parent.relative_to(image.root))
            rows = record.read_text("utf-8").splitlines()
            return {os.path.normpath(f"{site}/{row.split(',')[0]}") for row in rows}
    raise SystemExit(f"distribution {name} is not installed")


def examine(image: Image, ours: tuple[str, ...], files: set[str], absent: dict[str, str]) -> Findings:
    """Look for every library that an object of the machine's architecture needs or asks for."""
    counted: dict[int, int] = defaultdict(int)
    for one in image.files.values():
        counted[one.machine] += 1
    machine = max(counted, key=lambda key: counted[key]) if counted else 0
    result = Findings()
    for path, listed in image.files.items():
        if listed.machine != machine:
            result.foreign += 1
            continue
        result.objects += 1
        own = path in files or any(path == folder or path.startswith(f"{folder}/") for folder in ours)
        one = read_object(image.root / path.lstrip("/"), texts=True) if own else listed
        if one.interpreter and not image.has_library(one.interpreter):
            result.unresolved[one.interpreter].add(path)
        for name in (*one.needed, *one.asked):
            result.names.add(name)
            if image.finds(name, path, one) or name in DRIVER:
                continue
            pattern = next((one for one in absent if fnmatch.fnmatchcase(name, one)), "")
            if pattern:
                result.excused[pattern].add(path)
            elif name in image.names and not own:
                result.elsewhere[name].add(path)
            else:
                result.unresolved[name].add(path)
    return result


def shown(title: str, found: dict[str, set[str]]) -> list[str]:
    """Return lines for libraries with the objects that ask for them."""
    lines = [f"{title}: {len(found)}"] if found else []
    for name, paths in sorted(found.items())[:SHOWN]:
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        lines.append(f"  {name}  for {min(paths)}{more}")
    return lines


def main(words: list[str]) -> int:
    """Examine the image and print what was found; 1 where a library is unresolved."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--root", type=Path, default=Path("/"))
    parser.add_argument("--ours", action="append", default=[], metavar="PATH")
    parser.add_argument("--distribution", action="append", default=[], metavar="NAME")
    parser.add_argument("--absent", action="append", default=[], metavar="LIBRARY=REASON")
    options = parser.parse_args(words)
    image = Image(options.root.resolve())
    absent = dict(row.partition("=")[::2] for row in options.absent)
    unreasoned = sorted(name for name, reason in absent.items() if not reason)
    files = {path for name in options.distribution for path in distribution_files(image, name)}
    found = examine(image, tuple(options.ours), files, absent)
    for line in (
        *shown("found elsewhere in the image, so a program must load it first", found.elsewhere),
        *shown("absent on purpose", found.excused),
        *shown("UNRESOLVED", found.unresolved),
    ):
        print(line)
    idle = sorted(absent.keys() - found.excused.keys())
    for name in (*unreasoned, *idle):
        print(f"--absent {name}: {'no reason is given' if name in unreasoned else 'nothing lacks it'}")
    print(
        f"{found.objects} objects name {len(found.names)} libraries ({found.foreign} objects of other "
        f"architectures were left out)"
    )
    if found.unresolved or idle or unreasoned or not found.objects:
        print(f"unresolved libraries: {len(found.unresolved)}" if found.objects else "no object was found")
        return 1
    print("no unresolved library outside the driver's list")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
