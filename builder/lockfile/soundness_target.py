"""What a lock says of itself: its target, environment, run-time settings and inputs. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.lockfile.finding import Finding, found
from builder.lockfile.lock import PYTHON_FOLDER, Environment, Lock
from builder.lockfile.shapes import COUNT, DIGITS, MOMENT, NAME, clean_folder

__all__ = ["target_faults"]

_RESOLVER = re.compile(r"[a-z]+ \d+(\.\d+)+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBERS = {"glibc": r"2\.\d{1,3}", "python": r"3\.\d{1,3}", "cuda": r"(\d{1,2}\.\d{1,2})?"}


def target_faults(lock: Lock) -> Iterator[Finding]:
    """Yield what is wrong with the head of `lock`."""
    for key in ("release", "framework", "platform"):
        if not NAME.fullmatch(getattr(lock, key)):
            yield found("integrity", f"{key} {getattr(lock, key)!r} is no name")
    if not MOMENT.fullmatch(lock.exclude_newer):
        yield found("integrity", f"exclude-newer {lock.exclude_newer!r} is no moment")
    if lock.source_date_epoch <= 0:
        yield found("integrity", f"source-date-epoch is {lock.source_date_epoch}")
    if not _RESOLVER.fullmatch(lock.resolver):
        yield found("integrity", f"resolver {lock.resolver!r} is no program and version")
    yield from (found("integrity", text, row="environment") for text in _environment(lock.environment))
    yield from (found("integrity", text, row="runtime") for text in _runtime(lock))
    yield from (found("integrity", text, row="inputs") for text in _inputs(lock))


def _environment(environment: Environment) -> Iterator[str]:
    for key, shape in _NUMBERS.items():
        value = getattr(environment, key)
        if not re.fullmatch(shape, value):
            yield f"{key} {value!r} is no version"
    for key in ("family", "os"):
        if not NAME.fullmatch(getattr(environment, key)):
            yield f"{key} {getattr(environment, key)!r} is no name"
    archs = environment.gpu_archs
    if any(not COUNT.fullmatch(arch) for arch in archs):
        yield "gpu-archs are not numbers"
    elif list(archs) != sorted(set(archs), key=int):
        yield "gpu-archs are not sorted and unique"
    if bool(archs) != bool(environment.cuda):
        yield "cuda and gpu-archs go together"


def _runtime(lock: Lock) -> Iterator[str]:
    folders = lock.runtime.library_path
    prefixes = [build.prefix for build in lock.builds if build.runtime]
    # A platform names folders of the Python environment for every framework, also for one without Python.
    prefixes.append(PYTHON_FOLDER)
    if len(set(folders)) != len(folders):
        yield "library-path has a folder twice"
    for folder in folders:
        if not clean_folder(folder):
            yield f"library-path: {folder!r} is no absolute folder"
        elif not any(folder == prefix or folder.startswith(f"{prefix}/") for prefix in prefixes):
            yield f"library-path: {folder} is in nothing that the image has"
    for name, _ in lock.runtime.env:
        if not _VARIABLE.fullmatch(name):
            yield f"env: {name!r} is no name of a variable"
    checks = (*lock.runtime.checks, *(check for build in lock.builds for check in build.checks))
    if any(not check.run or not check.run[0] for check in checks):
        yield "a check is empty"


def _inputs(lock: Lock) -> Iterator[str]:
    for key, value in lock.inputs:
        if not DIGITS.fullmatch(value):
            yield f"{key}: {value!r} is not 16 hexadecimal digits"
    named = {
        key.split(".")[1] for key, _ in lock.inputs if key.startswith("component.") and key.count(".") > 1
    }
    built = {build.component for build in lock.builds}
    yield from (f"{name} is an input, and no build" for name in sorted(named - built))
    yield from (f"{name} is built, and no input" for name in sorted(built - named))
