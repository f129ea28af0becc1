"""The local Python index of the resolver's tests."""

from __future__ import annotations

from tests.resolve.python.conftest import index, indexes

__all__ = ["index", "indexes"]
