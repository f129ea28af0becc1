"""Locks to a hermetic Dockerfile, its source policy and its bake file. Pure.

The source policy: BuildKit may use what the locks name, and nothing else. The
bake file: what `docker buildx bake` needs to build reproducibly.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from builder.lockfile import Lock, RecipeComparison
from builder.model import Arch
from builder.render.fetches import Addresses, Form, Inputs
from builder.render.instructions import Add, From
from builder.render.planning import plan
from builder.render.stages import Dockerfile

__all__ = ["DOCKERFILE", "Inputs", "Rendered", "bake_file", "render", "source_policy"]


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


DOCKERFILE = "Dockerfile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """Three files, as text."""

    dockerfile: str
    policy: str
    """source-policy.json"""
    bake: str
    """docker-bake.json"""

    @property
    def files(self) -> dict[str, str]:
        """The text of each file by its name, the Dockerfile first."""
        return {DOCKERFILE: self.dockerfile, "source-policy.json": self.policy, "docker-bake.json": self.bake}


def render(
    locks: Sequence[tuple[Lock, bytes]],
    *,
    inputs: Inputs,
    addresses: Addresses,
    compared: RecipeComparison = RecipeComparison.AGREES,
) -> Rendered:
    """Return the files of `locks`, given each with its file's bytes, one an architecture.

    LockError for an incomplete lock, for a value that cannot be written, or
    for locks that do not belong together; UsageError for a file without
    an address.
    """
    dockerfile = plan(locks, Form(inputs=inputs, addresses=addresses, compared=compared))
    text = dockerfile.text()
    return Rendered(
        dockerfile=text, policy=source_policy(dockerfile), bake=bake_file([lock for lock, _ in locks])
    )
