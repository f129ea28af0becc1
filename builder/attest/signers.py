"""Which owner of the keys file signed a file: the signature lies beside it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from builder.attest.keys import TrustedKeys
from builder.attest.signing import OPENPGP_SUFFIX, SSH_SUFFIX
from builder.attest.sshsig import SignaturePurpose, check_ssh, read_ssh_signature
from builder.errors import DigestMismatchError, UsageError
from builder.io import open_regular
from builder.openpgp import usable_until, verify_detached

__all__ = ["known_signer", "read_bounded"]

_LARGEST_SIGNATURE = 2**16  # bytes


def read_bounded(path: Path, most: int) -> bytes:
    """Return the bytes of a regular file (UsageError for a larger one, or none)."""
    try:
        with open_regular(path) as file:
            data = file.read(most + 1)
    except OSError as cause:
        raise UsageError(f"cannot be read: {cause.strerror}", place=str(path)) from cause
    if len(data) > most:
        raise UsageError(f"is larger than {most} bytes", place=str(path))
    return data


def known_signer(
    path: Path, data: bytes, keys: TrustedKeys, *, purpose: SignaturePurpose, now: datetime
) -> str:
    """Return the owner whose key signed `data`, the bytes of `path`, and counts now.

    The signature lies beside `path`. A BuilderError says why no owner's counts.
    """
    ssh, openpgp = (path.with_name(f"{path.name}{suffix}") for suffix in (SSH_SUFFIX, OPENPGP_SUFFIX))
    if ssh.is_file():
        signature = read_ssh_signature(read_bounded(ssh, _LARGEST_SIGNATURE), place=ssh.name)
        known = keys.ssh.get(signature.key)
        if known is None:
            raise DigestMismatchError("its SSH key belongs to no owner of the keys file")
        check_ssh(data, signature, purpose=purpose, place=ssh.name)
        if fault := known.fault(now, purpose):
            raise DigestMismatchError(fault)
        return known.owner
    if openpgp.is_file():
        return _openpgp_signer(data, read_bounded(openpgp, _LARGEST_SIGNATURE), keys, now)
    raise UsageError(f"has no signature beside it (*{SSH_SUFFIX} or *{OPENPGP_SUFFIX})")


def _openpgp_signer(data: bytes, signature: bytes, keys: TrustedKeys, now: datetime) -> str:
    if not keys.openpgp:
        raise DigestMismatchError("its OpenPGP key belongs to no owner of the keys file")
    keyring = tuple(cert for cert, _ in keys.openpgp)
    good = verify_detached(data, signature, keyring, place="", hint="")
    for cert, owner in keys.openpgp:
        if str(cert.fingerprint) not in good:
            continue
        until = usable_until(signature, cert)
        # A signer writes any time into a signature, so the key must be good today.
        if cert.is_revoked:
            raise DigestMismatchError(f"the key of {owner} was revoked")
        if until is not None and until <= now:
            raise DigestMismatchError(f"the key of {owner} expired on {until:%Y-%m-%d}")
        return owner
    raise DigestMismatchError("its OpenPGP key belongs to no owner of the keys file")
