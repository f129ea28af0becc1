"""Which statements count for an image: signed by a known owner, of this lock, of this digest."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from builder.attest.keys import TrustedKeys
from builder.attest.signing import OPENPGP_SUFFIX, SSH_SUFFIX
from builder.attest.sshsig import check_ssh, read_ssh_signature
from builder.attest.statement import LARGEST_STATEMENT, BuiltPlatform, RebuildStatement, parse_statement
from builder.errors import BuilderError, DigestMismatchError, UsageError
from builder.io import open_regular
from builder.openpgp import usable_until, verify_detached

__all__ = ["JudgedStatement", "StatementVerdict", "WantedRebuild", "judge_folder"]

_LARGEST_SIGNATURE = 2**16  # bytes
_MOST_STATEMENTS = 10_000


class StatementVerdict(StrEnum):
    """What a statement is worth."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRebuild:
    """The image that statements must be about."""

    digest: str
    locks: Collection[str]
    """Digests of the locks that its platforms were made from."""
    platforms: tuple[BuiltPlatform, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedStatement:
    """One statement and what it is worth."""

    place: str
    verdict: StatementVerdict
    owner: str = ""
    """Who signed it; empty for a refused one."""
    reason: str = ""


def judge_folder(
    folder: Path, wanted: WantedRebuild, keys: TrustedKeys, *, now: datetime
) -> tuple[JudgedStatement, ...]:
    """Judge every statement below `folder`, sorted by name (UsageError for a folder without any)."""
    found = sorted(path for path in folder.rglob("*.json") if path.is_file())[: _MOST_STATEMENTS + 1]
    if not found:
        raise UsageError("holds no statement (*.json)", place=str(folder))
    if len(found) > _MOST_STATEMENTS:
        raise UsageError(f"holds more than {_MOST_STATEMENTS} statements", place=str(folder))
    return tuple(_judged_file(path, path.relative_to(folder).as_posix(), wanted, keys, now) for path in found)


def _judged_file(
    path: Path, place: str, wanted: WantedRebuild, keys: TrustedKeys, now: datetime
) -> JudgedStatement:
    try:
        data = _read_bounded(path, LARGEST_STATEMENT)
        owner = _known_signer(path, data, keys, now)
        statement = parse_statement(data, place=place)
    except BuilderError as error:
        return JudgedStatement(place=place, verdict=StatementVerdict.REFUSED, reason=error.cause)
    if {digest for _, digest in statement.locks} != set(wanted.locks):
        named = ", ".join(f"{name} {digest}" for name, digest in statement.locks) or "no lock"
        reason = f"{owner} signed it for another lock: {named}"
        return JudgedStatement(place=place, verdict=StatementVerdict.REFUSED, reason=reason)
    if statement.digest != wanted.digest:
        reason = f"{owner} built {statement.digest}: {_layer_difference(statement, wanted)}"
        return JudgedStatement(place=place, verdict=StatementVerdict.DISAGREES, owner=owner, reason=reason)
    return JudgedStatement(place=place, verdict=StatementVerdict.AGREES, owner=owner)


def _read_bounded(path: Path, most: int) -> bytes:
    try:
        with open_regular(path) as file:
            data = file.read(most + 1)
    except OSError as cause:
        raise UsageError(f"cannot be read: {cause.strerror}", place=str(path)) from cause
    if len(data) > most:
        raise UsageError(f"is larger than {most} bytes", place=str(path))
    return data


def _known_signer(path: Path, data: bytes, keys: TrustedKeys, now: datetime) -> str:
    """Return the owner whose key signed `data` and counts now (a BuilderError says why none does)."""
    ssh, openpgp = (path.with_name(f"{path.name}{suffix}") for suffix in (SSH_SUFFIX, OPENPGP_SUFFIX))
    if ssh.is_file():
        signature = read_ssh_signature(_read_bounded(ssh, _LARGEST_SIGNATURE), place=ssh.name)
        known = keys.ssh.get(signature.key)
        if known is None:
            raise DigestMismatchError("its SSH key belongs to no owner of the keys file")
        check_ssh(data, signature, place=ssh.name)
        if fault := known.fault(now):
            raise DigestMismatchError(fault)
        return known.owner
    if openpgp.is_file():
        return _openpgp_signer(data, _read_bounded(openpgp, _LARGEST_SIGNATURE), keys, now)
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


def _layer_difference(statement: RebuildStatement, wanted: WantedRebuild) -> str:
    """Say in which layers two images differ."""
    theirs = {one.platform: one for one in statement.platforms}
    said = []
    for ours in wanted.platforms:
        other = theirs.get(ours.platform)
        if other is None:
            said.append(f"it has no {ours.platform}")
            continue
        if other.digest == ours.digest:
            continue
        pairs = zip(ours.layers, other.layers, strict=False)
        layers = [str(number) for number, (mine, their) in enumerate(pairs, start=1) if mine != their]
        if len(ours.layers) != len(other.layers):
            layers.append(f"{len(other.layers)} layers instead of {len(ours.layers)}")
        said.append(f"{ours.platform} differs in layer {', '.join(layers)}" if layers else ours.platform)
    return "; ".join(said) or "the same images under another index"
