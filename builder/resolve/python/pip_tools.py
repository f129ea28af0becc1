"""pip-tools, the second resolver: it shares no code with uv, and answers for the machine that this runs on.

pip-compile solves for its own interpreter, C library and processor. It knows no date bound, and pip knows
no mirrors: it is given the gateway's address of the index as it was before the bound.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from builder.errors import NoSolutionError, ToolError
from builder.io import clean_environment, run
from builder.model import exact_version, normalized_name, recipe_requirement
from builder.recipe import StandIn
from builder.resolve.python.stand_in_wheels import write_stand_ins

if TYPE_CHECKING:
    from builder.index import IndexServices
    from builder.lockfile import Lock
    from builder.recipe import PythonRequest

__all__ = ["RunningMachine", "pip_tools_name", "running_machine", "solve_with_pip_tools"]

_SHOWN_LINES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningMachine:
    """What pip-tools solves for."""

    os: str
    """As locks name it, such as `debian-12`; empty where the machine does not say."""
    arch: str
    glibc: str
    """Empty for another C library."""
    python: str
    """The full version of the interpreter."""

    def why_not(self, lock: Lock) -> str:
        """Return what of the target of `lock` is not so here, or an empty text; patch releases may differ."""
        target = lock.environment
        pairs = (
            ("machine", lock.arch, self.arch),
            ("OS", target.os, self.os),
            ("glibc", target.glibc, self.glibc),
            ("Python", target.python, ".".join(self.python.split(".")[:2])),
        )
        differing = [
            f"{what} {wanted}, and this is {here or 'another'}"
            for what, wanted, here in pairs
            if wanted != here
        ]
        return "; ".join(differing)


def running_machine() -> RunningMachine:
    """Return the machine that this program runs on."""
    libc, libc_version = platform.libc_ver()
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    return RunningMachine(
        os="-".join(filter(None, (release.get("ID"), release.get("VERSION_ID")))),
        arch=platform.machine(),
        glibc=".".join(libc_version.split(".")[:2]) if libc == "glibc" else "",
        python=platform.python_version(),
    )


def pip_tools_name() -> str:
    """Return the second resolver, the pip that it drives, and their versions; ToolError without it."""
    if importlib.util.find_spec("piptools") is None:
        raise ToolError(
            "is not installed", place="pip-tools", hint="install the distribution pip-tools beside lockwright"
        )
    return f"pip-tools {version('pip-tools')} (pip {version('pip')})"


def solve_with_pip_tools(request: PythonRequest, services: IndexServices) -> dict[str, str]:
    """Return the versions of `request`'s distributions by name, as pip-compile chooses them for this machine.

    Left out: what a base image holds. NoSolutionError where pip-compile finds none, FetchError where an index
    gave no answer. No pin of a lock is kept.
    """
    pip_tools_name()
    with tempfile.TemporaryDirectory(prefix="lockwright-") as name, services.gateway.running():
        folder = Path(name)
        write_stand_ins(request, folder / "wheels")
        _write_requirements(request, folder)
        done = run(
            _pip_compile_command(request, services, folder),
            env=clean_environment({"HOME": name, "PIP_CONFIG_FILE": os.devnull, "NO_PROXY": "127.0.0.1"}),
            cwd=folder,
            accept=tuple(range(128)),
        )
        if done.returncode:
            unanswered = services.gateway.first_error()
            if unanswered is not None:
                raise unanswered
            said = services.gateway.with_real_urls(done.errors).strip().splitlines()[-_SHOWN_LINES:]
            raise NoSolutionError("pip-tools finds no solution\n" + "\n".join(said))
        pins = _read_pins((folder / "out.txt").read_text("utf-8"))
    held = {
        canonicalize_name(one.name) for one in request.given if isinstance(one, StandIn) and not one.build
    }
    return {name: pinned for name, pinned in pins.items() if name not in held}


def _write_requirements(request: PythonRequest, folder: Path) -> None:
    bounds = (*request.constraints, *(f"{item.name}=={item.version}" for item in request.given))
    (folder / "bounds.txt").write_text("".join(f"{line}\n" for line in bounds), "utf-8")
    (folder / "in.txt").write_text(
        "".join(f"{line}\n" for line in (*request.roots, "-c bounds.txt")), "utf-8"
    )


def _pip_compile_command(request: PythonRequest, services: IndexServices, folder: Path) -> list[str]:
    roots = {normalized_name(recipe_requirement(root)) for root in request.roots}
    elsewhere = {name: index.url for name in sorted(roots) if (index := request.index_of(name))}
    url = services.gateway.dated_address(services.index_url, request.exclude_newer, elsewhere)
    words = ["--quiet", "--no-header", "--no-annotate", "--strip-extras", "--allow-unsafe", "--no-config"]
    words += ["--no-emit-options", "--rebuild", "--resolver=backtracking"]
    words += ["--index-url", url, "--find-links", str(folder / "wheels")]
    words += ["--cache-dir", str(folder / "pip-tools")]
    words += ["--pip-args", f"--isolated --only-binary=:all: --cache-dir {folder / 'pip'}"]
    return [sys.executable, "-m", "piptools", "compile", *words, "--output-file", "out.txt", "in.txt"]


def _read_pins(text: str) -> dict[str, str]:
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    pins = [Requirement(line) for line in lines if line and not line.startswith("-")]
    return {normalized_name(pin): exact_version(pin.specifier) for pin in pins}
