"""One changed Python pin: a small pure-Python distribution of the image, at the version before its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from packaging.specifiers import SpecifierSet
from packaging.version import Version
from pypi_simple import PYPI_SIMPLE_ENDPOINT

from builder.errors import UsageError
from builder.index import DistributionFile, IndexClient, read_index_project
from builder.io import Client
from builder.lockfile import RUNTIME, Lock, PythonPackage
from builder.model import Sha256
from builder.recipe import PYPI

__all__ = ["choose_change"]

_PREFERRED = ("idna", "certifi", "six", "typing-extensions", "attrs")
_PURE = "-none-any.whl"
_TRIES = 12


def choose_change(lock: Lock, client: Client, name: str = "") -> tuple[PythonPackage, PythonPackage]:
    """Return a row of the lock and the row that replaces it; both are on the index.

    UsageError where no distribution, or not the one of this `name`, has a
    version of the same major number before its own.
    """
    for row in list(_changeable_rows(lock, name))[:_TRIES]:
        project = read_index_project(IndexClient(client), PYPI_SIMPLE_ENDPOINT, row.name)
        files = project.files if project else ()
        here = any(file.file == row.file for file in files)
        before = max(
            (file for file in files if _is_earlier_pure_wheel(file, row, lock)),
            key=lambda file: file.version,
            default=None,
        )
        if here and before:
            path = "/".join(unquote(urlsplit(before.url).path).split("/")[-4:-1])
            version, sha256 = str(before.version), Sha256(before.sha256)
            new = replace(row, version=version, file=before.file, path=path, sha256=sha256, size=None)
            return row, new
    what = f"{name} has" if name else "none of its small pure-Python distributions has"
    raise UsageError(f"{what} an earlier version to change to", place=lock.target.path, hint="--change NAME")


def _changeable_rows(lock: Lock, name: str) -> Iterator[PythonPackage]:
    rows = [
        row
        for row in lock.python
        if row.for_ == (RUNTIME,) and row.origin == PYPI and row.file.endswith(_PURE)
    ]
    order = {preferred: number for number, preferred in enumerate(_PREFERRED)}
    for row in sorted(rows, key=lambda row: (order.get(row.name, len(order)), row.size or 0, row.name)):
        if not name or row.name == name:
            yield row


def _is_earlier_pure_wheel(file: DistributionFile, row: PythonPackage, lock: Lock) -> bool:
    """Whether a file is a pure wheel of an earlier version with the same major number."""
    own = Version(row.version)
    return (
        file.wheel
        and file.file.endswith(_PURE)
        and bool(file.sha256)
        and not file.yanked
        and not file.version.is_prerelease
        and file.version.major == own.major
        and file.version < own
        and SpecifierSet(file.requires_python).contains(f"{lock.environment.python}.0")
    )
