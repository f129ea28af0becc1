"""What was computed of a frozen object, found again by the object itself. Pure.

`functools.lru_cache` hashes its arguments, which for a recipe means to read all of it, and tables in it
have no hash. Here the object's identity is the key. The object is kept beside the result, so that no
other one can get the same `id`. Only for objects that never change.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["ObjectMemo"]

K = TypeVar("K")
V = TypeVar("V")


class ObjectMemo(Generic[K, V]):
    """Results by object, and by what else they depend on; forgotten together when there are too many."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._kept: dict[tuple[int, tuple[Hashable, ...]], tuple[K, V]] = {}

    def get(self, subject: K, *more: Hashable, compute: Callable[..., V]) -> V:
        """Return `compute(subject, *more)`, computed once for each object and each `more`."""
        key = (id(subject), more)
        kept = self._kept.get(key)
        if kept is None:
            if len(self._kept) >= self._limit:
                self._kept.clear()
            kept = self._kept[key] = (subject, compute(subject, *more))
        return kept[1]
