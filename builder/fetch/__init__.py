"""Fetching: what locks name is brought into the store, from the first place that has the right bytes.

In: locks, origins and a store. Out: a filled store, progress, and one error for each
file that no place gave. Imports `origins`, `store`, `oci`, `git`, `io`.
"""

from builder.fetch.apt_archive import index_paths
from builder.fetch.download import fetch_all
from builder.fetch.file_base import discover_file_base, remember_file_base, with_pypi
from builder.fetch.mismatch import KnownFiles, difference
from builder.fetch.needed_files import BaseNeed, FileNeed, Needs, needs
from builder.fetch.published_images import absent_parts, image_requests
from builder.fetch.session import Session

__all__ = [
    "BaseNeed",
    "FileNeed",
    "KnownFiles",
    "Needs",
    "Session",
    "absent_parts",
    "difference",
    "discover_file_base",
    "fetch_all",
    "image_requests",
    "index_paths",
    "needs",
    "remember_file_base",
    "with_pypi",
]
