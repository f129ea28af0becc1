"""Every ELF object of an image finds the libraries that it needs, as the dynamic linker looks for them. Pure.

`recipes/checks/elf_closure.py` asks the same inside an image, and also for the names that our own objects
give to dlopen. It must stand alone, so both have the rules of ld.so(8); a test compares their answers.
"""

from __future__ import annotations

import fnmatch
import re
import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from builder.lockfile import Finding, Lock, found, row_label
from builder.model import ElfObject, ImageFiles

__all__ = ["DRIVER", "LibraryClosure", "library_closure"]

DRIVER = frozenset(
    {
        "libcuda.so",
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
"""What NVIDIA's container toolkit brings into a container: the host's, so no image holds it."""

_MACHINES = {"x86_64": 62, "aarch64": 183}
_DEFAULT_FOLDERS = ("lib64", "usr/lib64", "lib", "usr/lib")
_CACHE, _CACHE_MAGIC = "etc/ld.so.cache", b"glibc-ld.so.cache1.1"
_MOST_LINKS = 40  # as the kernel's ELOOP
_PROGRAM = "elf_closure.py"
_SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryClosure:
    """What was looked at, and what is missing."""

    findings: tuple[Finding, ...]
    objects: int
    """Of the lock's architecture; others, such as firmware of GPUs, cannot be loaded there."""
    elsewhere: int
    """Libraries that the linker does not find, but that lie in the image: a program must load them first."""


def library_closure(lock: Lock, image: ImageFiles) -> LibraryClosure:
    """Look for every library that an object of the lock's architecture needs.

    The driver's (`DRIVER`) may be missing, and those that a check of the lock names with `--absent`. One that
    is elsewhere in the image is enough for what others built, not for what is in the prefix of a build.
    """
    machine = _MACHINES[str(lock.arch)]
    objects = {path: one for path, one in image.objects.items() if one.machine == machine}
    linker = _ImageLinker(image, str(lock.arch))
    names = {path.rpartition("/")[2] for path in objects}
    prefixes = {f"{b.prefix.removeprefix('/')}/": row_label(b) for b in lock.builds if b.runtime and b.prefix}
    absent = _absent_patterns(lock)
    elsewhere: set[str] = set()
    missing: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path, one in sorted(objects.items()):
        row = next((row for prefix, row in prefixes.items() if path.startswith(prefix)), "")
        if one.interpreter and linker.file(one.interpreter) is None:
            missing[row, one.interpreter].append(path)
        for name in one.needed:
            if name in DRIVER or linker.finds(name, path, one):
                continue
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in absent):
                continue
            if name in names and not row:
                elsewhere.add(name)
            else:
                missing[row, name].append(path)
    findings = [_missing_finding(row, name, paths) for (row, name), paths in sorted(missing.items())]
    return LibraryClosure(findings=tuple(findings[:_SHOWN]), objects=len(objects), elsewhere=len(elsewhere))


def _missing_finding(row: str, name: str, paths: list[str]) -> Finding:
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return found("unresolved", f"{name}: the dynamic linker does not find it for /{paths[0]}{more}", row=row)


def _absent_patterns(lock: Lock) -> tuple[str, ...]:
    """Return what the lock's own checks say to be missing on purpose, each `--absent=LIBRARY=REASON`."""
    checks = (*lock.runtime.checks, *(check for build in lock.builds for check in build.checks))
    words = (word for check in checks if check.program_file == _PROGRAM for word in check.run)
    stated = (word.removeprefix("--absent=").partition("=") for word in words if word.startswith("--absent="))
    return tuple(name for name, _, reason in stated if name and reason)


class _ImageLinker:
    """The dynamic linker of an image, which loads nothing."""

    def __init__(self, image: ImageFiles, arch: str) -> None:
        self._image = image
        self._cache = dict(_cache_entries(image.contents))
        multiarch = f"{arch}-linux-gnu"
        self._folders = (f"lib/{multiarch}", f"usr/lib/{multiarch}", *_DEFAULT_FOLDERS)

    def file(self, path: str) -> str | None:
        """Return the file that a path leads to, links followed inside the image; None without one."""
        parts, at, links = [part for part in path.split("/") if part], "", 0
        while parts:
            part = parts.pop(0)
            if part == ".":
                continue
            if part == "..":
                at = at.rpartition("/")[0]
                continue
            step = f"{at}/{part}".lstrip("/")
            fact = self._image.files.get(step)
            if fact is None or fact.kind != "symlink":
                at = step
                continue
            links += 1
            if links > _MOST_LINKS:
                return None
            at = "" if fact.target.startswith("/") else at
            parts = [*(piece for piece in fact.target.split("/") if piece), *parts]
        here = self._image.files.get(at)
        return at if here is not None and here.kind == "file" else None

    def finds(self, name: str, path: str, one: ElfObject) -> bool:
        """Whether library `name` is found for the object at `path`."""
        if "/" in name:
            return self.file(name) is not None
        origin = path.rpartition("/")[0]
        own = (re.sub(r"\$(?:ORIGIN|\{ORIGIN\})", lambda _: f"/{origin}", text) for text in one.folders)
        if any(self.file(f"{folder}/{name}") for folder in own):
            return True
        if name in self._cache and self.file(self._cache[name]):
            return True
        return any(self.file(f"{folder}/{name}") for folder in self._folders)


def _cache_entries(contents: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Yield (name, path) of ld.so.cache in glibc's format since 2.2, the one that counts last."""
    data = contents.get(_CACHE, b"")
    begin = data.find(_CACHE_MAGIC)
    if begin < 0:
        return
    rows = data[begin:]
    try:
        (count,) = struct.unpack_from("<I", rows, 20)
        places = [struct.unpack_from("<iII", rows, 48 + 24 * index) for index in range(count)]
        entries = [tuple(rows[at : rows.index(b"\0", at)].decode() for at in place[1:]) for place in places]
    except (struct.error, ValueError):
        return  # the linker would not read it either
    yield from ((name, path) for name, path in reversed(entries))
