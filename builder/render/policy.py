"""The source policy: BuildKit may use what the locks name, and nothing else."""

from __future__ import annotations

import json
from typing import Any

from builder.render.instructions import Add, From
from builder.render.stages import Dockerfile

__all__ = ["source_policy"]


def source_policy(dockerfile: Dockerfile) -> str:
    """Return the policy as canonical JSON: deny all, then allow local folders and each source by digest."""
    images: set[str] = set()
    files: set[tuple[str, str]] = set()
    for instruction in dockerfile.instructions():
        if isinstance(instruction, From) and "@" in instruction.base:
            images.add(instruction.base)
        elif isinstance(instruction, Add):
            files.add((instruction.url, instruction.sha256))
    rules = [
        {"action": "DENY", "selector": {"identifier": "*"}},
        {"action": "ALLOW", "selector": {"identifier": "local://*"}},
        *(_allow_rule(f"docker-image://{image}") for image in sorted(images)),
        *(_allow_rule(url, digest) for url, digest in sorted(files)),
    ]
    return json.dumps({"rules": rules}, indent=2, ensure_ascii=True) + "\n"


def _allow_rule(identifier: str, digest: str = "") -> dict[str, Any]:
    selector: dict[str, Any] = {"identifier": identifier, "matchType": "EXACT"}
    if digest:
        constraint = {"condition": "EQUAL", "key": "http.checksum", "value": f"sha256:{digest}"}
        selector["constraints"] = [constraint]
    return {"action": "ALLOW", "selector": selector}
