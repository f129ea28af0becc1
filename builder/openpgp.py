"""OpenPGP signatures: who vouches for some bytes, by the certificates of a keyring."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pysequoia import Cert, Sig, verify

from builder.errors import DigestMismatchError, FetchError

__all__ = ["certificates", "verify_clear", "verify_detached"]


def certificates(parts: Iterable[bytes], *, place: str) -> tuple[Cert, ...]:
    """Return the certificates of key files, binary or armoured; FetchError where there is none."""
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
    that of the time of signing. DigestMismatchError where there is none.
    """
    try:
        verified = verify(data, store=lambda _wanted: list(keyring))
    except Exception as error:  # pysequoia raises bare Exception
        raise _bad(error, place, hint) from error
    signers = _signers(verified, keyring, place, hint)
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
            f"it is not an OpenPGP signature ({_reason(error)})", place=place, hint=hint
        ) from error
    try:
        verified = verify(data, store=lambda _wanted: list(keyring), signature=parsed)
    except Exception as error:
        raise _bad(error, place, hint) from error
    return _signers(verified, keyring, place, hint)


def _signers(verified: Any, keyring: tuple[Cert, ...], place: str, hint: str) -> tuple[str, ...]:
    known = {certificate.fingerprint for certificate in keyring}
    signers = sorted({signature.certificate for signature in verified.valid_sigs} & known)
    if not signers:
        raise DigestMismatchError("no good signature by a certificate of the keyring", place=place, hint=hint)
    return tuple(signers)


def _bad(error: Exception, place: str, hint: str) -> DigestMismatchError:
    return DigestMismatchError(
        f"no good signature by a certificate of the keyring ({_reason(error)})", place=place, hint=hint
    )


def _reason(error: Exception) -> str:
    # Some builds append a stack trace, which says nothing to a user and names machine paths.
    return " ".join(str(error).partition("Stack backtrace:")[0].split())
