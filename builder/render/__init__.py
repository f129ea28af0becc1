"""Locks to a hermetic Dockerfile, its source policy and its bake file.

In: locks, addresses of files and the input form. Out: text. A plan of stages is made first;
each stage is a list of instructions that quote themselves. Imports `lockfile` and
`model`. Pure.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.render.components import OUTPUT, output_stages
    from builder.render.fetches import Addresses, Form, Inputs
    from builder.render.files import DOCKERFILE, Rendered, render
    from builder.render.images import image_checks
    from builder.render.instructions import Cmd, Entrypoint, Env, File
    from builder.render.planning import CHECK_TARGET, IMAGE_TARGETS, RUNTIME_TARGET, plan
    from builder.render.provenance import origin_of
    from builder.render.quoting import script
    from builder.render.stages import Dockerfile, build_stage
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "Addresses": "fetches",
            "CHECK_TARGET": "planning",
            "Cmd": "instructions",
            "DOCKERFILE": "files",
            "Dockerfile": "stages",
            "Entrypoint": "instructions",
            "Env": "instructions",
            "File": "instructions",
            "Form": "fetches",
            "IMAGE_TARGETS": "planning",
            "Inputs": "fetches",
            "OUTPUT": "components",
            "RUNTIME_TARGET": "planning",
            "Rendered": "files",
            "build_stage": "stages",
            "image_checks": "images",
            "origin_of": "provenance",
            "output_stages": "components",
            "plan": "planning",
            "render": "files",
            "script": "quoting",
        },
    )

__all__ = [
    "CHECK_TARGET",
    "DOCKERFILE",
    "IMAGE_TARGETS",
    "OUTPUT",
    "RUNTIME_TARGET",
    "Addresses",
    "Cmd",
    "Dockerfile",
    "Entrypoint",
    "Env",
    "File",
    "Form",
    "Inputs",
    "Rendered",
    "build_stage",
    "image_checks",
    "origin_of",
    "output_stages",
    "plan",
    "render",
    "script",
]
