"""Locks to a hermetic Dockerfile, its source policy and its bake file. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from builder.lockfile import Lock
from builder.render.addresses import Addresses
from builder.render.bake import bake_file
from builder.render.fetches import Inputs
from builder.render.planning import plan
from builder.render.policy import source_policy
from builder.render.rows import Form

__all__ = ["DOCKERFILE", "Inputs", "Rendered", "render"]

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


def render(locks: Sequence[tuple[Lock, bytes]], *, inputs: Inputs, addresses: Addresses) -> Rendered:
    """Return the files of `locks`, given each with its file's bytes, one an architecture.

    LockError for an incomplete lock, for a value that cannot be written, or
    for locks that do not belong together; UsageError for a file without
    an address.
    """
    dockerfile = plan(locks, Form(inputs=inputs, addresses=addresses))
    text = dockerfile.text()
    return Rendered(
        dockerfile=text, policy=source_policy(dockerfile), bake=bake_file([lock for lock, _ in locks])
    )
