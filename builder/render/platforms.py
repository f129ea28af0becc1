"""Stages that choose an architecture, for what is built for several at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from builder.model import Arch
from builder.render.instructions import SCRATCH, Copy
from builder.render.stages import STORE, Stage

__all__ = ["by_platform"]


def by_platform(role: str, arches: Sequence[Arch], what: str) -> Iterator[Stage]:
    """Yield the stages that choose an architecture; one without a lock ends the build with its name."""
    for arch in Arch:
        name = f"{role}-{arch.debian}"
        if arch in arches:
            yield Stage(name=name, base=f"{role}-{arch}", notes=(f"{arch.oci} is {arch}.",))
        else:
            missing = Copy(stage=STORE, source=f"no-lock-for-{arch}", target="/")
            notes = (f"{arch.oci} has no lock here: building for it stops at this missing file.",)
            yield Stage(name=name, base=SCRATCH, notes=notes, body=(missing,))
    yield Stage(name=role, base=role, notes=(f"{what}.",), by_platform=True)
