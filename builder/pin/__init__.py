"""Pins of recipes, filled from the network or a mirror: the one place that asks what a tag means now.

In: recipes and places. Out: edited recipe files, and what was seen. Imports `recipe`,
`resolve`, `git`, `oci`, `rootfs`, `fetch`.
"""

from builder.pin.assembled import store_base
from builder.pin.cli import main
from builder.pin.context import Context
from builder.pin.git import fill_version

__all__ = ["Context", "fill_version", "main", "store_base"]
