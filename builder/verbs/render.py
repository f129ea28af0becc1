"""The words of `render`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from builder.verbs.common import (
    add_format,
    add_inputs,
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
  python -m builder render --framework vllm
  python -m builder render --framework dynamo --inputs store --output out/
  python -m builder render --framework vllm --origin pypi=https://files.example.invalid/packages/
"""


def add(verbs: Verbs) -> None:
    """Add the verb."""
    verb = add_verb(verbs, "render", "Turn locks into a hermetic Dockerfile.", _EXAMPLES)
    add_selection(verb)
    add_places(verb)
    add_format(verb)
    add_inputs(verb, "remote")
    verb.add_argument("--output", type=Path, metavar="DIR", help="folder to write to")
    verb.set_defaults(run=run)


def run(options: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    from builder.commands import render  # noqa: PLC0415 - see the package's docstring
    from builder.render import Inputs  # noqa: PLC0415

    return render.run(
        project_of(options, console),
        render.Options(
            selection=selection_of(options),
            inputs=Inputs(options.inputs),
            output=options.output,
            json=options.format == "json",
        ),
    )
