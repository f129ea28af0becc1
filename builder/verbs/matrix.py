"""The words of `matrix`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from builder.verbs.common import add_format, add_places, add_selection, add_verb, project_of, selection_of

if TYPE_CHECKING:
    from builder.console import Console
    from builder.verbs.common import Verbs

__all__ = ["add", "run"]

_EXAMPLES = """\
  python -m builder matrix                                   every table, every release
  python -m builder matrix --release 1.4.2 --table targets   every cell of one release with its reason
  python -m builder matrix --table versions --format markdown
  python -m builder matrix --format json
"""

_TABLES = ("summary", "targets", "versions", "cuda", "wheels", "gpus")


def add(verbs: Verbs) -> None:
    """Add the verb."""
    verb = add_verb(verbs, "matrix", "Show what is locked, and what is not and why.", _EXAMPLES)
    add_selection(verb)
    add_places(verb)
    add_format(verb, ("text", "json", "markdown"))
    verb.add_argument(
        "--table", action="append", default=[], choices=_TABLES, help="may be repeated (default: all)"
    )
    verb.set_defaults(run=run)


def run(options: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    from builder.commands import matrix  # noqa: PLC0415 - see the package's docstring

    return matrix.run(
        project_of(options, console),
        matrix.Options(selection=selection_of(options), tables=tuple(options.table), format=options.format),
    )
