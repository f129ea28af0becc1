"""The signed package lists of an apt archive, as far as locks name them: where each of them is."""

from __future__ import annotations

__all__ = ["index_paths", "listed"]

import re

from builder.errors import FetchError
from builder.lockfile import Repository

_ROW = re.compile(rb"(?m)^ ([0-9a-f]{64}) +[0-9]+ ([!-~]+)$")


def listed(inrelease: bytes) -> dict[str, str]:
    """Return the SHA-256 that an InRelease file, itself verified by digest, states for each path."""
    return {row[2].decode("ascii"): row[1].decode("ascii") for row in _ROW.finditer(inrelease)}


def index_paths(repository: Repository, inrelease: bytes) -> dict[str, str]:
    """Return the paths below the archive at which each index of `repository` is asked for, with its SHA-256.

    FetchError for an index that the InRelease file does not list.
    """
    wanted = set(repository.indexes)
    suite = f"dists/{repository.suite}"
    paths: dict[str, str] = {}
    for path, sha256 in listed(inrelease).items():
        if sha256 in wanted:
            folder, _, _ = path.rpartition("/")
            paths[f"{suite}/{path}"] = sha256
            paths[f"{suite}/{folder}/by-hash/SHA256/{sha256}"] = sha256
    missing = wanted - set(paths.values())
    if missing:
        cause = f"its InRelease lists no index with sha256 {min(missing)}"
        raise FetchError(cause, place=f"{repository.origin} {repository.suite}")
    return paths
