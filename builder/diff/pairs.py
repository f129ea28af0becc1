"""Which row after is which row before."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Key", "Pairs", "pair"]

T = TypeVar("T")
Key = Callable[[T], Hashable]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs(Generic[T]):
    """What became of the rows of one kind; equal rows are left out."""

    changed: tuple[tuple[T, T], ...]
    added: tuple[T, ...]
    removed: tuple[T, ...]


def pair(before: Iterable[T], after: Iterable[T], keys: Sequence[Key[T]]) -> Pairs[T]:
    """Find for each row after the row before that it was.

    Equal rows are partners first. What remains is joined by each of `keys` in
    turn, from the strictest to the loosest. The result is in the order of the rows.
    """
    olds, news = list(before), list(after)
    if olds == news:
        return Pairs(changed=(), added=(), removed=())
    partner: dict[int, int] = {}
    taken: set[int] = set()
    every: list[Key[T]] = [_unchanged_row, *keys]
    for key in every:
        waiting: dict[Hashable, deque[int]] = defaultdict(deque)
        for index, row in enumerate(olds):
            if index not in taken:
                waiting[key(row)].append(index)
        for index, row in enumerate(news):
            if index not in partner and (found := waiting.get(key(row))):
                partner[index] = found.popleft()
                taken.add(partner[index])
    joined = ((olds[partner[index]], row) for index, row in enumerate(news) if index in partner)
    return Pairs(
        changed=tuple((old, new) for old, new in joined if old != new),
        added=tuple(row for index, row in enumerate(news) if index not in partner),
        removed=tuple(row for index, row in enumerate(olds) if index not in taken),
    )


def _unchanged_row(row: T) -> T:
    return row
