"""The words of `export`."""

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
  python -m builder export --framework vllm --arch x86_64
  python -m builder export --framework dynamo --output out/
"""


def add(verbs: Verbs) -> None:
    """Add the verb."""
    verb = add_verb(verbs, "export", "Write pylock.toml and requirements.txt from a lock.", _EXAMPLES)
    add_selection(verb)
    add_places(verb)
    add_format(verb)
    verb.add_argument("--output", type=Path, metavar="DIR", help="folder to write to")
    verb.set_defaults(run=run)


def run(options: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    from builder.commands import export  # noqa: PLC0415 - see the package's docstring

    return export.run(
        project_of(options, console),
        export.Options(selection=selection_of(options), output=options.output, json=options.format == "json"),
    )
