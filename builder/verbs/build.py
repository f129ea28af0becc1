"""The words of `build`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from builder.verbs.common import (
    add_engine,
    add_format,
    add_places,
    add_selection,
    add_verb,
    project_of,
    selection_of,
)

if TYPE_CHECKING:
    from builder.console import Console
    from builder.verbs.common import Verbs

__all__ = ["add", "run"]

_EXAMPLES = """\
  python -m builder build --framework dynamo --platform debian-13 --arch x86_64
  python -m builder build --framework dynamo --target check
  python -m builder build --framework vllm --inputs store --output out/
  python -m builder build --framework dynamo --component ucx --arch x86_64
  python -m builder build --framework dynamo --engine buildah --inputs store
"""


def add(verbs: Verbs) -> None:
    """Add the verb."""
    verb = add_verb(
        verbs,
        "build",
        "Render, fetch what the build takes from the store, and build with BuildKit or buildah.",
        _EXAMPLES,
    )
    add_selection(verb)
    add_places(verb)
    add_format(verb)
    add_engine(verb)
    what = verb.add_mutually_exclusive_group()
    what.add_argument("--target", choices=["runtime", "check"], default="runtime", help="the stage to build")
    what.add_argument("--component", default="", metavar="NAME", help="build what this one makes, alone")
    verb.add_argument("--no-cache", action="store_true", help="build every stage anew")
    verb.set_defaults(run=run)


def run(options: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    from builder.commands import build  # noqa: PLC0415 - see the package's docstring
    from builder.render import Inputs  # noqa: PLC0415

    return build.run(
        project_of(options, console),
        build.Options(
            selection=selection_of(options),
            inputs=Inputs(options.inputs),
            target=options.target,
            component=options.component,
            output=options.output,
            cache=not options.no_cache,
            engine=options.engine,
            builder=options.builder,
            json=options.format == "json",
        ),
    )
