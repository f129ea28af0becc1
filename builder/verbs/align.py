"""The words of `align`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from builder.verbs.common import add_format, add_places, add_verb, project_of

if TYPE_CHECKING:
    from builder.console import Console
    from builder.verbs.common import Verbs

__all__ = ["add", "run"]

_EXAMPLES = """\
  python -m builder align --release 0.8.0                    claims, published metadata, our locks
  python -m builder align --release all --status drift --status impossible
  python -m builder align --claims mine.toml --format json   the statements of your own document
"""

_STATUSES = ("aligned", "drift", "impossible", "unknown")


def add(verbs: Verbs) -> None:
    """Add the verb."""
    verb = add_verb(
        verbs,
        "align",
        "Compare what documents claim with what was published and what locks hold; 1 on any drift.",
        _EXAMPLES,
    )
    verb.add_argument(
        "--release",
        action="append",
        default=[],
        metavar="NAME",
        help="a release, or all (default: the default)",
    )
    what = verb.add_mutually_exclusive_group()
    what.add_argument(
        "--claims", action="append", default=[], type=Path, metavar="FILE", help="judge this file"
    )
    verb.add_argument("--status", action="append", default=[], choices=_STATUSES, help="show only these rows")
    verb.add_argument(
        "--offline", action="store_true", help="use kept answers only, and say how old they are"
    )
    verb.add_argument("--index-url", default="", metavar="URL", help="Python index instead of the default")
    add_places(verb)
    add_format(verb, ("text", "json", "markdown"))
    verb.set_defaults(run=run)


def run(options: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    from builder.audit.align.verdict import Status  # noqa: PLC0415 - see the package's docstring
    from builder.commands import align  # noqa: PLC0415

    return align.run(
        project_of(options, console),
        align.Options(
            releases=tuple(options.release),
            claims=tuple(options.claims),
            statuses=tuple(Status(word) for word in options.status),
            offline=options.offline,
            index_url=options.index_url,
            format=options.format,
        ),
    )
