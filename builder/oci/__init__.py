"""Images and registries: manifests, layers and the files in them, over the distribution protocol.

In: image references, OCI layouts and saved images. Out: manifests, blobs and the file
tree of an image. Imports `store`, `origins`, `io`, `model`. Registries load requests,
which whoever only reads a manifest does not need: modules are loaded on first use.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.oci.images import (
        ImageLayer,
        ImageLayout,
        LayerEntry,
        OciImage,
        image_file,
        open_images,
        write_layout,
    )
    from builder.oci.manifests import (
        Descriptor,
        ImageIndex,
        ImageManifest,
        dump_manifest,
        empty_config,
        parse_image_manifest,
    )
    from builder.oci.registry import Push, Registry
    from builder.oci.tree import read_tree
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "Descriptor": "manifests",
            "LayerEntry": "images",
            "OciImage": "images",
            "ImageIndex": "manifests",
            "ImageManifest": "manifests",
            "ImageLayer": "images",
            "ImageLayout": "images",
            "Push": "registry",
            "Registry": "registry",
            "dump_manifest": "manifests",
            "empty_config": "manifests",
            "image_file": "images",
            "open_images": "images",
            "parse_image_manifest": "manifests",
            "read_tree": "tree",
            "write_layout": "images",
        },
    )

__all__ = [
    "Descriptor",
    "ImageIndex",
    "ImageLayer",
    "ImageLayout",
    "ImageManifest",
    "LayerEntry",
    "OciImage",
    "Push",
    "Registry",
    "dump_manifest",
    "empty_config",
    "image_file",
    "open_images",
    "parse_image_manifest",
    "read_tree",
    "write_layout",
]
