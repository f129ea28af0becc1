"""Pins of recipes, filled from the network or a mirror: the one place that asks what a tag means now.

In: recipes and places. Out: edited recipe files, and what was seen. Imports `recipe`,
`resolve`, `git`, `oci`, `rootfs`, `fetch`.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.pin.assembled import store_base
    from builder.pin.cli import main
    from builder.pin.context import Context
    from builder.pin.git import fill_version
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "Context": "context",
            "fill_version": "git",
            "main": "cli",
            "store_base": "assembled",
        },
    )

__all__ = ["Context", "fill_version", "main", "store_base"]
