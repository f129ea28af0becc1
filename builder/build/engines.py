"""The engines that can build: BuildKit, and buildah."""

from __future__ import annotations

__all__ = ["BUILDAH", "BUILDKIT", "ENGINES", "AnyEngine", "build", "find"]

from collections.abc import Callable

from builder.build import buildah, buildkit
from builder.build.buildah import Buildah, find_buildah
from builder.build.buildkit import Engine, find_engine
from builder.build.events import BuildStep
from builder.build.request import BuildRequest, Built
from builder.errors import UsageError
from builder.render import Inputs

BUILDKIT, BUILDAH = "buildkit", "buildah"
ENGINES = (BUILDKIT, BUILDAH)
"""What can be asked for with `--engine`."""

AnyEngine = Engine | Buildah


def find(name: str, builder: str, inputs: Inputs) -> AnyEngine:
    """Return the engine of that name, with the `builder` of buildx that was asked for.

    UsageError for what buildah does not have; ToolError where the engine is
    missing, too old, or does not answer.
    """
    if name == BUILDKIT:
        return find_engine(builder)
    if builder:
        raise UsageError("buildah has no builders", place="--builder", hint="leave --builder out")
    if inputs is not Inputs.STORE:
        raise UsageError(
            "buildah has no source policy, so nothing would limit a build to locked files",
            place="--engine buildah",
            hint="take everything from the store: --inputs store",
        )
    return find_buildah()


def build(
    engine: AnyEngine, request: BuildRequest, heard: Callable[[BuildStep], None] | None = None
) -> Built:
    """Build with either engine; see there."""
    if isinstance(engine, Buildah):
        return buildah.build(engine, request, heard)
    return buildkit.build(engine, request, heard)
