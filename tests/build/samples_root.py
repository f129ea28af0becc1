"""A file system that can run shell steps, made of this machine's own programs: no registry is needed."""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
from pathlib import Path

PROGRAMS = ("sh", "cat", "chmod", "date", "gzip", "hostname", "mkdir", "mktemp", "nproc", "printf", "rm", "sleep", "sort",
            "tar", "touch")  # fmt: skip


def write_root(path: Path, more: tuple[str, ...] = ()) -> None:
    """Write a tar with the programs, and `more` of them, and the libraries that they load."""
    files: dict[str, Path] = {}
    for name in (*PROGRAMS, *more):
        found = shutil.which(name)
        assert found is not None, name
        files[f"usr/bin/{name}"] = Path(found).resolve()
        said = subprocess.run(["ldd", found], capture_output=True, text=True, check=True).stdout
        for library in re.findall(r"(/\S+) \(0x", said):
            files[library.lstrip("/")] = Path(library).resolve()
    with tarfile.open(path, "w") as archive:
        for target, file in sorted(files.items()):
            inside = re.sub(r"^(lib|lib64|bin)/", r"usr/\1/", target)
            info = archive.gettarinfo(file, inside)
            info.uid = info.gid = info.mtime = 0
            info.uname = info.gname = ""
            with file.open("rb") as content:
                archive.addfile(info, content)
        for link in ("bin", "lib", "lib64"):
            info = tarfile.TarInfo(link)
            info.type, info.linkname = tarfile.SYMTYPE, f"usr/{link}"
            archive.addfile(info)
        info = tarfile.TarInfo("tmp")
        info.type, info.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(info)
