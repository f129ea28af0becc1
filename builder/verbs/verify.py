"""The words of `verify`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from builder.verbs.common import (
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
  python -m builder verify                        every lock of the default release, offline
  python -m builder verify --release all --format json
  python -m builder verify lock/1.4.2/debian-13/dynamo-x86_64.toml
"""


def add(verbs: Verbs) -> None:
    """Add the verb."""
    verb = add_verb(verbs, "verify", "Prove what locks say: integrity, freshness, and more.", _EXAMPLES)
    verb.add_argument("files", nargs="*", type=Path, metavar="LOCK", help="a lock file, instead of targets")
    add_selection(verb)
    add_places(verb)
    add_format(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    from builder.commands import verify  # noqa: PLC0415 - see the package's docstring

    return verify.run(
        project_of(options, console),
        verify.Options(
            selection=selection_of(options),
            files=tuple(options.files),
            json=options.format == "json",
        ),
    )
