"""Rules of a lock as a whole: its head, and the rows of every section. Pure.

The head: target, environment, run-time settings, inputs. Rows: order, lists,
evidence, sizes, places, bytes, environments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from builder.errors import BuilderError
from builder.lockfile.installed import (
    environment_packages,
    environments_without_python,
    glibc_version,
    os_python,
)
from builder.lockfile.labels import LockRow, LockSection, row_label, section_rows
from builder.lockfile.lock import (
    BASE,
    INSTALLER,
    RUNTIME,
    Archive,
    Image,
    Lock,
    OsPackage,
    PythonPackage,
    catalogue_digest,
    row_key,
    summary_digest,
)
from builder.lockfile.rule import (
    COUNT,
    DIGITS,
    MOMENT,
    NAME,
    PLAIN_FOLDER,
    Fault,
    LockRule,
    clean_folder,
    clean_path,
)
from builder.model import Evidence, key_name, target_tags

__all__ = ["ROW_RULES", "TARGET_RULES"]


_LAST_SECOND = 8**11 - 1
"""The last time that a ustar header holds, in the year 2242: layers and sources are such tars."""
_BRING_PYTHON = "name python3 under [packages] of the platform's recipe, or an `interpreter`"
_RESOLVER = re.compile(r"[a-z]+ \d+(\.\d+)+")
_USER = re.compile(r"[0-9]{1,9}:[0-9]{1,9}")
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


def _glibc_agreement_faults(lock: Lock) -> Iterator[Fault]:
    """Yield where the floor for wheels is not the lowest glibc that an environment of the lock has."""
    stated = lock.environment.glibc
    found = {
        version: environment
        for environment in (*sorted(lock.environments - {BASE, RUNTIME}), RUNTIME)
        if (version := glibc_version(_packages_of(lock, environment)))
    }
    lowest = min(found, key=lambda text: [int(part) for part in text.split(".")], default=stated)
    if lowest != stated:
        text = f"glibc is {stated}, and the OS packages of {found[lowest]} have glibc {lowest}"
        yield Fault(row="environment", text=text, hint=f'write glibc = "{lowest}" in the platform\'s recipe')


def _python_agreement_faults(lock: Lock) -> Iterator[Fault]:
    """Yield where the interpreter of an environment with Python rows has another minor version."""
    stated, maker = lock.environment.python, lock.environment.interpreter
    if maker:
        version = next((build.version for build in lock.builds if build.component == maker), "")
        if version and not version.startswith(f"{stated}."):
            text = f"python is {stated}, and {maker} builds {version}"
            yield Fault(row="environment", text=text, hint=_python_hint(version))
        return
    for environment in sorted({use for row in lock.python for use in row.for_} & lock.environments):
        version, package = os_python(_packages_of(lock, environment), stated)
        if version and version != stated and not version.startswith(f"{stated}."):
            text = f"python is {stated}, and {package} brings Python {version} to {environment}"
            yield Fault(row="environment", text=text, hint=_python_hint(version))


def _python_hint(version: str) -> str:
    minor = ".".join(version.split(".")[:2])
    return f'write python = "{minor}" in the platform\'s recipe, or bring another Python by a component'


def _packages_of(lock: Lock, environment: str) -> dict[str, str]:
    return environment_packages(environment, images=lock.images, rows=lock.os_packages)


def _gpu_arch_faults(lock: Lock) -> Iterator[Fault]:
    archs = lock.environment.gpu_archs
    if any(not COUNT.fullmatch(arch) for arch in archs):
        yield Fault(row="environment", text="gpu-archs are not numbers")
    elif list(archs) != sorted(set(archs), key=int):
        yield Fault(row="environment", text="gpu-archs are not sorted and unique")
    if bool(archs) != bool(lock.environment.cuda):
        yield Fault(row="environment", text="cuda and gpu-archs go together")


def _source_date_faults(lock: Lock) -> Iterator[Fault]:
    if not 0 < lock.source_date_epoch <= _LAST_SECOND:
        yield Fault(row="", text=f"source-date-epoch is {lock.source_date_epoch}")


def _date_bound_faults(lock: Lock) -> Iterator[Fault]:
    if not MOMENT.fullmatch(lock.exclude_newer):
        yield Fault(row="", text=f"exclude-newer {lock.exclude_newer!r} is not a moment")


def _resolver_faults(lock: Lock) -> Iterator[Fault]:
    if not _RESOLVER.fullmatch(lock.resolver):
        yield Fault(row="", text=f"resolver {lock.resolver!r} is not a program and version")


def _interpreter_faults(lock: Lock) -> Iterator[Fault]:
    """Yield the environments with Python distributions to which no build or package brings Python."""
    name = lock.environment.interpreter
    if not name:
        for environment in environments_without_python(lock):
            text = f"{environment} has Python distributions, and no package or build brings it Python"
            yield Fault(row="environment", text=text, hint=_BRING_PYTHON)
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


def _python_prefix_faults(lock: Lock) -> Iterator[Fault]:
    prefix = lock.environment.python_prefix
    if not PLAIN_FOLDER.fullmatch(prefix) or not clean_folder(prefix):
        yield Fault(row="environment", text=f"python-prefix: {prefix!r} is not a plain absolute folder")
        return
    for build in lock.builds:
        inside = f"{prefix}/".startswith(f"{build.prefix}/") or f"{build.prefix}/".startswith(f"{prefix}/")
        if build.prefix and inside:
            text = f"python-prefix {prefix} and the prefix {build.prefix} of {build.component} overlap"
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
    prefixes = [lock.environment.python_prefix, *(build.prefix for build in lock.builds if build.runtime)]
    for folder in lock.runtime.library_path:
        inside = any(folder == prefix or folder.startswith(f"{prefix}/") for prefix in prefixes)
        if clean_folder(folder) and not inside:
            yield Fault(
                row="runtime", text=f"library-path: {folder} is not inside anything that the image has"
            )


def _user_faults(lock: Lock) -> Iterator[Fault]:
    runtime = lock.runtime
    if not runtime.user:
        if runtime.home or runtime.writable:
            yield Fault(row="runtime", text="home or writable folders without a user")
        return
    if not _USER.fullmatch(runtime.user):
        yield Fault(row="runtime", text=f"user {runtime.user!r} is not two numbers such as 1000:0")
    for folder in (runtime.home, *runtime.writable):
        if not PLAIN_FOLDER.fullmatch(folder) or not clean_folder(folder):
            yield Fault(row="runtime", text=f"{folder!r} is not a plain absolute folder")


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


def _catalogue_faults(lock: Lock) -> Iterator[Fault]:
    digest = catalogue_digest(lock.inputs)
    stated = lock.catalogue.digest if lock.catalogue else None
    if digest != stated:
        yield Fault(row="catalogue", text="its digest is not that of the catalogue's files among the inputs")


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
        id="glibc-agreement",
        says="The glibc of the target is the lowest that its base and OS packages have.",
        stops=True,
        why="a wheel for a newer glibc does not start",
        finds=_glibc_agreement_faults,
        kind="target",
        unsolvable=True,
        after=("environment-versions",),
    ),
    LockRule(
        id="python-agreement",
        says="The Python of the target is that of its OS packages or of the build that brings it.",
        stops=True,
        why="no wheel for another Python can be imported",
        finds=_python_agreement_faults,
        kind="target",
        unsolvable=True,
        after=("environment-versions",),
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
        says="Each environment with Python distributions has Python, by a package or by one build for all.",
        stops=True,
        why="nothing could run Python there",
        finds=_interpreter_faults,
    ),
    LockRule(
        id="python-prefix",
        says="The image's Python environment is in a folder of its own, with a plain absolute path.",
        stops=True,
        why="programs name it in their first line, and one layer would overwrite another",
        finds=_python_prefix_faults,
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
        id="runtime-user",
        says="The image's user is two numbers, and its folders are plain absolute paths.",
        stops=True,
        why="they become a line of /etc/passwd and folders of the image",
        finds=_user_faults,
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
        id="catalogue-digest",
        says="What comes from the catalogue has one digest: that of its files among the inputs.",
        stops=True,
        why="it says whether an update of the package changed what the lock was made from",
        finds=_catalogue_faults,
        after=("recipe-digest",),
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


_ORDERED = (LockSection.SOURCES, LockSection.ARCHIVES, LockSection.PYTHON, LockSection.OS_PACKAGES)
"""Builds stand in the order in which they run; images and repositories in the recipe's."""

_SORTED_LISTS = {
    LockSection.IMAGES: ("roles", "inventory", "python"),
    LockSection.REPOSITORIES: ("signed_by",),
    LockSection.SOURCES: ("omitted",),
    LockSection.PYTHON: ("for_", "extras", "via"),
    LockSection.OS_PACKAGES: ("for_", "via"),
    LockSection.BUILDS: ("needs", "archives", "wheels"),
}


def _row_order_faults(lock: Lock) -> Iterator[Fault]:
    for section in _ORDERED:
        rows = section_rows(lock, section)
        for before, row in pairwise(rows):
            if (isinstance(row, PythonPackage | OsPackage)) and before.name < row.name:  # type: ignore[union-attr]
                continue  # names come first in their keys, and nearly all rows end here
            left, right = row_key(before), row_key(row)
            if left == right:
                yield Fault(row=row_label(row), text="it appears twice")
            elif left > right:
                yield Fault(row=row_label(row), text="it is out of order")


def _sorted_list_faults(lock: Lock) -> Iterator[Fault]:
    for section, fields in _SORTED_LISTS.items():
        for row in section_rows(lock, section):
            for field in fields:
                items = getattr(row, field)
                if len(items) > 1 and list(items) != sorted(set(items)):
                    yield Fault(row=row_label(row), text=f"{key_name(field)} is not sorted and unique")


def _publisher_faults(lock: Lock) -> Iterator[Fault]:
    rows: tuple[Image | Archive | PythonPackage, ...] = (*lock.images, *lock.archives, *lock.python)
    for row in rows:
        if row.evidence is Evidence.DECLARED and not row.by:
            yield Fault(row=row_label(row), text="evidence `declared` requires `by`")
        if row.by and row.evidence is not Evidence.DECLARED:
            yield Fault(
                row=row_label(row), text="it names who declared it, but its evidence is not `declared`"
            )


def _size_faults(lock: Lock) -> Iterator[Fault]:
    rows: tuple[Archive | PythonPackage | OsPackage, ...] = (*lock.archives, *lock.python, *lock.os_packages)
    for row in rows:
        if row.size is not None and row.size <= 0:
            yield Fault(row=row_label(row), text=f"its size is {row.size}")


def _path_faults(lock: Lock) -> Iterator[Fault]:
    rows: tuple[Archive | PythonPackage, ...] = (*lock.archives, *lock.python)
    for row in rows:
        if row.path and not clean_path(row.path):
            yield Fault(row=row_label(row), text=f"its path {row.path!r} is not a folder below an origin")
    for package in lock.os_packages:
        if not clean_path(package.file):
            yield Fault(row=row_label(package), text=f"{package.file!r} is not a file below an archive")


def _origin_name_faults(lock: Lock) -> Iterator[Fault]:
    rows: tuple[LockRow, ...] = (*lock.repositories, *lock.archives, *lock.python)
    for row in rows:
        origin = getattr(row, "origin", "")
        if not NAME.fullmatch(origin) and (origin or not isinstance(row, PythonPackage)):
            yield Fault(row=row_label(row), text=f"{origin!r} is not an origin's name")


def _environment_faults(lock: Lock) -> Iterator[Fault]:
    rows: tuple[PythonPackage | OsPackage, ...] = (*lock.python, *lock.os_packages)
    known = lock.environments
    allowed_of = {PythonPackage: known - {BASE}, OsPackage: known - {INSTALLER}}
    for row in rows:
        allowed = allowed_of[type(row)]
        if not row.for_:
            yield Fault(row=row_label(row), text="nothing uses it")
        for name in row.for_:
            if name not in allowed:
                text = f"it is for {name}, which is neither a build nor {RUNTIME}"
                yield Fault(row=row_label(row), text=text)


def _one_version_faults(lock: Lock) -> Iterator[Fault]:
    """Yield rows of which one environment has two; every OS package stands on those of the base."""
    for rows in (lock.python, lock.os_packages):
        there: dict[tuple[str, str], PythonPackage | OsPackage] = {}
        for row in rows:
            for use in row.for_:
                other = there.setdefault((use, row.name), row)
                if other is not row and row_key(other) != row_key(row):
                    yield Fault(row=row_label(row), text=f"{use} has {other.version} of it too")
        for (use, name), row in there.items():
            other = there.get((BASE, name), row)
            if other is not row and row_key(other) != row_key(row):
                yield Fault(row=row_label(row), text=f"{use} has another version of it than {BASE}")


def _same_name_faults(lock: Lock) -> Iterator[Fault]:
    files: dict[str, str] = {}
    for wheel in lock.python:
        if wheel.sha256 and files.setdefault(wheel.file, wheel.sha256) != wheel.sha256:
            yield Fault(row=row_label(wheel), text=f"another row has other bytes under the name {wheel.file}")


def _same_byte_faults(lock: Lock) -> Iterator[Fault]:
    """Yield rows of two files that share a digest: one of them was probably altered."""
    named: dict[str, tuple[LockSection, str, LockRow]] = {}
    for section in _ORDERED:
        for row in section_rows(lock, section):
            sha256, file = str(getattr(row, "sha256", "") or ""), str(getattr(row, "file", ""))
            if sha256:
                other = named.setdefault(sha256, (section, file, row))
                if other[2] is not row and other[:2] != (section, file):
                    yield Fault(row=row_label(row), text=f"it has the bytes of {row_label(other[2])}")


ROW_RULES = (
    LockRule(
        id="row-order",
        says="Rows are sorted by identity, and none appears twice.",
        stops=True,
        why="two files of one content would differ",
        finds=_row_order_faults,
    ),
    LockRule(
        id="sorted-lists",
        says="Lists without an order of their own are sorted and hold nothing twice.",
        stops=True,
        why="two files of one content would differ",
        finds=_sorted_list_faults,
        by_row=True,
    ),
    LockRule(
        id="publishers",
        says="A declared digest names its publisher; any other digest does not.",
        stops=True,
        why="a declared digest without a publisher proves nothing",
        finds=_publisher_faults,
        by_row=True,
    ),
    LockRule(
        id="sizes",
        says="Sizes are above zero.",
        stops=True,
        why="no file of such a size can be fetched",
        finds=_size_faults,
        by_row=True,
    ),
    LockRule(
        id="paths",
        says="Paths stay below their origin.",
        stops=True,
        why="a `..` would be asked of the server, or leave a folder",
        finds=_path_faults,
        by_row=True,
    ),
    LockRule(
        id="origin-names",
        says="An origin is a name, never a place.",
        stops=True,
        why="origins files bind names only",
        finds=_origin_name_faults,
        by_row=True,
    ),
    LockRule(
        id="environments",
        says="Every row is for an environment of the lock: the image, a build, the base, the installer.",
        stops=True,
        why="nothing would install the row",
        finds=_environment_faults,
    ),
    LockRule(
        id="one-version",
        says="An environment has one version of a distribution or package, the base's where it has it.",
        stops=True,
        why="which one is installed is not determined",
        finds=_one_version_faults,
        after=("row-order",),
    ),
    LockRule(
        id="same-name",
        says="Wheels of one file name have the same bytes.",
        stops=True,
        why="in one folder the second replaces the first",
        finds=_same_name_faults,
    ),
    LockRule(
        id="same-bytes",
        says="Files of different names have different bytes.",
        stops=False,
        why="suspicious, but both files are the bytes that the lock names",
        finds=_same_byte_faults,
    ),
)
"""The rules of rows of every section, causes before consequences."""
