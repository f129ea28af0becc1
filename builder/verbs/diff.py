"""The words of `diff`."""

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
  python -m builder diff                                   the last commit and the work tree
  python -m builder diff HEAD~1 --fail-on downgrade
  python -m builder diff main..branch --format markdown -- lock/1.4.2
  python -m builder diff lock/1.4.2 lock/1.6.0
  python -m builder diff lock/1.6.0/debian-13-cuda-13.0/vllm-x86_64.toml pylock.vllm-x86_64.toml
"""

_LEVELS = (
    *("bytes", "evidence", "origin", "tag", "downgrade", "new", "signature", "licence", "yanked"),
    *("settings", "removed", "major", "minor", "patch", "consequence", "none"),
)


def add(verbs: Verbs) -> None:
    """Add the verb."""
    verb = add_verb(verbs, "diff", "Show what changed between locks, the dangerous first.", _EXAMPLES)
    verb.add_argument(
        "words",
        nargs="*",
        metavar="WHAT",
        help="two files or folders; or revisions as with git diff (A, A B, A..B, A...B), then paths",
    )
    add_selection(verb, otherwise="all")
    add_places(verb)
    add_format(verb, ("text", "markdown", "json"))
    verb.add_argument(
        "--fail-on",
        choices=_LEVELS,
        default="consequence",
        metavar="LEVEL",
        help=f"exit 1 from this class of risk on: {', '.join(_LEVELS)} (default: any difference)",
    )
    verb.add_argument("--staged", action="store_true", help="compare with what is staged for a commit")
    verb.add_argument(
        "--clones",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="folder with clones of the sources: show the commits between; may be repeated",
    )
    verb.add_argument("--online", action="store_true", help="ask the Python index what is yanked")
    verb.add_argument("--index-url", default="", metavar="URL", help="Python index instead of the default")
    verb.set_defaults(run=run)


def run(options: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    from builder.commands import diff  # noqa: PLC0415 - see the package's docstring

    return diff.run(
        project_of(options, console),
        diff.Options(
            words=tuple(options.words),
            selection=selection_of(options),
            staged=options.staged,
            clones=tuple(options.clones),
            online=options.online,
            index_url=options.index_url,
            fail_on=diff.level(options.fail_on),
            form=diff.Form(options.format),
        ),
    )
