"""Values that every package shares: digests, targets, printable text, TOML, requirements and wheel tags.

In: plain values that somebody parsed. Out: frozen, checked values, and the strict
conversion of tables to them (`structure`, `unstructure`). Imports nothing but
`errors`. Pure: no clock, environment, network, file or process.
"""

from builder.model import toml
from builder.model.digest import Evidence, GitOid, ImageDigest, Sha256
from builder.model.image_files import ElfObject, FileFact, ImageFiles, LockedMembers
from builder.model.licenses import LicenseStatement, spdx_expression
from builder.model.memo import ObjectMemo
from builder.model.requirements import (
    OpenMarkerError,
    admits,
    bare_requirement,
    exact_version,
    lenient_requirement,
    marker_environment,
    marker_holds,
    normalized_name,
    parsed_requirement,
    possible_pythons,
    recipe_requirement,
)
from builder.model.structuring import StructureError, Table, key_name, structure, unstructure
from builder.model.tags import (
    glibc_floor,
    is_musl,
    linux_arch,
    target_tags,
    uv_platform,
    wheel_rank,
    wheel_tags,
)
from builder.model.target import Arch, Target, release_order
from builder.model.text import (
    SourceLine,
    ascii_only,
    check_line,
    check_source_line,
    counted,
    human_size,
    markdown_table,
    nearest_names,
    printable,
    shortened,
)
from builder.model.toml_lines import ValuePath, key_path_text, value_lines

__all__ = [
    "Arch",
    "ElfObject",
    "Evidence",
    "FileFact",
    "GitOid",
    "ImageDigest",
    "ImageFiles",
    "LicenseStatement",
    "LockedMembers",
    "ObjectMemo",
    "OpenMarkerError",
    "Sha256",
    "SourceLine",
    "StructureError",
    "Table",
    "Target",
    "ValuePath",
    "admits",
    "ascii_only",
    "bare_requirement",
    "check_line",
    "check_source_line",
    "counted",
    "exact_version",
    "glibc_floor",
    "human_size",
    "is_musl",
    "key_name",
    "key_path_text",
    "lenient_requirement",
    "linux_arch",
    "markdown_table",
    "marker_environment",
    "marker_holds",
    "nearest_names",
    "normalized_name",
    "parsed_requirement",
    "possible_pythons",
    "printable",
    "recipe_requirement",
    "release_order",
    "shortened",
    "spdx_expression",
    "structure",
    "target_tags",
    "toml",
    "unstructure",
    "uv_platform",
    "value_lines",
    "wheel_rank",
    "wheel_tags",
]
