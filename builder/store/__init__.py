"""The store: files by their SHA-256, and files on their way into it.

In: bytes with the digest that they must have. Out: paths of complete files. A file is
visible when all of its bytes are right, and never changes. Imports `io`.
"""

from builder.store.journals import journal, recover, sweep
from builder.store.partial import Partial, arrived_size, open_partial
from builder.store.request import Progress, Quiet, Request
from builder.store.staged import Staging, staging
from builder.store.store import Store, store_root, unwritable

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
