"""Bundles: locks, and every file that they need, as one tar or one OCI artifact.

In: locks and a store. Out: a tar or an artifact of a registry whose bytes depend on these
alone, and the way back; the file of its digest can be signed. Imports `attest`, `provision`, `oci`,
`store`, `lockfile`, `tars`.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.bundle.bundle import (
        artifact_manifest,
        contents_layer,
        layers_of,
        make_bundle,
        read_bundle,
        write_bundle,
    )
    from builder.bundle.carrying import collect_bundle, receive_bundle
    from builder.bundle.contents import Bundle, dump_bundle, parse_bundle
    from builder.bundle.registry_bundle import pull_artifact, push_artifact
    from builder.bundle.signature import SignedChecksum, read_signed_checksum, write_checksum
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "Bundle": "contents",
            "SignedChecksum": "signature",
            "artifact_manifest": "bundle",
            "collect_bundle": "carrying",
            "contents_layer": "bundle",
            "dump_bundle": "contents",
            "layers_of": "bundle",
            "make_bundle": "bundle",
            "parse_bundle": "contents",
            "pull_artifact": "registry_bundle",
            "push_artifact": "registry_bundle",
            "read_bundle": "bundle",
            "read_signed_checksum": "signature",
            "receive_bundle": "carrying",
            "write_bundle": "bundle",
            "write_checksum": "signature",
        },
    )

__all__ = [
    "Bundle",
    "SignedChecksum",
    "artifact_manifest",
    "collect_bundle",
    "contents_layer",
    "dump_bundle",
    "layers_of",
    "make_bundle",
    "parse_bundle",
    "pull_artifact",
    "push_artifact",
    "read_bundle",
    "read_signed_checksum",
    "receive_bundle",
    "write_bundle",
    "write_checksum",
]
