"""The words of `lock`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from builder.errors import UsageError
from builder.verbs.common import add_format, add_places, add_selection, add_verb, project_of, selection_of

if TYPE_CHECKING:
    from builder.console import Console
    from builder.verbs.common import Verbs

__all__ = ["add", "run"]

_EXAMPLES = """\
  python -m builder lock                          every target of the default release
  python -m builder lock --framework vllm --arch aarch64
  python -m builder lock --release all --check    does every lock still fit its recipe?
  python -m builder lock --upgrade torch          let one distribution move
"""


def add(verbs: Verbs) -> None:
    """Add the verb."""
    verb = add_verb(verbs, "lock", "Resolve recipes into hash-pinned locks.", _EXAMPLES)
    add_selection(verb)
    add_places(verb)
    add_format(verb)
    verb.add_argument("--check", action="store_true", help="write nothing; exit 1 where a lock is stale")
    verb.add_argument("--dry-run", action="store_true", help="resolve and show, write nothing")
    verb.add_argument(
        "--upgrade",
        nargs="?",
        action="append",
        const="*",
        default=[],
        metavar="NAME",
        help="resolve anew; with a NAME let only that distribution move",
    )
    verb.add_argument("--offline", action="store_true", help="use the store and the caches only")
    verb.add_argument("--index-url", default="", metavar="URL", help="Python index instead of the default")
    verb.set_defaults(run=run)


def run(options: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    from builder.commands import lock  # noqa: PLC0415 - see the package's docstring

    if options.check and (options.dry_run or options.upgrade):
        raise UsageError("--check goes with neither --dry-run nor --upgrade", hint="use one of them")
    mode = lock.Mode.CHECK if options.check else lock.Mode.DRY_RUN if options.dry_run else lock.Mode.WRITE
    return lock.run(
        project_of(options, console),
        lock.Options(
            selection=selection_of(options),
            mode=mode,
            upgrade=tuple(options.upgrade),
            offline=options.offline,
            index_url=options.index_url,
            json=options.format == "json",
        ),
    )
