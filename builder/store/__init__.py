"""The store: files by their SHA-256, and files on their way into it.

In: bytes with the digest that they must have. Out: paths of complete files, and which of
them nothing names. A file is visible when all of its bytes are right, and never changes. Imports `io`.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
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
    from builder.store.garbage import StoreUse, collect_garbage, named_digests, reachable_digests
    from builder.store.store import Store, journal, recover, store_root, sweep, unwritable
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "Partial": "arriving",
            "Progress": "arriving",
            "Quiet": "arriving",
            "Request": "arriving",
            "Staging": "arriving",
            "Store": "store",
            "StoreUse": "garbage",
            "arrived_size": "arriving",
            "collect_garbage": "garbage",
            "journal": "store",
            "named_digests": "garbage",
            "open_partial": "arriving",
            "reachable_digests": "garbage",
            "recover": "store",
            "staging": "arriving",
            "store_root": "store",
            "sweep": "store",
            "unwritable": "store",
        },
    )

__all__ = [
    "Partial",
    "Progress",
    "Quiet",
    "Request",
    "Staging",
    "Store",
    "StoreUse",
    "arrived_size",
    "collect_garbage",
    "journal",
    "named_digests",
    "open_partial",
    "reachable_digests",
    "recover",
    "staging",
    "store_root",
    "sweep",
    "unwritable",
]
