"""Bundles: locks, and every file that they need, as one tar or one OCI artifact.

In: locks and a store. Out: a tar whose bytes depend on these alone, and the way back.
Imports `store`, `lockfile`, `tars`.
"""

from builder.bundle.artifact import EMPTY, MEDIA_TYPE, Layer, artifact_manifest, layers_of, parse_artifact
from builder.bundle.bundle import make_bundle, read_bundle, write_bundle
from builder.bundle.contents import Bundle, dump_bundle, parse_bundle
from builder.bundle.store_form import contents, image_parts

__all__ = [
    "EMPTY",
    "MEDIA_TYPE",
    "Bundle",
    "Layer",
    "artifact_manifest",
    "contents",
    "dump_bundle",
    "image_parts",
    "layers_of",
    "make_bundle",
    "parse_artifact",
    "parse_bundle",
    "read_bundle",
    "write_bundle",
]
