"""An assembled base image: locked .deb files as one canonical tar, and what packages hold.

In: Debian packages of the store. Out: the tar of an unpacked system with merged /usr, the
state of dpkg's database, and the members of packages. Imports `tars` and `model`.
"""

from builder.rootfs.deb import LockedDeb, read_control
from builder.rootfs.package_members import deb_contents, wheel_contents
from builder.rootfs.rootfs import write_rootfs_tar

__all__ = ["LockedDeb", "deb_contents", "read_control", "wheel_contents", "write_rootfs_tar"]
