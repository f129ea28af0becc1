"""The local Python index of the resolver's tests."""

from __future__ import annotations

from tests.local_index import index, indexes

__all__ = ["index", "indexes"]
