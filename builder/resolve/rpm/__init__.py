"""RPM packages: signed repository metadata in, the closure that dnf would install out.

In: pinned repomd.xml files, their metadata and the inventory of a base image. Out: the
packages that dnf would install, solved by libsolv, or why there is no solution.
"""

from builder.resolve.rpm.archive import RpmArchive, index_folder, open_rpm_archive, repository_path
from builder.resolve.rpm.closure import plan, resolve
from builder.resolve.rpm.repomd import Repomd, check_moment, read_repomd

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
