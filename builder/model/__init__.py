"""Values that every package shares: digests, targets, printable text, TOML, requirements and wheel tags.

In: plain values that somebody parsed. Out: frozen, checked values, and the strict
conversion of tables to them (`structure`, `unstructure`). Imports nothing but
`errors`. Pure: no clock, environment, network, file or process.
"""

from builder.model import toml
from builder.model.digest import Evidence, GitOid, ImageDigest, Sha256
from builder.model.filesystem import FileFact, ImageFiles, Reference
from builder.model.licenses import Statement, spdx
from builder.model.markdown import markdown_table
from builder.model.requirements import admits, exact_version, lenient_requirement, name_of, recipe_requirement
from builder.model.table import Table
from builder.model.tags import glibc_floor, marker_environment, rank, target_tags, uv_platform, wheel_tags
from builder.model.target import Arch, Target
from builder.model.text import ascii_only, check_line, counted, printable, shortened
from builder.model.wire import WireError, key_name, structure, unstructure

__all__ = [
    "Arch",
    "Evidence",
    "FileFact",
    "GitOid",
    "ImageDigest",
    "ImageFiles",
    "Reference",
    "Sha256",
    "Statement",
    "Table",
    "Target",
    "WireError",
    "admits",
    "ascii_only",
    "check_line",
    "counted",
    "exact_version",
    "glibc_floor",
    "key_name",
    "lenient_requirement",
    "markdown_table",
    "marker_environment",
    "name_of",
    "printable",
    "rank",
    "recipe_requirement",
    "shortened",
    "spdx",
    "structure",
    "target_tags",
    "toml",
    "unstructure",
    "uv_platform",
    "wheel_tags",
]
