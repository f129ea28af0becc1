"""Which statements count for an image: signed by a known owner, of this lock, of this digest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from builder.attest.keys import TrustedKeys
from builder.attest.signers import KnownSigner, identify_signer, read_bounded
from builder.attest.sshsig import SignaturePurpose
from builder.attest.statement import LARGEST_STATEMENT, BuiltPlatform, RebuildStatement, parse_statement
from builder.errors import BuilderError, UsageError

__all__ = ["JudgedStatement", "SignedRebuild", "StatementVerdict", "WantedRebuild", "judge_folder"]
__all__ += ["layer_differences", "read_rebuilds"]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRebuild:
    """A statement that was found, and who signed it."""

    place: str
    """Its path below the folder."""
    statement: RebuildStatement | None = None
    """None for a file that is none."""
    signer: KnownSigner | None = None
    """The owner whose key signed it; None if no keys file was given, or no key in it signed it."""
    fault: str = ""
    """Why it does not count, whatever it says."""


def read_rebuilds(folder: Path, keys: TrustedKeys | None) -> tuple[SignedRebuild, ...]:
    """Read every statement below `folder`, sorted by name (UsageError for a folder without any).

    Without keys nobody is asked who signed: each has that as its fault.
    """
    found = sorted(path for path in folder.rglob("*.json") if path.is_file())[: _MOST_STATEMENTS + 1]
    if not found:
        raise UsageError("holds no statement (*.json)", place=str(folder))
    if len(found) > _MOST_STATEMENTS:
        raise UsageError(f"holds more than {_MOST_STATEMENTS} statements", place=str(folder))
    return tuple(_read_rebuild(path, path.relative_to(folder).as_posix(), keys) for path in found)


def _read_rebuild(path: Path, place: str, keys: TrustedKeys | None) -> SignedRebuild:
    signer, fault = None, ""
    try:
        data = read_bounded(path, LARGEST_STATEMENT)
        if keys is None:
            fault = "no keys file was named, so nobody knows who signed it"
        else:
            signer = identify_signer(path, data, keys, purpose=SignaturePurpose.REBUILD)
        statement = parse_statement(data, place=place)
    except BuilderError as error:
        return SignedRebuild(place=place, fault=error.cause)
    return SignedRebuild(place=place, statement=statement, signer=signer, fault=fault)


def judge_folder(
    folder: Path, wanted: WantedRebuild, keys: TrustedKeys, *, now: datetime
) -> tuple[JudgedStatement, ...]:
    """Judge every statement below `folder` at the moment `now` (errors as `read_rebuilds`)."""
    return tuple(_judged_rebuild(one, wanted, now) for one in read_rebuilds(folder, keys))


def _judged_rebuild(one: SignedRebuild, wanted: WantedRebuild, now: datetime) -> JudgedStatement:
    statement, signer = one.statement, one.signer
    if statement is None or signer is None:
        return JudgedStatement(place=one.place, verdict=StatementVerdict.REFUSED, reason=one.fault)
    # A signer writes any time into a signature, so the key must be good today.
    if fault := signer.fault(now):
        return JudgedStatement(place=one.place, verdict=StatementVerdict.REFUSED, reason=fault)
    owner = signer.owner
    if {digest for _, digest in statement.locks} != set(wanted.locks):
        named = ", ".join(f"{name} {digest}" for name, digest in statement.locks) or "no lock"
        reason = f"{owner} signed it for another lock: {named}"
        return JudgedStatement(place=one.place, verdict=StatementVerdict.REFUSED, reason=reason)
    if statement.digest != wanted.digest:
        different = layer_differences(wanted.platforms, statement.platforms)
        reason = f"{owner} built {statement.digest}: {different}"
        return JudgedStatement(
            place=one.place, verdict=StatementVerdict.DISAGREES, owner=owner, reason=reason
        )
    return JudgedStatement(place=one.place, verdict=StatementVerdict.AGREES, owner=owner)


def layer_differences(mine: Sequence[BuiltPlatform], theirs: Sequence[BuiltPlatform]) -> str:
    """Say in which layers of which platform the second of two images differs from the first."""
    others = {one.platform: one for one in theirs}
    said = []
    for ours in mine:
        other = others.get(ours.platform)
        if other is None:
            said.append(f"it has no {ours.platform}")
            continue
        if other.digest == ours.digest:
            continue
        pairs = zip(ours.layers, other.layers, strict=False)
        layers = [str(number) for number, (our, their) in enumerate(pairs, start=1) if our != their]
        if len(ours.layers) != len(other.layers):
            layers.append(f"{len(other.layers)} layers instead of {len(ours.layers)}")
        said.append(f"{ours.platform} differs in layer {', '.join(layers)}" if layers else ours.platform)
    return "; ".join(said) or "the same images under another index"
