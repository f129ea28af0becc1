"""Provisioning: where a build gets the files of its locks, and a store that has them.

In: a project and locks. Out: the address of each file, or a filled store, with progress on the
console. Files are downloaded, git sources become canonical tars, bases are assembled; images
and package lists are brought when asked for. Imports `fetch`, `git`, `oci`, `pin`, `project`.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.provision.addresses import first_addresses
    from builder.provision.published_images import AbsentImages, absent_images, fill_images, write_layouts
    from builder.provision.stock import (
        FetchProgress,
        fill_absent,
        fill_package_lists,
        fill_store,
        store_lacks,
        store_needs,
    )
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "AbsentImages": "published_images",
            "FetchProgress": "stock",
            "absent_images": "published_images",
            "fill_absent": "stock",
            "fill_images": "published_images",
            "fill_package_lists": "stock",
            "fill_store": "stock",
            "first_addresses": "addresses",
            "store_lacks": "stock",
            "store_needs": "stock",
            "write_layouts": "published_images",
        },
    )

__all__ = [
    "AbsentImages",
    "FetchProgress",
    "absent_images",
    "fill_absent",
    "fill_images",
    "fill_package_lists",
    "fill_store",
    "first_addresses",
    "store_lacks",
    "store_needs",
    "write_layouts",
]
