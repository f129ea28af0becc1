"""Whether the keys of the recipes still vouch for the signed indexes that locks name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from builder.errors import BuilderError
from builder.lockfile import Finding, Lock, found, row_label
from builder.openpgp import certificates, verify_clear
from builder.recipe import Library

__all__ = ["signature_findings"]

_HINT = "the file below recipes/indexes was changed: restore it, or pin the repository again"


def signature_findings(lock: Lock, library: Library, releases: Mapping[str, bytes]) -> Iterator[Finding]:
    """Yield repositories whose InRelease no present key has signed, where that file is at hand.

    The text says which key signed it and why it does not count: replaced, revoked, or expired and since
    when. A signature counts by the time at which it was made. `releases` maps digests to contents.
    """
    if lock.platform not in library.platforms:
        return
    tables = {(row.origin, row.suite): row.keys for row in library.platform(lock.platform).repositories}
    for row in lock.repositories:
        data, names = releases.get(row.inrelease or ""), tables.get((row.origin, row.suite))
        if data is None or names is None:
            continue
        keys = tuple(library.keys[name] for name in names if name in library.keys)
        said, hint, signers = _good_signers(data, keys)
        if said:
            yield found("signature", said, row=row_label(row), hint=hint)
        elif signers != row.signed_by:
            text = f"it is signed by {', '.join(signers)}, and the lock says {', '.join(row.signed_by)}"
            yield found("recipe-mismatch", text, row=row_label(row))


@lru_cache(maxsize=256)
def _good_signers(data: bytes, keys: tuple[bytes, ...]) -> tuple[str, str, tuple[str, ...]]:
    """Return why nothing vouches for an InRelease and what to do, or empty texts and the good signers."""
    try:
        known = certificates(keys, place="recipes/keys")
        _, signers = verify_clear(data, known, place="InRelease", hint=_HINT)
        return "", "", tuple(sorted(signer.upper() for signer in signers))
    except BuilderError as error:
        return error.cause, error.hint, ()
