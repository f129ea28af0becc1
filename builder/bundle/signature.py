"""A bundle's signature: of the file with its SHA-256, which lies beside it and `sha256sum --check` reads.

By hand it is checked with `ssh-keygen -Y verify` or `gpg --verify`, and then `sha256sum --check`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from builder.attest import (
    OPENPGP_SUFFIX,
    SSH_SUFFIX,
    SignaturePurpose,
    TrustedKeys,
    known_signer,
    read_bounded,
    sign_bytes,
)
from builder.errors import BuilderError, DigestMismatchError, UsageError
from builder.io import write_atomic
from builder.model import Sha256

__all__ = ["SignedChecksum", "read_signed_checksum", "write_checksum"]

_LINE = re.compile(rb"([0-9a-f]{64}) [ *][^\n]{1,4096}\n")
_LARGEST_CHECKSUM = 2**13  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedChecksum:
    """The digest that a bundle must have, and the owner whose key says so."""

    sha256: Sha256
    owner: str


def _checksum_path(file: Path) -> Path:
    return file.with_name(f"{file.name}.sha256")


def write_checksum(file: Path, sha256: Sha256, key: Path | None) -> tuple[Path, ...]:
    """Write the digest of a bundle beside it, signed if there is a key; return what was written (UsageError).

    An older signature of another bundle at that place is removed.
    """
    path = _checksum_path(file)
    line = f"{sha256}  {file.name}\n".encode()
    for suffix in (SSH_SUFFIX, OPENPGP_SUFFIX):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
    write_atomic(path, line)
    if key is None:
        return (path,)
    suffix, signature = sign_bytes(line, key, SignaturePurpose.BUNDLE)
    beside = path.with_name(f"{path.name}{suffix}")
    write_atomic(beside, signature)
    return path, beside


def read_signed_checksum(file: Path, keys: TrustedKeys, *, now: datetime) -> SignedChecksum:
    """Return what an owner of `keys` says the bundle's digest is.

    UsageError when the file of the digest or its signature is missing; DigestMismatchError when no
    owner's key signed it that counts now.
    """
    path = _checksum_path(file)
    hint = f"it and its signature must lie beside the bundle: {path.name}, {path.name}.sig or .asc"
    try:
        line = read_bounded(path, _LARGEST_CHECKSUM)
        owner = known_signer(path, line, keys, purpose=SignaturePurpose.BUNDLE, now=now)
    except BuilderError as error:
        kind = DigestMismatchError if isinstance(error, DigestMismatchError) else UsageError
        raise kind(error.cause, place=str(path), hint=error.hint or hint) from None
    match = _LINE.fullmatch(line)
    if match is None:
        raise UsageError("is not one line of sha256sum", place=str(path), hint=hint)
    return SignedChecksum(sha256=Sha256(match[1].decode()), owner=owner)
