"""What one component makes, as an image of its own: stages that stand after a rendered Dockerfile."""

from __future__ import annotations

from collections.abc import Sequence

from builder.errors import UsageError
from builder.lockfile import Lock
from builder.render.instructions import SCRATCH, Copy
from builder.render.platforms import by_platform
from builder.render.quoting import shown
from builder.render.stages import WHEELS, Stage, build_stage

__all__ = ["OUTPUT", "output_stages"]

OUTPUT = "output"
"""The stage that holds what a component makes."""


def output_stages(locks: Sequence[Lock], component: str) -> str:
    """Return stages whose last is an image of a component's prefix and wheels, and nothing else.

    UsageError where a lock does not build it.
    """
    stages = [_output_stage(lock, component) for lock in locks]
    stages += by_platform(OUTPUT, [lock.arch for lock in locks], f"What {component} makes")
    return "\n\n".join(["", *(stage.text() for stage in stages)]) + "\n"


def _output_stage(lock: Lock, component: str) -> Stage:
    build = next((build for build in lock.builds if build.component == component), None)
    if build is None:
        built = ", ".join(build.component for build in lock.builds) or "nothing"
        raise UsageError(
            f"{shown(component)} is not built for {lock.target}",
            place="--component",
            hint=f"name one of these: {built}",
        )
    folders = [*([build.prefix] if build.prefix else []), *([WHEELS] if build.wheels else [])]
    stage = build_stage(component, lock.arch)
    return Stage(
        name=f"{OUTPUT}-{lock.arch}",
        base=SCRATCH,
        notes=(f"{component} {build.version} alone",),
        body=tuple(Copy(stage=stage, source=folder, target=folder) for folder in folders),
    )
