"""The words of `git-driver`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from builder.verbs.common import add_verb

if TYPE_CHECKING:
    from builder.console import Console
    from builder.verbs.common import Verbs

__all__ = ["add", "run"]

_EXAMPLES = """\
  git config diff.lockwright.command 'python -m builder git-driver diff'      for git diff
  git config diff.lockwright.textconv 'python -m builder git-driver text'     for git log -p and git show
  and in .gitattributes: lock/*/*/*.toml diff=lockwright
"""


def add(verbs: Verbs) -> None:
    """Add the verb."""
    verb = add_verb(verbs, "git-driver", "Show locks to git; it is git that calls this.", _EXAMPLES)
    verb.add_argument("form", choices=["diff", "text"], help="for diff.<name>.command, or .textconv")
    verb.add_argument("words", nargs="+", metavar="WORD", help="what git adds: a file, or seven words")
    verb.set_defaults(run=run)


def run(options: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    from builder.commands import git_driver  # noqa: PLC0415 - see the package's docstring

    if options.form == "diff":
        return git_driver.run_diff(console, options.words)
    return git_driver.run_text(console, Path(options.words[-1]))
