"""Rules of packages: Python rows, OS packages, and the repositories that vouch for them. Pure.

A Python row is usable by the target, named after its file, and asked for by
somebody. Names and files of OS packages are as their family writes them, and
each is required by somebody. A repository says what vouches for the indexes of
OS packages, and when it was signed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TypeVar

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from builder.errors import BuilderError
from builder.lockfile.labels import LockSection, named_label, row_label
from builder.lockfile.lock import (
    BASE,
    INSTALLER,
    RECIPE,
    REQUIRED,
    Lock,
    OsPackage,
    PythonPackage,
    Repository,
)
from builder.lockfile.rule import MOMENT, SNAPSHOT, Fault, LockRule, clean_path
from builder.model import counted, key_name, target_tags, wheel_tags

__all__ = ["OS_RULES", "PYTHON_RULES", "REPOSITORY_RULES"]


_PIP = "pip"
_SHOWN = 3
_LICENSE = re.compile(r"\(*[A-Za-z0-9.+-]+\)*( (AND|OR|WITH) \(*[A-Za-z0-9.+-]+\)*)*")


@lru_cache(maxsize=8192)  # the locks of a release share most of their rows
def _parsed_version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


@lru_cache(maxsize=8192)
def _parsed_wheel(file: str) -> tuple[str, Version] | None:
    try:
        name, version, _, _ = parse_wheel_filename(file)
    except InvalidWheelFilename:
        return None
    return name, version


@lru_cache(maxsize=1024)
def _canonical_license(text: str) -> str:
    try:
        return canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        return ""


_cached_tags = lru_cache(maxsize=8192)(wheel_tags)


def _python_name_faults(lock: Lock) -> Iterator[Fault]:
    for row in lock.python:
        if row.name != canonicalize_name(row.name):
            text = f"its name is not normalised: {canonicalize_name(row.name)}"
            yield Fault(row=row_label(row), text=text)
        if str(_parsed_version(row.version)) != row.version:
            yield Fault(row=row_label(row), text=f"{row.version!r} is not a version in normal form")


def _file_or_build_faults(lock: Lock) -> Iterator[Fault]:
    for row in lock.python:
        fetched = (row.file, row.sha256, row.origin, row.evidence)
        if row.build and (any(fetched) or row.size is not None or row.path):
            text = "it is built, so it can have no file, sha256, origin, evidence, size or path"
            yield Fault(row=row_label(row), text=text)
        if not row.build and not all(fetched):
            text = "incomplete: it needs file, sha256, origin and evidence, or a build"
            yield Fault(row=row_label(row), text=text)


def _wheel_file_name_faults(lock: Lock) -> Iterator[Fault]:
    """Yield where a file name differs from its row: a swapped file shows here."""
    for row in lock.python:
        if not row.file:
            continue
        parsed = _parsed_wheel(row.file)
        if parsed is None:
            yield Fault(row=row_label(row), text=f"{row.file!r} is not the file name of a wheel")
        elif parsed != (canonicalize_name(row.name), _parsed_version(row.version)):
            yield Fault(row=row_label(row), text=f"{row.file} is a wheel of {parsed[0]} {parsed[1]}")


def _wheel_tag_faults(lock: Lock) -> Iterator[Fault]:
    """Yield wheels none of whose tags (PEP 425) the target's CPython and glibc accept."""
    try:
        usable = target_tags(lock.arch, lock.environment.glibc, lock.environment.python)
    except BuilderError:
        return  # the rule of the environment's versions says so
    target = f"Python {lock.environment.python}, glibc {lock.environment.glibc}, {lock.arch}"
    for row in lock.python:
        tags = _cached_tags(row.file) if row.file else frozenset()
        if tags and not any(tag in usable for tag in tags):
            yield Fault(row=row_label(row), text=f"{row.file} is not for {target}")


def _built_wheel_faults(lock: Lock) -> Iterator[Fault]:
    makers: dict[str, set[str]] = {}
    for build in lock.builds:
        for wheel in build.wheels:
            makers.setdefault(wheel, set()).add(build.component)
    stated: dict[str, set[str]] = {}
    for row in lock.python:
        if row.build:
            stated.setdefault(row.name, set()).add(row.build)
    for name in sorted(makers.keys() | stated.keys()):
        made, said = makers.get(name, set()), stated.get(name, set())
        if made != said:
            by = f"the builds that make it are {', '.join(sorted(made)) or 'none'}"
            rows = f"its rows name {', '.join(sorted(said)) or 'none'}"
            yield Fault(row=named_label(LockSection.PYTHON, name), text=f"{by}, {rows}")


def _installer_faults(lock: Lock) -> Iterator[Fault]:
    installers = [row.name for row in lock.python if INSTALLER in row.for_]
    if lock.python and set(installers) != {_PIP}:
        text = f"exactly one row, {_PIP}, must be for {INSTALLER}"
        yield Fault(row=named_label(LockSection.PYTHON, _PIP), text=text)


def _dangling_python_askers(lock: Lock) -> dict[str, list[PythonPackage]]:
    """Return the names in `via` that share no environment with their row, each with the rows that give it."""
    homes: dict[str, set[str]] = {}
    for row in lock.python:
        homes.setdefault(row.name, set()).update(row.for_)
    # Rows in environments that the lock does not have are reported as that, by another rule.
    environments = lock.environments
    placed = [row for row in lock.python if environments & {*row.for_}]
    known = {RECIPE, *(row.name for row in lock.python)} - {row.name for row in placed}
    dangling: dict[str, list[PythonPackage]] = {}
    for row in placed:
        for name in row.via:
            if name not in known and name != row.name and homes.get(name, set()).isdisjoint(row.for_):
                dangling.setdefault(name, []).append(row)
    return dangling


def _python_asker_faults(lock: Lock) -> Iterator[Fault]:
    for row in lock.python:
        if not row.via:
            yield Fault(row=row_label(row), text="via is empty: nothing requires it")
        if row.name in row.via:
            yield Fault(row=row_label(row), text="via names itself")
    for name, rows in sorted(_dangling_python_askers(lock).items()):
        shown = ", ".join(row.name for row in rows[:_SHOWN])
        more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        text = f"it is not in their environment, and via says that it asks for {shown}{more}"
        yield Fault(row=named_label(LockSection.PYTHON, name), text=text)


def _unreached_python_faults(lock: Lock) -> Iterator[Fault]:
    """Yield rows that no root leads to: each is asked for, but only by one another.

    From the recipe's roots along `via`, environment by environment. A row
    whose own `via` is empty or dangles is reported as that, so it counts as
    reached: what it asks for is not reported again.
    """
    broken = [row for rows in _dangling_python_askers(lock).values() for row in rows]
    broken += [row for row in lock.python if not row.via]
    for row, lost in _unreached_uses(lock.python, roots=(RECIPE,), broken=broken):
        yield Fault(row=row_label(row), text=f"no root leads to it in {', '.join(lost)}")


_Row = TypeVar("_Row", PythonPackage, OsPackage)


def _unreached_uses(
    rows: Iterable[_Row], *, roots: tuple[str, ...], broken: Iterable[_Row]
) -> Iterator[tuple[_Row, list[str]]]:
    """Yield the rows that nothing leads to in some of their environments, with these.

    From what `roots` ask for, and from `broken` rows, along `via`, environment by environment; what the base
    holds asks in every environment, because all stand on it. Sets of environments are bits of a number.
    """
    bits: dict[str, int] = {}
    masks: dict[tuple[str, ...], int] = {}
    asked: dict[str, list[tuple[str, int]]] = {}
    for row in rows:
        if row.for_ not in masks:
            masks[row.for_] = sum({bits.setdefault(use, 1 << len(bits)) for use in row.for_})
        for name in row.via:
            asked.setdefault(name, []).append((row.name, masks[row.for_]))
    reached: dict[str, int] = {}
    waiting = [asker for root in roots for asker in asked.get(root, ())]
    waiting += [(row.name, masks[row.for_]) for row in broken]
    base = bits.get(BASE, 0)
    while waiting:
        name, uses = waiting.pop()
        known = reached.get(name, 0)
        new = uses & ~known
        if new:
            reached[name] = known | new
            below = asked.get(name, ())
            waiting += below if new & base else [(other, mask & new) for other, mask in below if mask & new]
    for row in rows:
        lost = masks[row.for_] & ~reached.get(row.name, 0)
        if lost:
            yield row, [use for use in row.for_ if bits[use] & lost]


def _license_faults(lock: Lock) -> Iterator[Fault]:
    for row in lock.python:
        if row.license and not _LICENSE.fullmatch(row.license):
            yield Fault(row=row_label(row), text=f"license {row.license!r} is not an SPDX expression")


def _canonical_license_faults(lock: Lock) -> Iterator[Fault]:
    for row in lock.python:
        if row.license and _canonical_license(row.license) != row.license:
            text = f"license {row.license!r} is not an SPDX expression in normal form"
            yield Fault(row=row_label(row), text=text)


PYTHON_RULES = (
    LockRule(
        id="python-names",
        says="Names and versions of distributions are in normal form (PEP 503, PEP 440).",
        stops=True,
        why="rows are found by them",
        finds=_python_name_faults,
        by_row=True,
    ),
    LockRule(
        id="file-or-build",
        says="A Python row is a file with its digest, origin and evidence, or the outcome of a build.",
        stops=True,
        why="which bytes are meant is not determined",
        finds=_file_or_build_faults,
        by_row=True,
    ),
    LockRule(
        id="wheel-file-name",
        says="The file of a row is a wheel of the row's name and version.",
        stops=True,
        why="row and file name two different wheels",
        finds=_wheel_file_name_faults,
        by_row=True,
        after=("python-names",),
    ),
    LockRule(
        id="wheel-tags",
        says="The target's Python, glibc and architecture can use every wheel.",
        stops=True,
        why="pip refuses to install it",
        finds=_wheel_tag_faults,
        by_row=True,
        kind="target",
    ),
    LockRule(
        id="built-wheels",
        says="Every wheel that a build makes has a row, and every built row a build that makes it.",
        stops=True,
        why="nothing would install it, or nothing make it",
        finds=_built_wheel_faults,
    ),
    LockRule(
        id="installer",
        says="pip, and nothing else, is the installer of a lock with Python rows.",
        stops=True,
        why="nothing could install the wheels",
        finds=_installer_faults,
        after=("environments",),
    ),
    LockRule(
        id="python-askers",
        says="Every Python row says who asks for it, and who asks is in one of its environments.",
        stops=True,
        why="the lock contradicts itself about what it holds",
        finds=_python_asker_faults,
    ),
    LockRule(
        id="python-reached",
        says="A root leads to every Python row, in each of its environments.",
        stops=True,
        why="nobody asked for the row",
        finds=_unreached_python_faults,
        after=("environments",),
    ),
    LockRule(
        id="license",
        says="A license looks like an SPDX expression.",
        stops=True,
        why="SBOMs and policies read it",
        finds=_license_faults,
        by_row=True,
    ),
    LockRule(
        id="canonical-license",
        says="A license is an SPDX expression in normal form.",
        stops=False,
        why="the list of SPDX names grows, and a lock must not expire with it",
        finds=_canonical_license_faults,
        by_row=True,
        after=("license",),
    ),
)
"""The rules of Python rows, causes before consequences."""


_SHAPES = {
    "debian": (re.compile(r"[a-z0-9][a-z0-9+.-]+"), re.compile(r"(?:\d+:)?\d[0-9A-Za-z.+~-]*"), "Debian's"),
    "rpm": (
        re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*"),
        re.compile(r"(?:\d+:)?[A-Za-z0-9._+~^]+-[A-Za-z0-9._+~^]+"),
        "RPM's",
    ),
}
"""Names and versions of a family (deb-version(7), rpm-version(7)), and whose they are."""


def _os_name_faults(lock: Lock) -> Iterator[Fault]:
    if lock.environment.family in _SHAPES:
        name, version, whose = _SHAPES[lock.environment.family]
        for row in lock.os_packages:
            if not name.fullmatch(row.name) or not version.fullmatch(row.version):
                yield Fault(row=row_label(row), text=f"its name or version is none of {whose}")


def _architecture_faults(lock: Lock) -> Iterator[Fault]:
    allowed = {"debian": (lock.arch.debian, "all"), "rpm": (lock.arch.rpm, "noarch")}
    fitting = allowed.get(lock.environment.family)
    for row in lock.os_packages if fitting else ():
        if fitting and row.arch not in fitting:
            yield Fault(row=row_label(row), text=f"it is for {row.arch}, not for {fitting[0]}")


def _file_name_faults(lock: Lock) -> Iterator[Fault]:
    """Yield packages whose file the archive would call otherwise: a swapped file shows here."""
    for row in lock.os_packages:
        version = row.version.partition(":")[2] or row.version  # no file name has the epoch
        file = f"{row.name}_{version}_{row.arch}.deb"
        if lock.environment.family == "rpm":
            file = f"{row.name}-{version}.{row.arch}.rpm"
        if row.basename != file:
            yield Fault(row=row_label(row), text=f"{row.basename} is not {file}")


def _origin_faults(lock: Lock) -> Iterator[Fault]:
    known = {repository.origin for repository in lock.repositories}
    for row in lock.os_packages:
        if row.origin not in known:
            yield Fault(row=row_label(row), text=f"it comes from {row.origin}, which is not a repository")


def _dangling_os_askers(lock: Lock) -> dict[str, list[OsPackage]]:
    """Return the names in `via` that are no package of the lock, each with the rows that give it."""
    known = {row.name for row in lock.os_packages} | {RECIPE, REQUIRED}
    dangling: dict[str, list[OsPackage]] = {}
    for row in lock.os_packages:
        for name in row.via:
            if name not in known:
                dangling.setdefault(name, []).append(row)
    return dangling


def _os_asker_faults(lock: Lock) -> Iterator[Fault]:
    for name, rows in sorted(_dangling_os_askers(lock).items()):
        shown = ", ".join(row.name for row in rows[:_SHOWN])
        more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        text = f"it is not in the lock, and via says that it asks for {shown}{more}"
        yield Fault(row=named_label(LockSection.OS_PACKAGES, name), text=text)


def _unreached_os_faults(lock: Lock) -> Iterator[Fault]:
    """Yield packages that nothing leads to in one of their environments.

    From the roots along `via`, environment by environment; what stands on a
    base sees the base's packages. A row whose own `via` dangles is reported as
    that, so it counts as reached: what it asks for is not reported again.
    """
    if not any(row.via for row in lock.os_packages):
        return  # locks of older versions do not say who asks
    broken = [row for rows in _dangling_os_askers(lock).values() for row in rows]
    for row, lost in _unreached_uses(lock.os_packages, roots=(RECIPE, REQUIRED), broken=broken):
        yield Fault(row=row_label(row), text=f"nothing requires it in {', '.join(lost)}")


OS_RULES = (
    LockRule(
        id="os-names",
        says="Names and versions of OS packages are as their family writes them.",
        stops=True,
        why="dpkg and rpm refuse others, and a name may hold an option",
        finds=_os_name_faults,
        by_row=True,
    ),
    LockRule(
        id="os-architecture",
        says="OS packages are for the target's architecture, or for all.",
        stops=True,
        why="they cannot be installed",
        finds=_architecture_faults,
        by_row=True,
        kind="target",
    ),
    LockRule(
        id="os-file-name",
        says="The file of an OS package is called after its name, version and architecture.",
        stops=True,
        why="row and file name two different packages",
        finds=_file_name_faults,
        by_row=True,
        after=("os-names", "os-architecture", "paths"),
    ),
    LockRule(
        id="os-origin",
        says="OS packages come from a repository of the lock.",
        stops=True,
        why="nothing vouches for the package",
        finds=_origin_faults,
    ),
    LockRule(
        id="os-askers",
        says="What requires an OS package is in the lock.",
        stops=True,
        why="the lock contradicts itself about what it holds",
        finds=_os_asker_faults,
    ),
    LockRule(
        id="os-reached",
        says="The recipe or the distribution leads to every OS package, in each of its environments.",
        stops=True,
        why="nobody asked for the package",
        finds=_unreached_os_faults,
        after=("environments",),
    ),
)
"""The rules of OS packages, causes before consequences."""


_DEBIAN_FIELDS, _RPM_FIELDS = ("components", "inrelease"), ("path", "repomd", "signature")
_OWN_AND_FOREIGN = {"debian": (_DEBIAN_FIELDS, _RPM_FIELDS), "rpm": (_RPM_FIELDS, _DEBIAN_FIELDS)}
_RPM_INDEXES = 2  # primary and filelists
_FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")


def _field_faults(lock: Lock) -> Iterator[Fault]:
    """Yield what a repository lacks, or has of the other family."""
    family = lock.environment.family
    own, foreign = _OWN_AND_FOREIGN.get(family, ((), ()))
    for row in lock.repositories:
        for key in ("date", "snapshot", "indexes", *own):
            if not getattr(row, key):
                yield Fault(row=row_label(row), text=f"{key_name(key)} is missing")
        for key in foreign:
            if getattr(row, key):
                text = f"{key_name(key)} is not of the family {family}"
                yield Fault(row=row_label(row), text=text)


def _date_faults(lock: Lock) -> Iterator[Fault]:
    for row in lock.repositories:
        if not MOMENT.fullmatch(row.date):
            text = f"its date {row.date!r} is not a moment such as 2026-11-21T00:53:03Z"
            yield Fault(row=row_label(row), text=text)
        if not SNAPSHOT.fullmatch(row.snapshot):
            text = f"its snapshot {row.snapshot!r} is not a time stamp such as 20261121T005303Z"
            yield Fault(row=row_label(row), text=text)


def _index_faults(lock: Lock) -> Iterator[Fault]:
    for row in lock.repositories:
        yield from (Fault(row=row_label(row), text=text) for text in _index_texts(row, lock))


def _index_texts(row: Repository, lock: Lock) -> Iterator[str]:
    if lock.environment.family == "rpm":
        if len(row.indexes) != _RPM_INDEXES:
            yield f"it has {counted(len(row.indexes), 'index', 'indexes')}, not primary and filelists"
        if not clean_path(row.path):
            yield f"{row.path!r} is not a folder below an archive"
    elif len(row.indexes) != len(row.components):
        indexes = counted(len(row.indexes), "index", "indexes")
        yield f"it has {counted(len(row.components), 'component')} and {indexes}"
    elif len(set(row.components)) != len(row.components):
        yield "one of its components appears twice"


def _twice_faults(lock: Lock) -> Iterator[Fault]:
    labels = [row_label(row) for row in lock.repositories]
    for label in sorted({label for label in labels if labels.count(label) > 1}):
        yield Fault(row=label, text="it appears twice")


def _signer_faults(lock: Lock) -> Iterator[Fault]:
    for row in lock.repositories:
        for fingerprint in row.signed_by:
            if not _FINGERPRINT.fullmatch(fingerprint):
                yield Fault(row=row_label(row), text=f"{fingerprint!r} is not a fingerprint")


REPOSITORY_RULES = (
    LockRule(
        id="repository-fields",
        says="A repository has what its family signs, and nothing of the other family.",
        stops=True,
        why="its packages could not be resolved again",
        finds=_field_faults,
    ),
    LockRule(
        id="repository-dates",
        says="Date and snapshot of a repository are moments.",
        stops=True,
        why="the snapshot is part of where packages are found",
        finds=_date_faults,
        after=("repository-fields",),
    ),
    LockRule(
        id="repository-indexes",
        says="A repository has an index for each component; for RPM primary and filelists.",
        stops=True,
        why="its packages could not be resolved again",
        finds=_index_faults,
        after=("repository-fields",),
    ),
    LockRule(
        id="repository-once",
        says="A suite of an origin is there once.",
        stops=True,
        why="which signature vouches for a package is not determined",
        finds=_twice_faults,
    ),
    LockRule(
        id="repository-signers",
        says="Signers are fingerprints of OpenPGP certificates.",
        stops=True,
        why="nobody could compare them with a key",
        finds=_signer_faults,
    ),
)
"""The rules of repositories, causes before consequences."""
