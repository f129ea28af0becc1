"""Which owner of the keys file signed a file: the signature lies beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from builder.attest.keys import TrustedKeys
from builder.attest.signing import OPENPGP_SUFFIX, SSH_SUFFIX
from builder.attest.sshsig import SignaturePurpose, check_ssh, read_ssh_signature
from builder.errors import DigestMismatchError, UsageError
from builder.io import open_regular
from builder.openpgp import usable_until, verify_detached

__all__ = ["KnownSigner", "identify_signer", "known_signer", "read_bounded"]

_LARGEST_SIGNATURE = 2**16  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSigner:
    """An owner whose key made a good signature, and when that key counts."""

    owner: str
    valid_after: datetime | None = None
    valid_before: datetime | None = None

    def fault(self, now: datetime) -> str:
        """Return why the key does not count now; empty if it does."""
        if self.valid_before is not None and now >= self.valid_before:
            return f"the key of {self.owner} expired on {self.valid_before:%Y-%m-%d}"
        if self.valid_after is not None and now < self.valid_after:
            return f"the key of {self.owner} counts only from {self.valid_after:%Y-%m-%d}"
        return ""


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
    signer = identify_signer(path, data, keys, purpose=purpose)
    # A signer writes any time into a signature, so the key must be good today.
    if fault := signer.fault(now):
        raise DigestMismatchError(fault)
    return signer.owner


def identify_signer(path: Path, data: bytes, keys: TrustedKeys, *, purpose: SignaturePurpose) -> KnownSigner:
    """Return who signed `data`, the bytes of `path`, whenever their key counts (errors as `known_signer`)."""
    ssh, openpgp = (path.with_name(f"{path.name}{suffix}") for suffix in (SSH_SUFFIX, OPENPGP_SUFFIX))
    if ssh.is_file():
        signature = read_ssh_signature(read_bounded(ssh, _LARGEST_SIGNATURE), place=ssh.name)
        known = keys.ssh.get(signature.key)
        if known is None:
            raise DigestMismatchError("its SSH key belongs to no owner of the keys file")
        check_ssh(data, signature, purpose=purpose, place=ssh.name)
        if purpose not in known.purposes:
            raise DigestMismatchError(
                f"the key of {known.owner} is not for {purpose}: its namespaces do not say it"
            )
        return KnownSigner(owner=known.owner, valid_after=known.valid_after, valid_before=known.valid_before)
    if openpgp.is_file():
        return _openpgp_signer(data, read_bounded(openpgp, _LARGEST_SIGNATURE), keys)
    raise UsageError(f"has no signature beside it (*{SSH_SUFFIX} or *{OPENPGP_SUFFIX})")


def _openpgp_signer(data: bytes, signature: bytes, keys: TrustedKeys) -> KnownSigner:
    if not keys.openpgp:
        raise DigestMismatchError("its OpenPGP key belongs to no owner of the keys file")
    keyring = tuple(cert for cert, _ in keys.openpgp)
    good = verify_detached(data, signature, keyring, place="", hint="")
    for cert, owner in keys.openpgp:
        if str(cert.fingerprint) not in good:
            continue
        if cert.is_revoked:
            raise DigestMismatchError(f"the key of {owner} was revoked")
        return KnownSigner(owner=owner, valid_before=usable_until(signature, cert))
    raise DigestMismatchError("its OpenPGP key belongs to no owner of the keys file")
