"""The words of `reproduce`."""

from __future__ import annotations

import argparse
from pathlib import Path
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
  python -m builder reproduce --framework dynamo --platform debian-13 --arch x86_64
  python -m builder reproduce --framework dynamo --component ucx --arch x86_64
  python -m builder reproduce --framework vllm --against published.oci.tar --inputs store
  python -m builder reproduce --compare first.tar second.tar --format json
"""


def add(verbs: Verbs) -> None:
    """Add the verb."""
    verb = add_verb(
        verbs, "reproduce", "Build twice under varied conditions and compare; 1 where they differ.", _EXAMPLES
    )
    add_selection(verb)
    add_places(verb)
    add_format(verb)
    add_engine(verb)
    verb.add_argument(
        "--against", type=Path, metavar="IMAGE", help="build once, and compare with this image of somebody's"
    )
    what = verb.add_mutually_exclusive_group()
    what.add_argument("--component", default="", metavar="NAME", help="what this one makes, alone")
    verb.add_argument(
        "--pause", type=int, default=5, metavar="SECONDS", help="between the builds (default: 5)"
    )
    verb.add_argument("--second-builder", default="", metavar="NAME", help="builder of the second build")
    verb.add_argument("--cgroup-parent", default="", metavar="GROUP", help="of the second build")
    verb.add_argument("--processors", type=int, metavar="N", help="of the second build")
    what.add_argument(
        "--compare", nargs=2, type=Path, default=[], metavar="IMAGE", help="compare, build nothing"
    )
    verb.add_argument(
        "--keep", action="store_true", help="keep the second image even when both are identical"
    )
    verb.set_defaults(run=run)


def run(options: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    from builder.commands import reproduce  # noqa: PLC0415 - see the package's docstring
    from builder.render import Inputs  # noqa: PLC0415

    return reproduce.run(
        project_of(options, console),
        reproduce.Options(
            selection=selection_of(options),
            inputs=Inputs(options.inputs),
            component=options.component,
            output=options.output,
            engine=options.engine,
            builder=options.builder,
            pause=options.pause,
            second_builder=options.second_builder,
            cgroup_parent=options.cgroup_parent,
            processors=options.processors,
            against=options.against,
            images=tuple(options.compare),
            keep=options.keep,
            json=options.format == "json",
        ),
    )
