"""Which statements count for an image: signed by a known owner, of this lock, of this digest."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from builder.attest.keys import TrustedKeys
from builder.attest.signers import known_signer, read_bounded
from builder.attest.sshsig import SignaturePurpose
from builder.attest.statement import LARGEST_STATEMENT, BuiltPlatform, RebuildStatement, parse_statement
from builder.errors import BuilderError, UsageError

__all__ = ["JudgedStatement", "StatementVerdict", "WantedRebuild", "judge_folder"]

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
        data = read_bounded(path, LARGEST_STATEMENT)
        owner = known_signer(path, data, keys, purpose=SignaturePurpose.REBUILD, now=now)
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
