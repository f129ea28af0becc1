"""Advisories in the OSV format: the part of a record that decides what is affected.

The rules are those of the format's own description: a version is affected
where `versions` lists it, or where it lies in a range by the ecosystem's own
order. Versions that cannot be read leave the answer open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import cmp_to_key
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from builder.errors import FetchError, UsageError
from builder.resolve.debian import compare

__all__ = ["Advisory", "AffectedPackage", "Exposure", "VersionRange", "parse_advisory"]


class Exposure(Enum):
    """Whether a version is affected."""

    YES = auto()
    NO = auto()
    OPEN = auto()
    """The record does not let it be decided here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRange:
    """Events along one line of versions, or of commits."""

    kind: str
    """ECOSYSTEM, SEMVER or GIT."""
    repo: str
    events: tuple[tuple[str, str], ...]
    """Pairs of `introduced`, `fixed`, `last_affected` or `limit`, and a version or commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedPackage:
    """One package that an advisory is about."""

    ecosystem: str
    """Such as PyPI or Debian:13; empty where only a repository is named."""
    name: str
    versions: tuple[str, ...]
    ranges: tuple[VersionRange, ...]

    def judge(self, version: str) -> Exposure:
        """Say whether `version` is affected, by the ecosystem's own order."""
        order = _ORDERS.get(self.ecosystem.partition(":")[0])
        if version in self.versions:
            return Exposure.YES
        if order is None:
            return Exposure.OPEN
        answers = [_in_range(item, version, order) for item in self.ranges if item.kind != "GIT"]
        answers += [_equal_versions(listed, version, order) for listed in self.versions]
        if Exposure.YES in answers:
            return Exposure.YES
        return Exposure.OPEN if Exposure.OPEN in answers else Exposure.NO

    def judge_commit(self, commit: str, tag: str) -> Exposure:
        """Say whether a commit is affected: listed, or the first or the fixing one; else it stays open."""
        names = {commit, tag} - {""}
        events = [event for item in self.ranges if item.kind == "GIT" for event in item.events]
        if names & {*self.versions} or ("introduced", commit) in events:
            return Exposure.YES
        return Exposure.NO if ("fixed", commit) in events else Exposure.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisory:
    """One record."""

    id: str
    aliases: tuple[str, ...]
    summary: str
    affected: tuple[AffectedPackage, ...]

    @property
    def names(self) -> frozenset[str]:
        """Its id and aliases."""
        return frozenset((self.id, *self.aliases))


def parse_advisory(record: Any, *, place: str) -> Advisory | None:
    """Read a record; None for one that was withdrawn (UsageError for anything but an OSV record)."""
    if not isinstance(record, dict) or not isinstance(record.get("id"), str) or not record["id"]:
        raise UsageError("not an advisory in the OSV format: it has no id", place=place)
    if record.get("withdrawn"):
        return None
    here = f"{place}: {record['id'][:80]}"
    return Advisory(
        id=record["id"],
        aliases=tuple(sorted({*_text_list_field(record, "aliases", here)})),
        summary=_text_field(record, "summary", here)
        or _text_field(record, "details", here).partition("\n")[0],
        affected=tuple(_affected_package(item, here) for item in _table_list_field(record, "affected", here)),
    )


def _affected_package(item: Mapping[str, Any], place: str) -> AffectedPackage:
    package = item.get("package") or {}
    if not isinstance(package, dict):
        raise UsageError("affected.package is not an object", place=place)
    ecosystem, name = _text_field(package, "ecosystem", place), _text_field(package, "name", place)
    return AffectedPackage(
        ecosystem=ecosystem,
        name=str(canonicalize_name(name)) if ecosystem == "PyPI" else name,
        versions=_text_list_field(item, "versions", place),
        ranges=tuple(_version_range(entry, place) for entry in _table_list_field(item, "ranges", place)),
    )


def _version_range(entry: Mapping[str, Any], place: str) -> VersionRange:
    events = []
    for event in _table_list_field(entry, "events", place):
        for key, value in event.items():
            if not isinstance(value, str):
                raise UsageError(f"affected.ranges.events.{key[:40]} is not a text", place=place)
            events.append((key, value))
    return VersionRange(
        kind=_text_field(entry, "type", place), repo=_text_field(entry, "repo", place), events=tuple(events)
    )


def _text_field(table: Mapping[str, Any], key: str, place: str) -> str:
    value = table.get(key) or ""
    if not isinstance(value, str):
        raise UsageError(f"{key} is not a text", place=place)
    return value


def _text_list_field(table: Mapping[str, Any], key: str, place: str) -> tuple[str, ...]:
    value = table.get(key) or []
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise UsageError(f"{key} is not a list of texts", place=place)
    return tuple(value)


def _table_list_field(table: Mapping[str, Any], key: str, place: str) -> Iterator[Mapping[str, Any]]:
    value = table.get(key) or []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise UsageError(f"{key} is not a list of objects", place=place)
    yield from value


Order = Callable[[str, str], int]
"""-1, 0 or 1 as the first version is older than, equal to or newer than the second; ValueError."""


def _python_order(left: str, right: str) -> int:
    try:
        one, other = Version(left), Version(right)
    except InvalidVersion as error:
        raise ValueError(str(error)) from None
    return (one > other) - (one < other)


def _debian_order(left: str, right: str) -> int:
    try:
        return compare(left, right)
    except FetchError as error:
        raise ValueError(str(error)) from None


_ORDERS: Mapping[str, Order] = {"PyPI": _python_order, "Debian": _debian_order, "Ubuntu": _debian_order}


def _equal_versions(listed: str, version: str, order: Order) -> Exposure:
    try:
        return Exposure.YES if order(listed, version) == 0 else Exposure.NO
    except ValueError:
        return Exposure.NO  # what is listed in other words than the ecosystem's cannot be this version


def _in_range(item: VersionRange, version: str, order: Order) -> Exposure:
    """Walk the events in the order of their versions, as the format describes."""
    limits = [value for kind, value in item.events if kind == "limit" and value != "*"]
    try:
        if limits and not any(order(version, limit) < 0 for limit in limits):
            return Exposure.NO
        inside = False
        for kind, value in _sorted_events(item.events, order):
            if value != "0" and order(version, value) < (1 if kind == "last_affected" else 0):
                continue
            inside = kind == "introduced"
    except ValueError:
        return Exposure.OPEN
    else:
        return Exposure.YES if inside else Exposure.NO


def _sorted_events(events: tuple[tuple[str, str], ...], order: Order) -> list[tuple[str, str]]:
    def compared(one: tuple[str, str], other: tuple[str, str]) -> int:
        first = (one[1] != "0") - (other[1] != "0")
        return first or (order(one[1], other[1]) if one[1] != "0" else 0)

    wanted = [event for event in events if event[0] in {"introduced", "fixed", "last_affected"}]
    return sorted(wanted, key=cmp_to_key(compared))
