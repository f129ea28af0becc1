"""What an image weighs, and what is in it: sizes, layers, Python distributions, OS packages."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from builder.oci import LayerEntry, open_images
from builder.tars import MemberContent

__all__ = ["compare", "measure"]

_DISTRIBUTION = re.compile(
    r"(?!usr/).+/lib/python[0-9.]+/.*/(?P<name>[^/]+)-(?P<version>[^/-]+)\.dist-info/METADATA"
)
"""In a virtual environment, wherever its prefix is; distributions below /usr are the OS packages'."""
_STATUS = "var/lib/dpkg/status"
_DOCUMENTATION = re.compile(r"usr/share/(?:doc|groff|info|linda|lintian|locale|man)/.*")
"""What Debian's slim images leave out."""


@dataclass(slots=True)
class _Found:
    """What was seen in the layers so far."""

    size: int = 0
    files: int = 0
    bytecode: int = 0
    documentation: int = 0
    python: set[str] = field(default_factory=set)
    status: str = ""

    def take(self, entry: LayerEntry, content: MemberContent | None) -> None:
        """Count one member of a layer."""
        self.size += entry.size
        self.files += entry.kind == "file"
        self.bytecode += entry.size if entry.path.endswith(".pyc") else 0
        self.documentation += entry.size if _DOCUMENTATION.fullmatch(entry.path) else 0
        if match := _DISTRIBUTION.fullmatch(entry.path):
            self.python.add(f"{canonicalize_name(match['name'])}=={match['version']}")
        if entry.path == _STATUS and content is not None:
            self.status = content.read().decode("utf-8", "replace")


def measure(image: Path) -> dict[str, Any]:
    """Return the sizes in bytes of the only image in an OCI archive, and its packages."""
    found = _Found()
    with open_images(image) as layout:
        (one,) = layout.images()
        for layer in one.layers:
            layout.each(layer, found.take)
        return {
            "digest": layout.digest,
            "layers": len(one.layers),
            "compressed": sum(layer.size for layer in one.layers),
            "uncompressed": found.size,
            "files": found.files,
            "bytecode": found.bytecode,
            "documentation": found.documentation,
            "python": sorted(found.python),
            "os": _installed_packages(found.status),
        }


def _installed_packages(status: str) -> dict[str, str]:
    rows = {}
    for paragraph in status.split("\n\n"):
        row = dict(re.findall(r"(?m)^(Package|Status|Version): (.*)$", paragraph))
        if row.get("Status", "").endswith(" installed"):
            rows[row["Package"]] = row["Version"]
    return dict(sorted(rows.items()))


def compare(ours: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Say how far two measured images have the same content."""
    one, two = set(ours["python"]), set(other["python"])
    mine, theirs = set(ours["os"].items()), set(other["os"].items())
    return {
        "python": {
            "same": len(one & two),
            "only-ours": sorted(one - two),
            "only-conventional": sorted(two - one),
        },
        "os": {
            "same": len(mine & theirs),
            "only-ours": sorted("=".join(row) for row in mine - theirs),
            "only-conventional": sorted("=".join(row) for row in theirs - mine),
        },
    }
