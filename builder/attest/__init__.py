"""Rebuild attestations: who says that a lock, built by them, gave an image of this digest.

In: an image, its locks, a private key; or a folder of signed statements and the keys of named
owners. Out: a signed in-toto statement; or which owners built the same digest, and why other
statements do not count. Signatures are SSH's or OpenPGP's; bundles are signed with the same keys.
Imports `io`, `model`, `oci`, `openpgp`.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.attest.built_image import image_built
    from builder.attest.judging import (
        JudgedStatement,
        SignedRebuild,
        StatementVerdict,
        WantedRebuild,
        judge_folder,
        layer_differences,
        read_rebuilds,
    )
    from builder.attest.keys import TrustedKeys, read_keys
    from builder.attest.signers import KnownSigner, known_signer, read_bounded
    from builder.attest.signing import OPENPGP_SUFFIX, SSH_SUFFIX, sign_bytes, write_attestation
    from builder.attest.sshsig import SignaturePurpose
    from builder.attest.statement import BuiltPlatform, RebuildStatement, dump_statement, parse_statement
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "BuiltPlatform": "statement",
            "JudgedStatement": "judging",
            "KnownSigner": "signers",
            "OPENPGP_SUFFIX": "signing",
            "RebuildStatement": "statement",
            "SSH_SUFFIX": "signing",
            "SignaturePurpose": "sshsig",
            "SignedRebuild": "judging",
            "TrustedKeys": "keys",
            "StatementVerdict": "judging",
            "WantedRebuild": "judging",
            "image_built": "built_image",
            "dump_statement": "statement",
            "judge_folder": "judging",
            "known_signer": "signers",
            "layer_differences": "judging",
            "parse_statement": "statement",
            "read_bounded": "signers",
            "read_keys": "keys",
            "read_rebuilds": "judging",
            "sign_bytes": "signing",
            "write_attestation": "signing",
        },
    )

__all__ = [
    "OPENPGP_SUFFIX",
    "SSH_SUFFIX",
    "BuiltPlatform",
    "JudgedStatement",
    "KnownSigner",
    "RebuildStatement",
    "SignaturePurpose",
    "SignedRebuild",
    "StatementVerdict",
    "TrustedKeys",
    "WantedRebuild",
    "dump_statement",
    "image_built",
    "judge_folder",
    "known_signer",
    "layer_differences",
    "parse_statement",
    "read_bounded",
    "read_keys",
    "read_rebuilds",
    "sign_bytes",
    "write_attestation",
]
