"""RPM packages: signed repository metadata in, the closure that dnf would install out.

In: pinned repomd.xml files, their metadata and the inventory of a base image. Out: the
packages that dnf would install, solved by libsolv, or why there is no solution. libsolv
is loaded with the first name that solves (ToolError where the machine has none).
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.resolve.rpm.archive import RpmArchive, open_rpm_archive
    from builder.resolve.rpm.closure import plan, resolve
    from builder.resolve.rpm.places import index_folder, repository_path
    from builder.resolve.rpm.repomd import Repomd, check_moment, read_repomd
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "RpmArchive": "archive",
            "open_rpm_archive": "archive",
            "plan": "closure",
            "resolve": "closure",
            "index_folder": "places",
            "repository_path": "places",
            "Repomd": "repomd",
            "check_moment": "repomd",
            "read_repomd": "repomd",
        },
    )

__all__ = [
    "Repomd",
    "RpmArchive",
    "check_moment",
    "index_folder",
    "open_rpm_archive",
    "plan",
    "read_repomd",
    "repository_path",
    "resolve",
]
