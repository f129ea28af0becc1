"""The words of `why`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from builder.verbs.common import add_format, add_places, add_selection, add_verb, project_of, selection_of

if TYPE_CHECKING:
    from builder.console import Console
    from builder.verbs.common import Verbs

__all__ = ["add", "run"]

_EXAMPLES = """\
  python -m builder why numpy                                 in every lock
  python -m builder why libibverbs1 --release 1.4.2 --all     every asker
  python -m builder why ucx --framework dynamo --format json
  python -m builder why --line 120 --dockerfile rendered/1.4.2/debian-13/dynamo/Dockerfile
"""


def add(verbs: Verbs) -> None:
    """Add the verb."""
    verb = add_verb(
        verbs,
        "why",
        "Say why something is in the locks, or which rows a Dockerfile line is made of.",
        _EXAMPLES,
    )
    verb.add_argument(
        "name",
        nargs="?",
        default="",
        metavar="NAME",
        help="a Python or OS package, component, submodule, image, file name or SHA-256",
    )
    verb.add_argument("--line", type=int, default=0, metavar="N", help="a line of a rendered Dockerfile")
    verb.add_argument(
        "--dockerfile", type=Path, metavar="FILE", help="the Dockerfile (default: where render writes it)"
    )
    verb.add_argument("--all", action="store_true", help="show every asker, not only the first ten")
    add_selection(verb)
    add_places(verb)
    add_format(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    from builder.commands import why  # noqa: PLC0415 - see the package's docstring

    return why.run(
        project_of(options, console),
        why.Options(
            selection=selection_of(options),
            name=options.name,
            line=options.line,
            dockerfile=options.dockerfile,
            all=options.all,
            json=options.format == "json",
        ),
    )
