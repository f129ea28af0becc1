"""Rules of checks: what a check expects agrees with the rows that will print it (trap T15). Pure.

A check is a command, so in general only running it tells. Three forms say
which row answers, and are judged: the CUDA that a distribution was built for
(`torch.version.cuda`), the version of a distribution (`version('vllm')`,
`vllm.__version__`), and a program of a component that is asked for its version
(`/opt/ucx/bin/ucx_info -v`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from builder.lockfile.cuda import CudaBuild, CudaVersion, cuda_build, cuda_version
from builder.lockfile.labels import row_label
from builder.lockfile.lock import GPU, PROGRAMS_FOLDER, RUNTIME, Build, Check, Lock, PythonPackage
from builder.lockfile.rule import Fault, LockRule

__all__ = ["CHECK_RULES", "filled_expectation"]

_HINT = "mend what the recipe's check expects, or restore the file; the rows fill in `{cuda:torch}`"
_CUDA_PLACEHOLDER = re.compile(r"\{cuda:([^{}]+)\}")
_CUDA_OF = re.compile(r"\b([A-Za-z_][A-Za-z0-9_]*)\.version\.cuda\b")
_VERSION_OF = re.compile(r"\bversion\(\s*['\"]([A-Za-z0-9._-]+)['\"]\s*\)")
_MODULE_VERSION = re.compile(r"\b([A-Za-z_][A-Za-z0-9_]*)\.__version__\b")
_STATED_VERSION = re.compile(r"(?<![0-9A-Za-z.])v?([0-9]+(?:\.[0-9]+)+(?:[a-z0-9.+!-]*[a-z0-9])?)")
_ASKS_VERSION = frozenset({"--version", "-version", "-v", "-V", "version"})


def filled_expectation(expect: str, rows: Iterable[PythonPackage]) -> str:
    """Return what a check expects, with the CUDA that NAME is built for in place of `{cuda:NAME}`.

    The rows of the image tell it (`cuda_build`). Where they do not, the
    placeholder is left, and the rule of expectations refuses the lock.
    """
    installed = {row.name: row for row in rows if RUNTIME in row.for_}

    def version(found: re.Match[str]) -> str:
        row = installed.get(canonicalize_name(found[1]))
        build = cuda_build(row, installed.values()) if row else None
        return str(build.version) if build and build.version else found[0]

    return _CUDA_PLACEHOLDER.sub(version, expect)


def _check_faults(lock: Lock) -> Iterator[Fault]:
    """Yield the checks of the image, then those of builds, whose expectation the rows contradict."""
    installed = {row.name: row for row in lock.python if RUNTIME in row.for_}
    provided = {text.partition("==")[0] for image in lock.images for text in image.python}
    for check in lock.runtime.checks:
        found = (*_cuda_texts(check, installed, provided), *_version_texts(check, installed, provided))
        yield from (_check_fault(check, installed.get(name), text) for name, text in found)
        for build in lock.builds:
            if text := _program_text(check, build):
                yield _check_fault(check, None, text)
    for build in lock.builds:
        for check in build.checks:
            if text := _program_text(check, build):
                yield _check_fault(check, build, text)


def _check_fault(check: Check, row: PythonPackage | Build | None, text: str) -> Fault:
    """Return a fault in the row that answers the check: what is wrong with that row is told once."""
    label = row_label(row) if row else "runtime"
    return Fault(row=label, text=f"check {_shown_command(check)}: {text}", hint=_HINT)


def _shown_command(check: Check) -> str:
    """Return the program text of `python -c`, or the whole command."""
    return repr(check.run[-1] if "-c" in check.run else " ".join(check.run))


def _cuda_texts(
    check: Check, installed: dict[str, PythonPackage], provided: set[str]
) -> Iterator[tuple[str, str]]:
    """Yield where a check expects another CUDA than the rows say that a distribution was built for."""
    unfilled = _CUDA_PLACEHOLDER.findall(check.expect)
    asked = {found for word in check.run for found in _CUDA_OF.findall(word)}
    for name in sorted(canonicalize_name(found) for found in {*unfilled, *asked}):
        if name in provided and not unfilled:
            continue
        row = installed.get(name)
        if row is None:
            yield name, f"it asks {name} for its CUDA, and no row installs {name}"
            continue
        build = cuda_build(row, installed.values())
        if unfilled or build.cuda is False:
            yield name, f"it expects {check.expect!r}, and {_described_build(row, build)}"
            continue
        stated = [
            version for text in _STATED_VERSION.findall(check.expect) if (version := cuda_version(text))
        ]
        if (
            build.version
            and stated
            and not any(_versions_agree(version, build.version) for version in stated)
        ):
            text = f"{row.name} {row.version} is for CUDA {build.version} ({build.by} says so)"
            yield name, f"it expects {check.expect!r}, and {text}"


def _described_build(row: PythonPackage, build: CudaBuild) -> str:
    if build.cuda is False:
        return f"{row.file or f'{row.name} {row.version}'} is built without CUDA"
    return f"no row tells the CUDA of {row.name} {row.version}"


def _versions_agree(one: CudaVersion, other: CudaVersion) -> bool:
    return one.major == other.major and (None in (one.minor, other.minor) or one.minor == other.minor)


def _version_texts(
    check: Check, installed: dict[str, PythonPackage], provided: set[str]
) -> Iterator[tuple[str, str]]:
    """Yield where a check asks for a distribution that no row installs, or expects another version of it."""
    by_name = {found for word in check.run for found in _VERSION_OF.findall(word)}
    for asked in sorted(by_name):
        if canonicalize_name(asked) not in {*installed} | provided:
            yield asked, f"it asks for the version of {asked}, and no row installs {asked}"
    # A module may be called otherwise than its distribution: only a row of its name tells.
    by_module = {found for word in check.run for found in _MODULE_VERSION.findall(word)}
    rows = [row for name in sorted(by_name | by_module) if (row := installed.get(canonicalize_name(name)))]
    stated = _STATED_VERSION.findall(check.expect)
    if stated and rows and not any(_same_version(text, row.version) for text in stated for row in rows):
        shown = " and ".join(f"{row.name} is {row.version}" for row in rows)
        yield rows[0].name, f"it expects {check.expect!r}, and {shown}"


def _program_text(check: Check, build: Build) -> str:
    """Return where a program of a component is expected to print another version than the component's."""
    if not build.prefix or not check.run or not check.run[0].startswith(f"{build.prefix}/"):
        return ""
    stated = _STATED_VERSION.findall(check.expect)
    if not stated or not _ASKS_VERSION & {*check.run[1:]}:
        return ""
    if any(_same_version(text, build.version) for text in stated):
        return ""
    return f"it expects {check.expect!r}, and {build.component} is {build.version}"


def _same_version(stated: str, version: str) -> bool:
    """Whether a program of `version` can print `stated`: equal, or equal in the numbers as far as they go."""
    if stated == version or version.startswith(f"{stated}."):
        return True
    try:
        shown, row = Version(stated), Version(version)
    except InvalidVersion:
        return version.partition("-")[0] == stated.partition("-")[0]
    if shown.is_prerelease or shown.is_postrelease or shown.local:
        return shown == row or (shown.local is None and str(shown) == row.public)
    return row.release[: len(shown.release)] == shown.release


_PROGRAM = re.compile(r"checks/[a-z][a-z0-9_]*\.(?:py|sh|c)")


def _check_program_faults(lock: Lock) -> Iterator[Fault]:
    """Yield checks whose program, need or bound in time is not one that can be run."""
    digests: dict[str, str] = {}
    owned = [("runtime", check) for check in lock.runtime.checks]
    owned += [(row_label(build), check) for build in lock.builds for check in build.checks]
    for row, check in owned:
        for text in _program_texts(check):
            yield Fault(row=row, text=f"check {_shown_command(check)}: {text}", hint=_HINT)
        if check.program and digests.setdefault(check.program, str(check.sha256)) != str(check.sha256):
            text = f"check {_shown_command(check)}: {check.program} has another SHA-256 in another check"
            yield Fault(row=row, text=text, hint=_HINT)


def _program_texts(check: Check) -> Iterator[str]:
    if bool(check.program) != (check.sha256 is not None):
        yield "a program and its sha256 belong together"
    if check.program and not _PROGRAM.fullmatch(check.program):
        yield f"{check.program!r} is not a program of the recipes, such as checks/elf_closure.py"
    if check.program and f"{PROGRAMS_FOLDER}/{check.program_file}" not in check.run:
        yield f"its command does not run {PROGRAMS_FOLDER}/{check.program_file}"
    if check.needs not in ("", GPU):
        yield f"it needs {check.needs!r}, which is not known"
    if check.seconds < 0:
        yield f"it may run {check.seconds} seconds"


CHECK_RULES = (
    LockRule(
        id="check-programs",
        says="A check names a program of the recipes with its SHA-256, runs it, and needs what is known.",
        stops=True,
        why="which bytes are run is not determined",
        finds=_check_program_faults,
    ),
    LockRule(
        id="check-expectations",
        says="What checks expect of distributions, of their CUDA and of components is what the rows have.",
        stops=True,
        why="the locked bytes cannot pass the lock's own check",
        finds=_check_faults,
        unsolvable=True,
        after=("cuda-builds", "one-cuda"),
    ),
)
"""The rules of checks."""
