"""The image that a statement is about, read from its layout with every byte hashed."""

from __future__ import annotations

from pathlib import Path

from builder.attest.statement import BuiltPlatform
from builder.oci import open_images

__all__ = ["image_built"]


def image_built(path: Path) -> tuple[str, tuple[BuiltPlatform, ...]]:
    """Return the digest that names an image, and its platforms.

    UsageError for what is not one image in OCI layout, DigestMismatchError for one with other bytes
    than its digest names.
    """
    with open_images(path) as layout:
        layout.check_named()
        platforms = tuple(
            BuiltPlatform(
                platform=image.platform,
                digest=str(image.digest),
                layers=tuple(str(layer.digest) for layer in image.layers),
            )
            for image in layout.images()
        )
        return layout.digest, platforms
