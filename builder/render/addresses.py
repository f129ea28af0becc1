"""Where the inputs of an image are had: the caller decides, rendering only reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from builder.errors import UsageError
from builder.lockfile import DownloadedRow, Image
from builder.render.quoting import shown

__all__ = ["Addresses"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """One address for each file and each published image of some locks."""

    files: Mapping[DownloadedRow, str] = field(default_factory=dict)
    """URLs by row, as `builder.origins` decides them; the form `store` needs none."""
    images: Mapping[str, str] = field(default_factory=dict)
    """Names under which images are had instead of their own."""

    def file_url(self, row: DownloadedRow) -> str:
        """Return the URL of a row's file (UsageError when none was decided)."""
        if row not in self.files:
            raise UsageError(
                f"no address of {shown(row.file)} is known",
                hint=f"configure its origin: --origin {shown(row.origin)}=LAYOUT+URL, or use --inputs store",
            )
        return self.files[row]

    def image_reference(self, image: Image) -> str:
        """Return the name and digest of a published image."""
        return f"{self.images.get(image.name, image.name)}@{image.digest}"
