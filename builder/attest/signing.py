"""Bytes signed with an SSH or OpenPGP key, and statements written where `verify` finds them."""

from __future__ import annotations

from pathlib import Path

from pysequoia import SignatureMode, Tsk, sign

from builder.attest.sshsig import SignaturePurpose, sign_ssh
from builder.attest.statement import RebuildStatement, dump_statement
from builder.errors import UsageError
from builder.io import read_bytes, write_atomic
from builder.model import Sha256

__all__ = ["OPENPGP_SUFFIX", "SSH_SUFFIX", "sign_bytes", "write_attestation"]

SSH_SUFFIX = ".sig"
OPENPGP_SUFFIX = ".asc"
_OPENPGP = b"-----BEGIN PGP PRIVATE KEY BLOCK-----"
_DIGITS = 12


def sign_bytes(data: bytes, key: Path, purpose: SignaturePurpose) -> tuple[str, bytes]:
    """Return the detached, armoured signature of `data`, and the suffix of its file (UsageError)."""
    secret = read_bytes(key)
    if not secret.lstrip().startswith(_OPENPGP):
        return SSH_SUFFIX, sign_ssh(data, secret, purpose=purpose, place=str(key))
    try:
        made = sign(Tsk.from_bytes(secret).signer(), data, mode=SignatureMode.DETACHED)
    except Exception as cause:  # pysequoia raises bare Exception
        raise UsageError(
            "is not a private OpenPGP key that can be used here",
            place=str(key),
            hint="a key with a passphrase must be exported without it first",
        ) from cause
    return OPENPGP_SUFFIX, bytes(made)


def write_attestation(folder: Path, statement: RebuildStatement, key: Path) -> tuple[Path, Path]:
    """Sign a statement and write both below `folder`; return the paths of statement and signature.

    The name is made of the image's digest and that of the signature, so statements of several
    people lie beside each other.
    """
    data = dump_statement(statement)
    suffix, signature = sign_bytes(data, key, SignaturePurpose.REBUILD)
    digest = statement.digest.removeprefix("sha256:")[:_DIGITS]
    path = folder / statement.name / f"{digest}-{str(Sha256.of(signature))[:_DIGITS]}.json"
    beside = path.with_name(f"{path.name}{suffix}")
    write_atomic(beside, signature)
    write_atomic(path, data)
    return path, beside
