"""Two contents of one file: which causes explain every difference between them."""

from __future__ import annotations

__all__ = ["Explained", "explain"]

from dataclasses import dataclass

from builder.reproduce.archives import ArchiveMember, members
from builder.reproduce.causes import CAUSES, BuildConditions
from builder.reproduce.erase import dropped, erasers

_DEPTH = 4  # archives in archives
_SHOWN = 24  # bytes
_STRIDE = 2**16  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Causes that together explain a difference, and where it is."""

    causes: tuple[str, ...]
    detail: str = ""

    @property
    def harmless(self) -> bool:
        """Whether the contents are the same once these causes are taken away."""
        return all(CAUSES[name].harmless for name in self.causes)


def explain(path: str, first: bytes, second: bytes, conditions: BuildConditions) -> Explained:
    """Return why two contents of `path`, which differ, may do so."""
    return _explain_contents(path, first, second, conditions, 0)


def _explain_contents(
    path: str, first: bytes, second: bytes, conditions: BuildConditions, depth: int
) -> Explained:
    cause = dropped(path)
    if cause:
        return Explained(causes=(cause,))
    if depth < _DEPTH:
        left, right = members(first), members(second)
        if left is not None and right is not None:
            return _explain_archives(left, right, conditions, depth)
    causes = _causes_that_erase(path, first, second, conditions)
    return Explained(causes=causes or ("unknown",), detail=_first_difference_shown(first, second))


def _explain_archives(
    left: tuple[ArchiveMember, ...], right: tuple[ArchiveMember, ...], conditions: BuildConditions, depth: int
) -> Explained:
    names, others = [member.name for member in left], [member.name for member in right]
    if sorted(names) != sorted(others):
        only = sorted(set(names) ^ set(others))
        return Explained(causes=("unknown",), detail=f"only in one of the archives: {', '.join(only[:3])}")
    causes = {"archive-order"} if names != others else set()
    by_name = {member.name: member for member in right}
    details = []
    for member in left:
        other = by_name[member.name]
        if member.metadata != other.metadata:
            causes.add("archive-metadata")
        if member.data != other.data:
            inner = _explain_contents(member.name, member.data, other.data, conditions, depth + 1)
            causes.update(inner.causes)
            details.append(f"in {member.name}: {inner.detail}" if inner.detail else f"in {member.name}")
    # Everything in them is the same: what is left is how it was packed.
    return Explained(causes=tuple(sorted(causes or {"archive-metadata"})), detail="; ".join(details[:3]))


def _causes_that_erase(
    path: str, first: bytes, second: bytes, conditions: BuildConditions
) -> tuple[str, ...]:
    """Return the fewest causes whose traces, erased on both sides, leave the same; none when all do not."""
    needed = [name for name, _ in erasers(path)]
    if not _same_without(path, first, second, conditions, needed):
        return ()
    for name, _ in reversed(erasers(path)):
        fewer = [one for one in needed if one != name]
        if fewer and _same_without(path, first, second, conditions, fewer):
            needed = fewer
    if needed == ["line-order"] and _by_locale(first.splitlines(), second.splitlines()):
        return ("locale-order",)
    return tuple(sorted(needed))


def _same_without(
    path: str, first: bytes, second: bytes, conditions: BuildConditions, names: list[str]
) -> bool:
    return _without_causes(path, first, conditions, names) == _without_causes(path, second, conditions, names)


def _without_causes(path: str, data: bytes, conditions: BuildConditions, names: list[str]) -> bytes:
    for name, erase in erasers(path):
        if name in names:
            data = erase(data, conditions)
    return data


def _by_locale(first: list[bytes], second: list[bytes]) -> bool:
    """Whether one is sorted by bytes and the other as languages do: letters first, case and signs later."""
    for plain, other in ((first, second), (second, first)):
        if plain == sorted(plain):
            keys = [_collation_key(line) for line in other]
            return keys == sorted(keys)
    return False


def _collation_key(line: bytes) -> str:
    text = line.decode("utf-8", "replace").casefold()
    return "".join(character for character in text if character.isalnum())


def _first_difference_shown(first: bytes, second: bytes) -> str:
    """Show the first difference."""
    at = 0
    while first[at : at + _STRIDE] == second[at : at + _STRIDE]:
        at += _STRIDE
    pairs = zip(first[at : at + _STRIDE], second[at : at + _STRIDE], strict=False)
    shorter = min(len(first), len(second)) - at
    at += next((index for index, (left, right) in enumerate(pairs) if left != right), shorter)
    start = max(0, at - 8)
    return f"at byte {at}: {first[start : at + _SHOWN]!r} and {second[start : at + _SHOWN]!r}"
