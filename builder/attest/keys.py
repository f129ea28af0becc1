"""Whose keys count: a file of named owners with SSH keys, as allowed signers, and OpenPGP certificates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pysequoia import Cert

from builder.attest.sshsig import SignaturePurpose, ssh_key_blob
from builder.errors import UsageError
from builder.io import read_bytes
from builder.model import StructureError, structure, toml
from builder.openpgp import certificates

__all__ = ["SshOwnerKey", "TrustedKeys", "read_keys"]

_OPTION = re.compile(r'([a-z-]+)="([^"]*)"(,|\s+)')
_MOMENT = re.compile(r"([0-9]{8})(?:([0-9]{4})([0-9]{2})?)?Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class SshOwnerKey:
    """An SSH key of an owner, and when it counts."""

    owner: str
    purposes: frozenset[SignaturePurpose]
    valid_after: datetime | None = None
    valid_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKeys:
    """The keys of all owners."""

    ssh: dict[bytes, SshOwnerKey]
    """By the key in SSH's wire form."""
    openpgp: tuple[tuple[Cert, str], ...]
    """Certificates with their owners."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeyOwner:
    name: str
    ssh: tuple[str, ...] = ()
    openpgp: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeysFile:
    owners: tuple[_KeyOwner, ...]


def read_keys(path: Path) -> TrustedKeys:
    """Read a keys file (TOML) and the certificates beside it (UsageError).

    A key that two owners have would count twice, so it is an error.
    """
    try:
        file: _KeysFile = structure(
            toml.loads(read_bytes(path), place=str(path), error=UsageError), _KeysFile
        )
    except StructureError as error:
        raise UsageError(error.cause, place=f"{path}: {error.path}", hint=error.hint) from None
    names = [owner.name for owner in file.owners]
    for name in names:
        if names.count(name) > 1 or not name.strip():
            raise UsageError(f"owner {name!r} must be named once", place=str(path))
    ssh: dict[bytes, SshOwnerKey] = {}
    openpgp: dict[str, tuple[Cert, str]] = {}
    for owner in file.owners:
        for line in owner.ssh:
            blob, key = _ssh_key(owner.name, line, place=f"{path}: {owner.name}")
            if blob in ssh:
                raise UsageError("has a key that stands there twice", place=f"{path}: {owner.name}")
            ssh[blob] = key
        for cert in _owner_certificates(owner, path):
            if str(cert.fingerprint) in openpgp:
                raise UsageError("has a key that stands there twice", place=f"{path}: {owner.name}")
            openpgp[str(cert.fingerprint)] = (cert, owner.name)
    if not ssh and not openpgp:
        raise UsageError("names no key", place=str(path))
    return TrustedKeys(ssh=ssh, openpgp=tuple(openpgp.values()))


def _owner_certificates(owner: _KeyOwner, path: Path) -> Iterator[Cert]:
    for name in owner.openpgp:
        place = path.parent / name
        yield from certificates([read_bytes(place)], place=str(place))


def _ssh_key(owner: str, line: str, *, place: str) -> tuple[bytes, SshOwnerKey]:
    """Read `[OPTIONS] TYPE BASE64`, an allowed signer without its principal."""
    options: dict[str, str] = {}
    rest = line.strip()
    while match := _OPTION.match(rest):
        options[match[1]] = match[2]
        rest = rest[match.end() :]
    unknown = options.keys() - {"namespaces", "valid-after", "valid-before"}
    if unknown:
        raise UsageError(f"has the option {min(unknown)!r}, which is not read here", place=place)
    named = options["namespaces"].split(",") if "namespaces" in options else SignaturePurpose
    purposes = frozenset(purpose for purpose in SignaturePurpose if purpose in named)
    if not purposes:
        raise UsageError(
            f"has a key for {options['namespaces'][:80]!r} only",
            place=place,
            hint=f"add {' or '.join(SignaturePurpose)}",
        )
    blob = ssh_key_blob(rest, place=place)
    moments: dict[str, Any] = {
        name.replace("-", "_"): _utc_moment(options[name], place=place)
        for name in ("valid-after", "valid-before")
        if name in options
    }
    return blob, SshOwnerKey(owner=owner, purposes=purposes, **moments)


def _utc_moment(text: str, *, place: str) -> datetime:
    match = _MOMENT.fullmatch(text)
    digits = f"{match[1]}{match[2] or '0000'}{match[3] or '00'}" if match else text
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as cause:
        raise UsageError(
            f"{text[:40]!r} is not a moment in UTC", place=place, hint="write YYYYMMDDZ or YYYYMMDDHHMMZ"
        ) from cause
