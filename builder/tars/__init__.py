"""Archives: tars written byte by byte; tar, ar, zip and their packings read within bounds; safe paths.

In: members and bytes. Out: tars that are equal on every platform, and the members of
foreign archives. Imports nothing but `errors`.
"""

from builder.tars.ar import ArMember, read_ar
from builder.tars.archives import ArchiveEntry, Contents, read_contents
from builder.tars.packing import UnreadableError, open_unpacked, packing_of
from builder.tars.paths import check_component, check_links, check_path, lies_in
from builder.tars.reader import (
    ByteReader,
    MemberContent,
    TarBounds,
    TarMember,
    content_sha256,
    header_size,
    read_tar,
)
from builder.tars.section import open_section
from builder.tars.ustar import BLOCK, END, Member, entry_header, header, padding
from builder.tars.zips import ZipReader, open_zip

__all__ = [
    "BLOCK",
    "END",
    "ArMember",
    "ArchiveEntry",
    "ByteReader",
    "Contents",
    "Member",
    "MemberContent",
    "TarBounds",
    "TarMember",
    "UnreadableError",
    "ZipReader",
    "check_component",
    "check_links",
    "check_path",
    "content_sha256",
    "entry_header",
    "header",
    "header_size",
    "lies_in",
    "open_section",
    "open_unpacked",
    "open_zip",
    "packing_of",
    "padding",
    "read_ar",
    "read_contents",
    "read_tar",
]
