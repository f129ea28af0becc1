"""Pins of recipes, filled from the network or a mirror: the one place that asks what a tag means now.

In: recipes and places. Out: edited recipe files, and what was seen. Imports `recipe`,
`resolve`, `git`, `oci`, `rootfs`, `fetch`.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.pin.archive import pin_archive
    from builder.pin.assembled import pin_assembled, store_base
    from builder.pin.context import Context
    from builder.pin.git import fill_version, pin_git
    from builder.pin.image import pin_image
    from builder.pin.repositories import pin_repositories
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "Context": "context",
            "fill_version": "git",
            "pin_archive": "archive",
            "pin_assembled": "assembled",
            "pin_git": "git",
            "pin_image": "image",
            "pin_repositories": "repositories",
            "store_base": "assembled",
        },
    )

__all__ = [
    "Context",
    "fill_version",
    "pin_archive",
    "pin_assembled",
    "pin_git",
    "pin_image",
    "pin_repositories",
    "store_base",
]
