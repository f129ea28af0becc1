"""The words of `align`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from builder.errors import UsageError
from builder.verbs.common import add_format, add_places, add_verb, project_of

if TYPE_CHECKING:
    from builder.console import Console
    from builder.verbs.common import Verbs

__all__ = ["add", "run"]

_EXAMPLES = """\
  python -m builder align --release 0.8.0                    claims, published metadata, our locks
  python -m builder align --release all --status drift --status impossible
  python -m builder align --claims mine.toml --format json   the statements of your own document
  python -m builder align --dockerfile Dockerfile            which pins of your own file hold?
  python -m builder align --requirements requirements.txt --release 0.8.0
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
    verb.add_argument(
        "--claims", action="append", default=[], type=Path, metavar="FILE", help="judge this file"
    )
    for word, said in (("--dockerfile", "judge the pins of this file"), ("--requirements", "likewise")):
        verb.add_argument(word, action="append", default=[], type=Path, metavar="FILE", help=said)
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
    from builder.commands import align, align_file  # noqa: PLC0415 - see the package's docstring

    statuses = tuple(options.status)
    if options.dockerfile or options.requirements:
        if options.claims or len(options.release) > 1:
            raise UsageError("files are judged without --claims and for one --release at most")
        return align_file.run(
            project_of(options, console),
            align_file.Options(
                dockerfiles=tuple(options.dockerfile),
                requirements=tuple(options.requirements),
                release="".join(options.release),
                statuses=statuses,
                offline=options.offline,
                index_url=options.index_url,
                format=options.format,
            ),
        )
    return align.run(
        project_of(options, console),
        align.Options(
            releases=tuple(options.release),
            claims=tuple(options.claims),
            statuses=statuses,
            offline=options.offline,
            index_url=options.index_url,
            format=options.format,
        ),
    )
