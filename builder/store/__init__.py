"""The store: files by their SHA-256, and files on their way into it.

In: bytes with the digest that they must have. Out: paths of complete files. A file is
visible when all of its bytes are right, and never changes. Imports `io`.
"""

from builder.store.arriving import (
    Partial,
    Progress,
    Quiet,
    Request,
    Staging,
    arrived_size,
    open_partial,
    staging,
)
from builder.store.store import Store, journal, recover, store_root, sweep, unwritable

__all__ = [
    "Partial",
    "Progress",
    "Quiet",
    "Request",
    "Staging",
    "Store",
    "arrived_size",
    "journal",
    "open_partial",
    "recover",
    "staging",
    "store_root",
    "sweep",
    "unwritable",
]
