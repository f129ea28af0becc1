"""The store over HTTP, read-only, in the layouts that pip, uv, apt and registries' clients expect.

In: locks and a store. Out: a server that answers for what the locks name, and nothing else.
Imports `bundle`, `store`, `lockfile`.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.mirror.catalog import Catalogue, catalogue
    from builder.mirror.pages import guide
    from builder.mirror.server import parse_address, serve
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "Catalogue": "catalog",
            "catalogue": "catalog",
            "guide": "pages",
            "parse_address": "server",
            "serve": "server",
        },
    )

__all__ = ["Catalogue", "catalogue", "guide", "parse_address", "serve"]
