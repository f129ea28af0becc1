"""The local index, for these tests too."""

from __future__ import annotations

from tests.local_index import client, index, indexes, request_of, services, warnings_seen

__all__ = ["client", "index", "indexes", "request_of", "services", "warnings_seen"]
