"""Engines that build images: BuildKit and buildah, driven as processes.

In: locks, rendered, with a build context made of the store, and an output. Out: an image in
OCI layout, and the steps with their times. Imports `render`, `provision`, `store`, `io`.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.build.buildkit import Engine, find_engine
    from builder.build.engines import BUILDAH, BUILDKIT, ENGINES, AnyEngine, build, find
    from builder.build.events import BuildStep, Events
    from builder.build.inputs import BuildInputs, WantedImage, build_inputs
    from builder.build.request import BuildRequest, Built, build_context
    from builder.build.stage_graph import other_order, read_graph, stages_for
    from builder.build.stages import stage_progress
    from builder.build.timeline import stage_rows, timeline_rows
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "AnyEngine": "engines",
            "BUILDAH": "engines",
            "BUILDKIT": "engines",
            "BuildInputs": "inputs",
            "BuildRequest": "request",
            "BuildStep": "events",
            "Built": "request",
            "ENGINES": "engines",
            "Engine": "buildkit",
            "Events": "events",
            "build": "engines",
            "build_context": "request",
            "WantedImage": "inputs",
            "build_inputs": "inputs",
            "find": "engines",
            "find_engine": "buildkit",
            "other_order": "stage_graph",
            "read_graph": "stage_graph",
            "stage_progress": "stages",
            "stage_rows": "timeline",
            "stages_for": "stage_graph",
            "timeline_rows": "timeline",
        },
    )

__all__ = [
    "BUILDAH",
    "BUILDKIT",
    "ENGINES",
    "AnyEngine",
    "BuildInputs",
    "BuildRequest",
    "BuildStep",
    "Built",
    "Engine",
    "Events",
    "WantedImage",
    "build",
    "build_context",
    "build_inputs",
    "find",
    "find_engine",
    "other_order",
    "read_graph",
    "stage_progress",
    "stage_rows",
    "stages_for",
    "timeline_rows",
]
