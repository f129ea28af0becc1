"""Bundles: locks, and every file that they need, as one tar or one OCI artifact.

In: locks and a store. Out: a tar whose bytes depend on these alone, and the way back.
Imports `store`, `lockfile`, `tars`.
"""

from builder.bundle.artifact import artifact_manifest, contents_layer, layers_of
from builder.bundle.bundle import make_bundle, read_bundle, write_bundle
from builder.bundle.contents import Bundle, dump_bundle, parse_bundle
from builder.bundle.store_form import contents

__all__ = [
    "Bundle",
    "artifact_manifest",
    "contents",
    "contents_layer",
    "dump_bundle",
    "layers_of",
    "make_bundle",
    "parse_bundle",
    "read_bundle",
    "write_bundle",
]
