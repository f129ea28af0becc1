"""Engines that build images: BuildKit and buildah, driven as processes.

In: a rendered Dockerfile, a build context made of the store, and an output. Out: an image
in OCI layout, and the steps with their times. Imports `render`, `store`, `io`.
"""

from builder.build.context import build_context
from builder.build.docker import Engine, find_engine
from builder.build.engines import BUILDAH, BUILDKIT, AnyEngine, build, find
from builder.build.events import Events, Step
from builder.build.request import Built, Request
from builder.build.stage_graph import other_order, read_graph, stages_for

__all__ = [
    "BUILDAH",
    "BUILDKIT",
    "AnyEngine",
    "Built",
    "Engine",
    "Events",
    "Request",
    "Step",
    "build",
    "build_context",
    "find",
    "find_engine",
    "other_order",
    "read_graph",
    "stages_for",
]
