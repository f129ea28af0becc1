"""What requests and services are to the resolver, on the local index."""

from __future__ import annotations

from tests.local_index import request_of, services, warnings_seen

__all__ = ["request_of", "services", "warnings_seen"]
