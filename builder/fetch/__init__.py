"""Fetching: what locks name is brought into the store, from the first place that has the right bytes.

In: locks, origins and a store. Out: a filled store, progress, and one error for each
file that no place gave. Imports `origins`, `store`, `oci`, `git`, `io`.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.fetch.download import JOBS, fetch_all
    from builder.fetch.file_base import discover_file_base, remember_file_base
    from builder.fetch.mismatch import KnownFiles, difference
    from builder.fetch.needed_files import (
        BaseNeed,
        FileNeed,
        Needs,
        ProgramNeed,
        absent_parts,
        image_requests,
        index_paths,
        needs,
    )
    from builder.fetch.session import Session
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "BaseNeed": "needed_files",
            "FileNeed": "needed_files",
            "JOBS": "download",
            "KnownFiles": "mismatch",
            "Needs": "needed_files",
            "ProgramNeed": "needed_files",
            "Session": "session",
            "absent_parts": "needed_files",
            "difference": "mismatch",
            "discover_file_base": "file_base",
            "fetch_all": "download",
            "image_requests": "needed_files",
            "index_paths": "needed_files",
            "needs": "needed_files",
            "remember_file_base": "file_base",
        },
    )

__all__ = [
    "JOBS",
    "BaseNeed",
    "FileNeed",
    "KnownFiles",
    "Needs",
    "ProgramNeed",
    "Session",
    "absent_parts",
    "difference",
    "discover_file_base",
    "fetch_all",
    "image_requests",
    "index_paths",
    "needs",
    "remember_file_base",
]
