"""OpenPGP signatures: who vouches for some bytes, by the certificates of a keyring."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pysequoia import Cert, Sig, verify
from pysequoia.packet import PacketPile, SignatureType, Tag

from builder.errors import DigestMismatchError, FetchError

__all__ = ["certificates", "usable_until", "verify_clear", "verify_detached"]

_SIGNATURE_BLOCK = re.compile(rb"(?ms)^-----BEGIN PGP SIGNATURE-----.*?^-----END PGP SIGNATURE-----")
_REPLACED = (
    "if the archive has a new key, check its fingerprint with the archive's owner, put the key into "
    "recipes/keys and name the file in `keys` of the repository"
)
_EXPIRED = (
    "archives extend keys and replace them: get the present certificate from the archive's owner, "
    "put it into recipes/keys in the place of the old one, and pin the repository again"
)


def certificates(parts: Iterable[bytes], *, place: str) -> tuple[Cert, ...]:
    """Return the certificates of key files, binary or armoured; FetchError without any."""
    found: dict[str, Cert] = {}
    for part in parts:
        try:
            found.update((cert.fingerprint, cert) for cert in Cert.split_bytes(part))
        except Exception as error:  # pysequoia raises bare Exception
            raise FetchError(f"the keyring cannot be read: {error}", place=place) from error
    if not found:
        raise FetchError("the keyring holds no certificate", place=place, hint="give the platform a keyring")
    return tuple(found.values())


def verify_clear(
    data: bytes, keyring: tuple[Cert, ...], *, place: str, hint: str
) -> tuple[bytes, tuple[str, ...]]:
    """Return the text of a clear-signed message, and the fingerprints of its good signers, sorted.

    One good signature by a certificate of `keyring` is enough; key validity is
    that of the time of signing. DigestMismatchError without one.
    """
    block = _SIGNATURE_BLOCK.search(data)
    signature = block[0] if block else b""
    try:
        verified = verify(data, store=lambda _wanted: list(keyring))
    except Exception as error:  # pysequoia raises bare Exception
        raise _bad_signature_error(signature, keyring, place, hint, _error_reason(error)) from error
    signers = _good_signers(verified, signature, keyring, place, hint)
    if verified.bytes is None:
        raise DigestMismatchError("the message holds no text", place=place, hint=hint)
    return verified.bytes, signers


def verify_detached(
    data: bytes, signature: bytes, keyring: tuple[Cert, ...], *, place: str, hint: str
) -> tuple[str, ...]:
    """Return the fingerprints of the good signers of `data`, sorted; errors as for `verify_clear`."""
    try:
        parsed = Sig.from_bytes(signature)
    except Exception as error:  # pysequoia raises bare Exception
        raise FetchError(
            f"it is not an OpenPGP signature ({_error_reason(error)})", place=place, hint=hint
        ) from error
    try:
        verified = verify(data, store=lambda _wanted: list(keyring), signature=parsed)
    except Exception as error:
        raise _bad_signature_error(signature, keyring, place, hint, _error_reason(error)) from error
    return _good_signers(verified, signature, keyring, place, hint)


def usable_until(signature: bytes, certificate: Cert) -> datetime | None:
    """Return when the key of `certificate` that made a good signature expires; None for never."""
    issuers = [
        str(packet.issuer_fingerprint or packet.issuer_key_id or "").lower()
        for packet in PacketPile.from_bytes(signature)
        if packet.tag == Tag.Signature
    ]
    keys = [key for key in _certificate_keys(certificate) if any(map(key.made, issuers))]
    ends = [key.expires for key in keys if key.expires is not None]
    return min(ends) if ends else certificate.expiration


def _good_signers(
    verified: Any, signature: bytes, keyring: tuple[Cert, ...], place: str, hint: str
) -> tuple[str, ...]:
    known = {certificate.fingerprint for certificate in keyring}
    signers = sorted({good.certificate for good in verified.valid_sigs} & known)
    if not signers:
        raise _bad_signature_error(signature, keyring, place, hint, "")
    return tuple(signers)


@dataclass(frozen=True, slots=True)
class _SigningKey:
    """A key of a certificate that may sign: the primary one or a subkey."""

    fingerprint: str
    certificate: Cert
    expires: datetime | None

    def made(self, issuer: str) -> bool:
        """Say whether a signature names this key, by its fingerprint or its key ID, which ends it."""
        return bool(issuer) and self.fingerprint.endswith(issuer)


def _bad_signature_error(
    signature: bytes, keyring: tuple[Cert, ...], place: str, hint: str, reason: str
) -> DigestMismatchError:
    """Return the error that says of each signature which key made it, and why that does not count."""
    texts, hints = [], []
    try:
        keys = [key for certificate in keyring for key in _certificate_keys(certificate)]
        for packet in PacketPile.from_bytes(signature):
            if packet.tag == Tag.Signature:
                issuer = str(packet.issuer_fingerprint or packet.issuer_key_id or "").lower()
                text, why = _signature_fault(issuer, packet.signature_created, keys)
                texts.append(text)
                hints.append(why)
    except Exception:  # noqa: BLE001 - pysequoia raises bare Exception; what it cannot read stays unexplained
        texts, hints = [], []
    said = "; ".join(filter(None, texts)) or reason
    cause = "no good signature by a certificate of the keyring"
    return DigestMismatchError(
        f"{cause} ({said})" if said else cause,
        place=place,
        hint=next((why for why in (_EXPIRED, _REPLACED) if why in hints), hint),
    )


def _signature_fault(issuer: str, made: datetime | None, keys: Iterable[_SigningKey]) -> tuple[str, str]:
    """Return why a signature is not good, in words, and the hint of it; an empty hint for changed bytes."""
    listed = list(keys)
    when = f" of {_day_text(made)}" if made else ""
    key = next((key for key in listed if key.made(issuer)), None)
    if not issuer:
        return f"the signature{when} does not name its key", ""
    if key is None:
        known = ", ".join(dict.fromkeys(str(one.certificate.fingerprint) for one in listed))
        return f"the signature{when} is by key {issuer}; the keyring has {known}", _REPLACED
    if key.certificate.is_revoked:
        return f"the signature{when} is by key {issuer}, whose owner revoked it", _EXPIRED
    if key.expires is not None and made is not None and key.expires <= made:
        return f"the signature{when} is by key {issuer}, which expired on {_day_text(key.expires)}", _EXPIRED
    return f"the signature{when} by key {issuer} is not one of these bytes", ""


def _certificate_keys(certificate: Cert) -> Iterator[_SigningKey]:
    """Yield the keys of a certificate; a subkey's expiry is in the newest signature that binds it."""
    subkeys: dict[str, tuple[datetime, datetime | None]] = {}
    subkey = ""
    for packet in PacketPile.from_bytes(bytes(certificate)):
        if packet.tag == Tag.PublicKey:
            yield _SigningKey(str(packet.fingerprint), certificate, certificate.expiration)
        elif packet.tag == Tag.PublicSubkey:
            subkey, created = str(packet.fingerprint), packet.key_created
        elif subkey and packet.tag == Tag.Signature and packet.signature_type == SignatureType.SubkeyBinding:
            bound, validity = packet.signature_created, packet.key_validity_period
            expires = created + validity if created and validity else None
            if bound and (subkey not in subkeys or subkeys[subkey][0] <= bound):
                subkeys[subkey] = (bound, expires)
    for fingerprint, (_, own) in subkeys.items():
        ends = [end for end in (own, certificate.expiration) if end is not None]
        yield _SigningKey(fingerprint, certificate, min(ends) if ends else None)


def _day_text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _error_reason(error: Exception) -> str:
    # Some builds append a stack trace, which says nothing to a user and names machine paths.
    return " ".join(str(error).partition("Stack backtrace:")[0].split())
