"""The store over HTTP, read-only, in the layouts that pip, uv, apt and registries' clients expect.

In: locks and a store. Out: a server that answers for what the locks name, and nothing else.
Imports `bundle`, `store`, `lockfile`.
"""

from builder.mirror.catalog import Catalogue, catalogue
from builder.mirror.client_guide import guide
from builder.mirror.server import parse_address, serve

__all__ = ["Catalogue", "catalogue", "guide", "parse_address", "serve"]
