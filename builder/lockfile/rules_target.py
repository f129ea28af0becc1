"""Rules of the head of a lock: target, environment, run-time settings, inputs. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.errors import BuilderError
from builder.lockfile.canonical import summary_digest
from builder.lockfile.lock import PYTHON_FOLDER, Lock
from builder.lockfile.rule import Fault, LockRule
from builder.lockfile.shapes import COUNT, DIGITS, MOMENT, NAME, clean_folder
from builder.model import target_tags

__all__ = ["TARGET_RULES"]

_RESOLVER = re.compile(r"[a-z]+ \d+(\.\d+)+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VERSION_SHAPES = {"glibc": r"2\.\d{1,3}", "python": r"3\.\d{1,3}", "cuda": r"(\d{1,2}\.\d{1,2})?"}


def _target_name_faults(lock: Lock) -> Iterator[Fault]:
    for key in ("release", "framework", "platform"):
        if not NAME.fullmatch(getattr(lock, key)):
            yield Fault(row="", text=f"{key} {getattr(lock, key)!r} is not a name")
    for key in ("family", "os"):
        if not NAME.fullmatch(getattr(lock.environment, key)):
            yield Fault(row="environment", text=f"{key} {getattr(lock.environment, key)!r} is not a name")


def _environment_version_faults(lock: Lock) -> Iterator[Fault]:
    environment = lock.environment
    malformed = [
        f"{key} {getattr(environment, key)!r} is not a version"
        for key, shape in _VERSION_SHAPES.items()
        if not re.fullmatch(shape, getattr(environment, key))
    ]
    yield from (Fault(row="environment", text=text) for text in malformed)
    if not malformed:
        try:
            target_tags(lock.arch, environment.glibc, environment.python)
        except BuilderError as error:
            yield Fault(row="environment", text=str(error))


def _gpu_arch_faults(lock: Lock) -> Iterator[Fault]:
    archs = lock.environment.gpu_archs
    if any(not COUNT.fullmatch(arch) for arch in archs):
        yield Fault(row="environment", text="gpu-archs are not numbers")
    elif list(archs) != sorted(set(archs), key=int):
        yield Fault(row="environment", text="gpu-archs are not sorted and unique")
    if bool(archs) != bool(lock.environment.cuda):
        yield Fault(row="environment", text="cuda and gpu-archs go together")


def _source_date_faults(lock: Lock) -> Iterator[Fault]:
    if lock.source_date_epoch <= 0:
        yield Fault(row="", text=f"source-date-epoch is {lock.source_date_epoch}")


def _date_bound_faults(lock: Lock) -> Iterator[Fault]:
    if not MOMENT.fullmatch(lock.exclude_newer):
        yield Fault(row="", text=f"exclude-newer {lock.exclude_newer!r} is not a moment")


def _resolver_faults(lock: Lock) -> Iterator[Fault]:
    if not _RESOLVER.fullmatch(lock.resolver):
        yield Fault(row="", text=f"resolver {lock.resolver!r} is not a program and version")


def _interpreter_faults(lock: Lock) -> Iterator[Fault]:
    """Yield what is wrong where a build brings Python: the image and every environment must have it."""
    name = lock.environment.interpreter
    if not name:
        return
    build = next((build for build in lock.builds if build.component == name), None)
    if build is None or not build.prefix or not build.runtime:
        yield Fault(row="environment", text=f"interpreter {name} is not a build whose prefix is in the image")
        return
    users = {use for row in lock.python for use in row.for_}
    without = [b.component for b in lock.builds if b.component in users and name not in b.needs]
    for component in without:
        text = f"{component} has a Python environment and does not need the interpreter {name}"
        yield Fault(row="environment", text=text)


def _library_path_faults(lock: Lock) -> Iterator[Fault]:
    folders = lock.runtime.library_path
    if len(set(folders)) != len(folders):
        yield Fault(row="runtime", text="library-path has a folder twice")
    for folder in folders:
        if not clean_folder(folder):
            yield Fault(row="runtime", text=f"library-path: {folder!r} is not an absolute folder")


def _outside_library_path_faults(lock: Lock) -> Iterator[Fault]:
    # A platform names folders of the Python environment for every framework, also for one without Python.
    prefixes = [PYTHON_FOLDER, *(build.prefix for build in lock.builds if build.runtime)]
    for folder in lock.runtime.library_path:
        inside = any(folder == prefix or folder.startswith(f"{prefix}/") for prefix in prefixes)
        if clean_folder(folder) and not inside:
            yield Fault(
                row="runtime", text=f"library-path: {folder} is not inside anything that the image has"
            )


def _runtime_variable_faults(lock: Lock) -> Iterator[Fault]:
    for name, _ in lock.runtime.env:
        if not _VARIABLE.fullmatch(name):
            yield Fault(row="runtime", text=f"env: {name!r} is not a variable's name")


def _runtime_check_faults(lock: Lock) -> Iterator[Fault]:
    if any(not check.run or not check.run[0] for check in lock.runtime.checks):
        yield Fault(row="runtime", text="a check is empty")


def _input_digest_faults(lock: Lock) -> Iterator[Fault]:
    for key, value in lock.inputs:
        if not DIGITS.fullmatch(value):
            yield Fault(row="inputs", text=f"{key}: {value!r} is not 16 hexadecimal digits")


def _inputs_and_builds_faults(lock: Lock) -> Iterator[Fault]:
    parts = [key.split(".") for key, _ in lock.inputs if key.startswith("component.")]
    named = {part[1] for part in parts if len(part) > 2}
    built = {build.component for build in lock.builds}
    for name in sorted(named ^ built):
        text = (
            f"{name} is an input, but has no build"
            if name in named
            else f"{name} is built, but is not an input"
        )
        yield Fault(row="inputs", text=text)


def _recipe_digest_faults(lock: Lock) -> Iterator[Fault]:
    if lock.recipe_digest != summary_digest(lock.inputs):
        yield Fault(row="inputs", text="recipe-digest is not the digest of inputs")


_NOT_RENDERED = "only `lock` reads it, and the image is the same"

TARGET_RULES = (
    LockRule(
        id="target-names",
        says="Release, framework, platform, family and OS are names in lower case.",
        stops=True,
        why="they are folders and stage names",
        finds=_target_name_faults,
    ),
    LockRule(
        id="environment-versions",
        says="glibc, Python and CUDA are versions, and wheels exist for such a target.",
        stops=True,
        why="every wheel is judged by them",
        finds=_environment_version_faults,
    ),
    LockRule(
        id="gpu-archs",
        says="GPU architectures are sorted numbers, and stand beside a CUDA version only.",
        stops=True,
        why="with one of the two the lock contradicts itself",
        finds=_gpu_arch_faults,
    ),
    LockRule(
        id="source-date-epoch",
        says="The time of all files is after 1970.",
        stops=True,
        why="tars cannot hold an earlier time",
        finds=_source_date_faults,
    ),
    LockRule(
        id="exclude-newer",
        says="The date bound is a moment in UTC.",
        stops=False,
        why=_NOT_RENDERED,
        finds=_date_bound_faults,
    ),
    LockRule(
        id="resolver",
        says="The resolver is a program and its version.",
        stops=False,
        why=_NOT_RENDERED,
        finds=_resolver_faults,
    ),
    LockRule(
        id="interpreter",
        says="A build that brings Python is in the image and in every build with a Python environment.",
        stops=True,
        why="nothing could run Python there",
        finds=_interpreter_faults,
    ),
    LockRule(
        id="library-path",
        says="Folders for the dynamic linker are absolute, each there once.",
        stops=True,
        why="they become lines of ld.so.conf",
        finds=_library_path_faults,
    ),
    LockRule(
        id="library-path-outside",
        says="Folders for the dynamic linker are in a prefix that the image has.",
        stops=False,
        why="the linker skips a folder that is not there",
        finds=_outside_library_path_faults,
    ),
    LockRule(
        id="runtime-variables",
        says="Variables of the image have names that a shell accepts.",
        stops=True,
        why="no Dockerfile can set others",
        finds=_runtime_variable_faults,
    ),
    LockRule(
        id="runtime-checks",
        says="Every check of the image names a program.",
        stops=True,
        why="an empty command proves nothing",
        finds=_runtime_check_faults,
    ),
    LockRule(
        id="input-digests",
        says="Each input has 16 digits of a digest.",
        stops=True,
        why="freshness is judged by them",
        finds=_input_digest_faults,
    ),
    LockRule(
        id="recipe-digest",
        says="The digest of the recipe is that of the inputs.",
        stops=True,
        why="freshness is judged by it",
        finds=_recipe_digest_faults,
        after=("input-digests",),
    ),
    LockRule(
        id="inputs-and-builds",
        says="Every build is an input of the recipe, and every input component a build.",
        stops=False,
        why="the image is the same; freshness compares builds with the recipe",
        finds=_inputs_and_builds_faults,
        after=("recipe-digest",),
    ),
)
"""The rules of the head, causes before consequences."""
