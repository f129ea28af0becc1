"""SSH signatures (SSHSIG) as `ssh-keygen -Y sign` makes them and `ssh-keygen -Y verify` checks them.

The format is that of OpenSSH's PROTOCOL.sshsig: magic, version, public key, namespace, a reserved
field, the name of a hash, and a signature over the same without key and with the hash of the message.
The keys and signatures themselves are the work of `cryptography`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from builder.errors import DigestMismatchError, UsageError

__all__ = ["SignaturePurpose", "SshSignature", "check_ssh", "read_ssh_signature", "sign_ssh", "ssh_key_blob"]

_MAGIC = b"SSHSIG"
_VERSION = 1
_HASHES = {"sha256": hashlib.sha256, "sha512": hashlib.sha512}
_ARMOUR = re.compile(rb"-----BEGIN SSH SIGNATURE-----\s+([A-Za-z0-9+/=\s]+)-----END SSH SIGNATURE-----\s*")
_RSA: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "rsa-sha2-256": hashes.SHA256,
    "rsa-sha2-512": hashes.SHA512,
}
_CURVES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "ecdsa-sha2-nistp256": hashes.SHA256,
    "ecdsa-sha2-nistp384": hashes.SHA384,
    "ecdsa-sha2-nistp521": hashes.SHA512,
}
_SMALLEST_RSA = 2048  # bits


class SignaturePurpose(StrEnum):
    """What a signature is for, as SSHSIG's namespace; one made for something else does not count."""

    REBUILD = "lockwright-rebuild"
    BUNDLE = "lockwright-bundle"


@dataclass(frozen=True, slots=True, kw_only=True)
class SshSignature:
    """A signature that was read, and by which key it claims to be."""

    key: bytes
    """The public key in SSH's wire form."""
    namespace: str
    hash_name: str
    algorithm: str
    value: bytes


def ssh_key_blob(line: str, *, place: str) -> bytes:
    """Return the wire form of a public key `TYPE BASE64` (UsageError)."""
    try:
        kind, _, rest = line.strip().partition(" ")
        blob = base64.b64decode(rest.split()[0], validate=True)
        serialization.load_ssh_public_key(f"{kind} {rest.split()[0]}".encode())
    except (ValueError, IndexError, UnsupportedAlgorithm, binascii.Error) as cause:
        raise UsageError("is not an SSH public key of a kind that is known", place=place) from cause
    return blob


def sign_ssh(message: bytes, private_key: bytes, *, purpose: SignaturePurpose, place: str) -> bytes:
    """Return the armoured signature of `message` by a private key in OpenSSH's form (UsageError)."""
    try:
        key: Any = serialization.load_ssh_private_key(private_key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as cause:
        raise UsageError(
            "is not a private SSH key that can be used here",
            place=place,
            hint="a key with a passphrase must be unlocked first: ssh-keygen -p on a copy of it",
        ) from cause
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    hash_name = "sha512"
    signed = _signed_bytes(message, purpose, hash_name)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        algorithm, value = "ssh-ed25519", key.sign(signed)
    elif isinstance(key, rsa.RSAPrivateKey):
        algorithm, value = "rsa-sha2-512", key.sign(signed, padding.PKCS1v15(), hashes.SHA512())
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        algorithm = public.split()[0].decode()
        first, second = utils.decode_dss_signature(key.sign(signed, ec.ECDSA(_CURVES[algorithm]())))
        value = _wire_text(_wire_number(first)) + _wire_text(_wire_number(second))
    else:
        raise UsageError("is a kind of key that is not used here", place=place, hint="make an ed25519 key")
    blob = (
        _MAGIC
        + struct.pack(">I", _VERSION)
        + b"".join(
            map(
                _wire_text,
                (
                    base64.b64decode(public.split()[1]),
                    purpose.encode(),
                    b"",
                    hash_name.encode(),
                    _wire_text(algorithm.encode()) + _wire_text(value),
                ),
            )
        )
    )
    text = base64.b64encode(blob).decode()
    lines = [text[start : start + 70] for start in range(0, len(text), 70)]
    return "\n".join(("-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", "")).encode()


def read_ssh_signature(data: bytes, *, place: str) -> SshSignature:
    """Read an armoured signature (UsageError)."""
    try:
        armoured = _ARMOUR.fullmatch(data)
        blob = base64.b64decode(b"".join(armoured[1].split()) if armoured else b"", validate=True)
        key, namespace, _, hash_name, signature = _wire_fields(_without_head(blob), 5)
        algorithm, value = _wire_fields(signature, 2)
        return SshSignature(
            key=key,
            namespace=namespace.decode(),
            hash_name=hash_name.decode(),
            algorithm=algorithm.decode(),
            value=value,
        )
    except (ValueError, struct.error, binascii.Error) as cause:
        raise UsageError("is not an SSH signature", place=place) from cause


def check_ssh(message: bytes, signature: SshSignature, *, purpose: SignaturePurpose, place: str) -> None:
    """Check a signature by the key that it names (DigestMismatchError); whose key it is, others judge."""
    if signature.namespace != purpose:
        raise DigestMismatchError(
            f"the signature is for {signature.namespace[:80]!r}, not {purpose.value!r}", place=place
        )
    if signature.hash_name not in _HASHES:
        raise DigestMismatchError(f"the signature uses {signature.hash_name[:40]!r}", place=place)
    signed = _signed_bytes(message, signature.namespace, signature.hash_name)
    try:
        kind = _wire_fields(signature.key, 1, rest=True)[0].decode()
        key = serialization.load_ssh_public_key(f"{kind} {base64.b64encode(signature.key).decode()}".encode())
        _check_value(key, kind, signature, signed)
    except (InvalidSignature, ValueError, UnsupportedAlgorithm, struct.error) as cause:
        raise DigestMismatchError("the signature is not one of these bytes", place=place) from cause


def _check_value(key: object, kind: str, signature: SshSignature, signed: bytes) -> None:
    if isinstance(key, ed25519.Ed25519PublicKey) and signature.algorithm == "ssh-ed25519":
        key.verify(signature.value, signed)
    elif isinstance(key, rsa.RSAPublicKey) and signature.algorithm in _RSA and key.key_size >= _SMALLEST_RSA:
        key.verify(signature.value, signed, padding.PKCS1v15(), _RSA[signature.algorithm]())
    elif isinstance(key, ec.EllipticCurvePublicKey) and signature.algorithm == kind and kind in _CURVES:
        first, second = _wire_fields(signature.value, 2)
        value = utils.encode_dss_signature(int.from_bytes(first), int.from_bytes(second))
        key.verify(value, signed, ec.ECDSA(_CURVES[kind]()))
    else:
        raise InvalidSignature


def _signed_bytes(message: bytes, namespace: str, hash_name: str) -> bytes:
    digest = _HASHES[hash_name](message).digest()
    return _MAGIC + b"".join(map(_wire_text, (namespace.encode(), b"", hash_name.encode(), digest)))


def _without_head(blob: bytes) -> bytes:
    """Return a signature's fields (ValueError for another format or version)."""
    if blob[:6] != _MAGIC or struct.unpack(">I", blob[6:10])[0] != _VERSION:
        raise ValueError("another format")
    return blob[10:]


def _wire_text(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _wire_number(value: int) -> bytes:
    """Return a positive number as SSH writes it: with a zero first if its highest bit is set."""
    return value.to_bytes(value.bit_length() // 8 + 1)


def _wire_fields(data: bytes, count: int, *, rest: bool = False) -> list[bytes]:
    """Return `count` texts with their lengths before them; ValueError if more follows, unless it may."""
    found = []
    for _ in range(count):
        (length,) = struct.unpack(">I", data[:4])
        if len(data) < 4 + length:
            raise ValueError("cut off")
        found.append(data[4 : 4 + length])
        data = data[4 + length :]
    if data and not rest:
        raise ValueError("more follows")
    return found
