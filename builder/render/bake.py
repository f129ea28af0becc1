"""The bake file: what `docker buildx bake` needs to build reproducibly."""

from __future__ import annotations

import json
from collections.abc import Sequence

from builder.lockfile import Lock
from builder.model import Arch

__all__ = ["bake_file"]


def bake_file(locks: Sequence[Lock]) -> str:
    """Return docker-bake.json for a Dockerfile beside it; the variable STORE names the store's folder."""
    first = locks[0]
    arches = [arch for arch in Arch if any(lock.arch == arch for lock in locks)]
    common = {
        "args": {"SOURCE_DATE_EPOCH": str(first.source_date_epoch)},
        "attest": ["type=provenance,disabled=true", "type=sbom,disabled=true"],
        "context": "${STORE}",
        "contexts": {"store": "${STORE}"},
        "dockerfile": "cwd://Dockerfile",
        "platforms": [arch.oci for arch in arches],
    }
    bake = {
        "group": {"default": {"targets": ["runtime"]}},
        "target": {
            "check": {**common, "output": ["type=cacheonly"], "target": "check"},
            "runtime": {
                **common,
                "output": ["type=oci,dest=${IMAGE},rewrite-timestamp=true"],
                "target": "runtime",
            },
        },
        "variable": {
            "IMAGE": {"default": f"{first.framework}-{first.release}.oci.tar"},
            "STORE": {"default": "store"},
        },
    }
    return json.dumps(bake, indent=2, ensure_ascii=True) + "\n"
