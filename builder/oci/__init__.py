"""Images and registries: manifests, layers and the files in them, over the distribution protocol.

In: image references, OCI layouts and saved images. Out: manifests, blobs and the file
tree of an image. Imports `store`, `origins`, `io`, `model`.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.oci.images import Entry, Image, Layer, OciImages, open_images
    from builder.oci.layout import write_layout
    from builder.oci.push import Push
    from builder.oci.registry import Manifest, Registry
    from builder.oci.saved import image_file
    from builder.oci.tree import read_tree
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "Entry": "images",
            "Image": "images",
            "Layer": "images",
            "Manifest": "registry",
            "OciImages": "images",
            "Push": "push",
            "Registry": "registry",
            "image_file": "saved",
            "open_images": "images",
            "read_tree": "tree",
            "write_layout": "layout",
        },
    )

__all__ = [
    "Entry",
    "Image",
    "Layer",
    "Manifest",
    "OciImages",
    "Push",
    "Registry",
    "image_file",
    "open_images",
    "read_tree",
    "write_layout",
]
