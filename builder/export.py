"""A lock's Python rows as files that other installers read: PEP 751 and requirements with hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tomli_w
from packaging.markers import Marker
from packaging.pylock import Package, PackageWheel, Pylock, PylockValidationError
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from builder.errors import LockError
from builder.lockfile import RUNTIME
from builder.model import toml
from builder.recipe import PYPI

if TYPE_CHECKING:
    from collections.abc import Callable

    from builder.lockfile import Lock, PythonPackage

__all__ = ["to_pylock", "to_requirements"]

_CREATOR = "lockwright"


def to_pylock(lock: Lock, url_of: Callable[[PythonPackage], str], *, environment: str = RUNTIME) -> str:
    """Return the text of a `pylock.toml` for one environment; `url_of` says where a row's file is.

    Distributions that a build makes have no file that could be named: they
    stand in comments. LockError when the result would not be valid.
    """
    rows = _environment_rows(lock, environment)
    pylock = Pylock(
        lock_version=Version("1.0"),
        environments=[_target_marker(lock)],
        requires_python=SpecifierSet(f"=={lock.environment.python}.*"),
        created_by=_CREATOR,
        packages=[_pylock_package(row, url_of(row)) for row in rows if row.file],
    )
    comments = "".join(f"# {_made_by_build(lock, row)}\n" for row in rows if not row.file)
    text = comments + tomli_w.dumps(pylock.to_dict())
    try:
        Pylock.from_dict(toml.loads(text.encode(), place=lock.target.path, error=LockError)).validate()
    except PylockValidationError as error:
        raise LockError(f"cannot become a valid pylock.toml: {error}", place=lock.target.path) from error
    return text


def to_requirements(lock: Lock, *, environment: str = RUNTIME) -> str:
    """Return the text of a `requirements.txt` for one environment, each line with its hash.

    It is complete, so that it installs with `--no-deps`; distributions that a
    build makes, and indexes other than the default, stand in comments.
    """
    lines = [
        f"# {lock.target}: Python {lock.environment.python}, glibc {lock.environment.glibc} or newer.",
        "# Complete: install with --no-deps --require-hashes.",
    ]
    for row in _environment_rows(lock, environment):
        if not row.file:
            lines.append(f"# {_made_by_build(lock, row)}")
            continue
        if row.origin != PYPI:
            lines.append(f"# {row.file} is on {row.origin}, not on the default index:")
        lines.append(f"{row.name}=={row.version} --hash=sha256:{row.sha256}")
    return "\n".join(lines) + "\n"


def _environment_rows(lock: Lock, environment: str) -> list[PythonPackage]:
    rows = [row for row in lock.python if environment in row.for_]
    return sorted(rows, key=lambda row: (row.name, row.version))


def _target_marker(lock: Lock) -> Marker:
    minor = lock.environment.python
    return Marker(
        f"sys_platform == 'linux' and platform_machine == '{lock.arch}' "
        f"and implementation_name == 'cpython' and python_version == '{minor}'"
    )


def _pylock_package(row: PythonPackage, url: str) -> Package:
    hashes = {"sha256": str(row.sha256)}
    wheel = PackageWheel(name=row.file, url=url, size=row.size, hashes=hashes)
    return Package(name=canonicalize_name(row.name), version=Version(row.version), wheels=[wheel])


def _made_by_build(lock: Lock, row: PythonPackage) -> str:
    """Say in one line how a distribution without a file comes about."""
    build = next((item for item in lock.builds if item.component == row.build), None)
    what = f"{build.component} {build.version}" if build else row.build
    return f"{row.name}=={row.version} has no wheel to download: the build of {what} makes it."
