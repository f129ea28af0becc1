"""Locks to a hermetic Dockerfile, its source policy and its bake file.

In: locks, places of files and the input form. Out: text. A plan of stages is made first;
each stage is a list of instructions that quote themselves. Imports `lockfile` and
`model`. Pure.
"""

from builder.render.fetches import Inputs
from builder.render.files import Rendered, render
from builder.render.instructions import Cmd, Entrypoint, Env
from builder.render.outputs import OUTPUT, output_stages
from builder.render.places import Place, Places
from builder.render.planning import plan
from builder.render.provenance import origin_of
from builder.render.rows import Form
from builder.render.shell import script
from builder.render.stages import Dockerfile, build_stage

__all__ = [
    "OUTPUT",
    "Cmd",
    "Dockerfile",
    "Entrypoint",
    "Env",
    "Form",
    "Inputs",
    "Place",
    "Places",
    "Rendered",
    "build_stage",
    "origin_of",
    "output_stages",
    "plan",
    "render",
    "script",
]
