"""The words of `fetch`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from builder.errors import UsageError
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
  python -m builder fetch --framework dynamo --arch x86_64 --dry-run   how much is missing?
  python -m builder fetch --framework dynamo --inputs remote           git sources and base only
  python -m builder fetch --framework vllm --compare-with old/store    why are bytes not the locked ones?
  python -m builder fetch --framework dynamo --serve 127.0.0.1:8080    a mirror for pip, uv, apt, BuildKit
"""


def add(verbs: Verbs) -> None:
    """Add the verb."""
    verb = add_verb(verbs, "fetch", "Bring everything that locks name into the store, verified.", _EXAMPLES)
    add_selection(verb)
    add_places(verb)
    add_format(verb)
    add_inputs(verb, "store")
    verb.add_argument("--dry-run", action="store_true", help="say how much is missing")
    verb.add_argument("--jobs", type=int, default=16, metavar="N", help="downloads at once (default: 16)")
    said = "also bring the published base images, as OCI layouts"
    verb.add_argument("--images", action="store_true", help=said)
    said = "a file, folder or store with the right bytes, to say how wrong ones differ; may be repeated"
    verb.add_argument("--compare-with", action="append", type=Path, default=[], metavar="PATH", help=said)
    verb.add_argument(
        "--serve",
        default="",
        metavar="ADDRESS",
        help="fetch nothing; offer the store, read-only, at a port of loopback or HOST:PORT",
    )
    verb.set_defaults(run=run)


def run(options: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    if options.serve:
        return _serve(options, console)
    from builder.commands import fetch  # noqa: PLC0415 - see the package's docstring
    from builder.render import Inputs  # noqa: PLC0415

    return fetch.run(
        project_of(options, console),
        fetch.Options(
            selection=selection_of(options),
            inputs=Inputs(options.inputs),
            images=options.images,
            dry_run=options.dry_run,
            jobs=options.jobs,
            compare_with=tuple(options.compare_with),
            json=options.format == "json",
        ),
    )


def _serve(options: argparse.Namespace, console: Console) -> int:
    if options.dry_run:
        raise UsageError("--serve does not go with --dry-run", hint="use one of them")
    from builder.commands import serve  # noqa: PLC0415

    return serve.run(
        project_of(options, console),
        serve.Options(selection=selection_of(options), address=options.serve, json=options.format == "json"),
    )
