"""The words of `bundle`."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from builder.errors import UsageError
from builder.verbs.common import add_format, add_places, add_selection, add_verb, project_of, selection_of

if TYPE_CHECKING:
    from builder.console import Console
    from builder.verbs.common import Verbs

__all__ = ["add", "run"]

_EXAMPLES = """\
  python -m builder bundle --framework dynamo --arch x86_64 --output dynamo.bundle.tar
  python -m builder bundle --import dynamo.bundle.tar --sha256 <64 digits>
  python -m builder bundle --framework dynamo --push registry.example/bundles/dynamo:1.4.2
  python -m builder bundle --pull registry.example/bundles/dynamo:1.4.2
"""
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


def add(verbs: Verbs) -> None:
    """Add the verb."""
    summary = "Carry locks, and all that building them needs, across an air gap."
    verb = add_verb(verbs, "bundle", summary, _EXAMPLES)
    add_selection(verb)
    add_places(verb)
    add_format(verb)
    way = verb.add_mutually_exclusive_group()
    way.add_argument("--output", type=Path, default=Path("lockwright.bundle.tar"), metavar="FILE",
                     help="the bundle to write (default: %(default)s)")  # fmt: skip
    way.add_argument("--import", type=Path, metavar="FILE", dest="source",
                     help="take a bundle into the store; - is standard input")  # fmt: skip
    way.add_argument("--push", default="", metavar="REF", help="put it into a registry: HOST/NAME:TAG")
    way.add_argument(
        "--pull", default="", metavar="REF", help="take it from a registry: HOST/NAME:TAG or @DIGEST"
    )
    verb.add_argument(
        "--apt", action="store_true", help="also what a mirror for apt needs: see `fetch --serve`"
    )
    verb.add_argument("--sha256", default="", metavar="DIGEST", help="what the imported bundle must have")
    verb.set_defaults(run=run)


def run(options: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    from builder.commands import bundle, bundle_registry  # noqa: PLC0415 - see the package's docstring

    json = options.format == "json"
    _check(options)
    project = project_of(options, console)
    if options.source:
        digest = _digest(options.sha256)
        return bundle.run_import(project, bundle.ImportOptions(file=options.source, sha256=digest, json=json))
    if options.pull:
        return bundle_registry.run_pull(
            project, bundle_registry.PullOptions(reference=options.pull, json=json)
        )
    selection = selection_of(options)
    if options.push:
        return bundle_registry.run_push(
            project,
            bundle_registry.PushOptions(
                selection=selection, reference=options.push, apt=options.apt, json=json
            ),
        )
    return bundle.run(
        project, bundle.Options(selection=selection, output=options.output, apt=options.apt, json=json)
    )


def _check(options: argparse.Namespace) -> None:
    """Refuse options that would have no effect."""
    chosen = options.release or options.platform or options.framework or options.arch or options.apt
    if chosen and (options.source or options.pull):
        raise UsageError(
            "what is taken is chosen by the bundle", hint="leave out --release, --apt and the like"
        )
    if options.sha256 and not options.source:
        raise UsageError("--sha256 goes with --import only", hint="name what is pulled by HOST/NAME@DIGEST")


def _digest(text: str) -> str:
    match = _DIGEST.fullmatch(text)
    if text and match is None:
        raise UsageError("expected 64 hexadecimal digits", place=f"--sha256 {text[:80]}")
    return match[1] if match else ""
