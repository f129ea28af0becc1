"""The local index, for these tests too."""

from __future__ import annotations

from tests.local_index import client, indexes

__all__ = ["client", "indexes"]
