"""A frozen table of strings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

__all__ = ["Table"]


class Table(tuple[tuple[str, str], ...]):
    """An immutable mapping of strings to strings, kept sorted by key.

    It is a tuple of pairs, so that it hashes, compares and orders; keys are unique.
    """

    __slots__ = ()

    def __new__(cls, pairs: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> Self:
        """Take a mapping, or pairs whose later ones win."""
        return super().__new__(cls, sorted(dict(pairs).items()))

    def get(self, key: str, default: str = "") -> str:
        """Return the value of `key`, or `default`."""
        return dict(self).get(key, default)

    def merged(self, other: Table) -> Table:
        """Return both tables in one; where both have a key, `other` wins."""
        return Table({**dict(self), **dict(other)})
