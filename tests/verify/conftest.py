"""A project on an OS archive and a Python index of loopback, for proofs that ask them."""

from __future__ import annotations

from tests.commands.test_lock_archive import bench
from tests.local_index import index, indexes

__all__ = ["bench", "index", "indexes"]
