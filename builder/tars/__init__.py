"""Tar archives: headers written byte by byte, members read within bounds, paths that stay inside.

In: members and bytes. Out: tars that are equal on every platform, and the members of
foreign archives. Imports nothing but `errors`.
"""

from builder.tars.archives import ArchiveEntry, Contents, UnreadableError, read_contents
from builder.tars.paths import check_component, check_links, check_path, lies_in
from builder.tars.ustar import BLOCK, END, Member, entry_header, header, padding

__all__ = [
    "BLOCK",
    "END",
    "ArchiveEntry",
    "Contents",
    "Member",
    "UnreadableError",
    "check_component",
    "check_links",
    "check_path",
    "entry_header",
    "header",
    "lies_in",
    "padding",
    "read_contents",
]
