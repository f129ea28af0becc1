"""Package URLs of the rows of a lock. Pure."""

from __future__ import annotations

import re

from packageurl import PackageURL
from packaging.utils import InvalidSdistFilename, parse_sdist_filename

from builder.lockfile import Archive, GitSource, Image, Lock, OsPackage, PythonPackage, Submodule
from builder.model import Arch
from builder.recipe import PYPI

__all__ = [
    "archive_purl",
    "git_purl",
    "image_purl",
    "inventory_purl",
    "os_purl",
    "python_purl",
    "submodule_purl",
]

_GITHUB = re.compile(r"https://github\.com/([^/]+)/([^/]+?)(?:\.git)?/?")


def python_purl(row: PythonPackage) -> PackageURL:
    """Return the URL of a Python distribution, with the file name if it is a wheel."""
    qualifiers = {"file_name": row.file} if row.file else {}
    return PackageURL("pypi", None, row.name, row.version, qualifiers)


def os_purl(row: OsPackage, lock: Lock) -> PackageURL:
    """Return the URL of a Debian or RPM package."""
    return _os_purl(row.name, row.version, row.arch, lock)


def inventory_purl(name: str, version: str, lock: Lock) -> PackageURL:
    """Return the URL of a package that a published image brings; which architecture it says is not known."""
    return _os_purl(name, version, "", lock)


def git_purl(row: GitSource) -> PackageURL:
    """Return the URL of sources from git, at their commit."""
    return _git_purl(row.git, row.component, row.version, str(row.commit))


def submodule_purl(row: Submodule) -> PackageURL:
    """Return the URL of a submodule, at its commit."""
    name = row.git.rstrip("/").removesuffix(".git").rpartition("/")[2]
    return _git_purl(row.git, name, str(row.commit), str(row.commit))


def archive_purl(row: Archive) -> PackageURL:
    """Return the URL of an archive: of the default index's distribution, or of a file with its digest."""
    if row.origin == PYPI:
        try:
            name, version = parse_sdist_filename(row.file)
        except InvalidSdistFilename:
            pass
        else:
            return PackageURL("pypi", None, str(name), str(version), {"file_name": row.file})
    qualifiers = {"checksum": f"sha256:{row.sha256}", "file_name": row.file}
    return PackageURL("generic", None, row.component, row.version, qualifiers)


def image_purl(row: Image, arch: Arch) -> PackageURL | None:
    """Return the URL of a published image; one assembled here has none."""
    if row.digest is None:
        return None
    name = row.name.rpartition("/")[2]
    qualifiers = {"arch": arch.debian, "repository_url": row.name, "tag": row.tag}
    return PackageURL("oci", None, name, str(row.digest), qualifiers)


def _os_purl(name: str, version: str, arch: str, lock: Lock) -> PackageURL:
    qualifiers = {"arch": arch, "distro": lock.environment.os}
    if lock.environment.family == "rpm":
        epoch, _, version = version.rpartition(":")  # the form keeps the epoch apart
        qualifiers["epoch"] = epoch
        return PackageURL("rpm", lock.environment.os.partition("-")[0], name, version, qualifiers)
    return PackageURL("deb", lock.environment.os.partition("-")[0], name, version, qualifiers)


def _git_purl(url: str, name: str, version: str, commit: str) -> PackageURL:
    """Name the repository where the form has a word for its host, else what was taken from it."""
    known = _GITHUB.fullmatch(url)
    if known:
        return PackageURL("github", known[1].lower(), known[2].lower(), commit)
    return PackageURL("generic", None, name, version, {"vcs_url": f"git+{url}@{commit}"})
