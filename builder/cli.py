"""The command line: arguments in, text and an exit code out. Nothing here decides anything else."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from builder import __version__
from builder.commands import export, lock, render
from builder.commands.project import Project, open_project
from builder.console import Console
from builder.errors import BuilderError, UsageError
from builder.model.target import Arch
from builder.render import Inputs
from builder.resolve.targets import Selection

__all__ = ["main", "parser"]

_EXIT_CODES = """\
exit codes:
  0 fine   1 differences or drift found   2 usage   3 invalid recipe   4 invalid lock
  5 no acceptable solution   6 fetch failed   7 digest mismatch   8 external tool failed
  130 interrupted
"""

_LOCK_EXAMPLES = """\
examples:
  python -m builder lock                          every target of the default release
  python -m builder lock --framework vllm --arch aarch64
  python -m builder lock --release all --check    does every lock still fit its recipe?
  python -m builder lock --upgrade torch          let one distribution move
"""

_RENDER_EXAMPLES = """\
examples:
  python -m builder render --framework vllm
  python -m builder render --framework dynamo --inputs store --output out/
  python -m builder render --framework vllm --origin pypi=https://files.example.invalid/packages/
"""

_EXPORT_EXAMPLES = """\
examples:
  python -m builder export --framework vllm --arch x86_64
  python -m builder export --framework dynamo --output out/   pylock.dynamo-x86_64.toml and requirements
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the one place that turns an error into text and an exit code."""
    options = parser().parse_args(argv)
    console = Console(quiet=options.quiet)
    try:
        return int(options.run(options, console))
    except BuilderError as error:
        console.error(error)
        return error.exit_code
    except KeyboardInterrupt:
        console.status("interrupted; nothing was left half-written")
        return 130
    except BrokenPipeError:
        # The reader of our output has gone; what it wanted, it has.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def parser() -> argparse.ArgumentParser:
    """Return the whole command line."""
    top = argparse.ArgumentParser(
        prog="python -m builder",
        description="Lockfiles and reproducible container images for LLM inference stacks.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"lockwright {__version__}")
    verbs = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_lock(verbs)
    _add_render(verbs)
    _add_export(verbs)
    return top


_Verbs = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _verb(verbs: _Verbs, name: str, summary: str, examples: str) -> argparse.ArgumentParser:  # type: ignore[valid-type]
    verb: argparse.ArgumentParser = verbs.add_parser(  # type: ignore[attr-defined]
        name,
        help=summary,
        description=summary,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    which = verb.add_argument_group("which targets")
    many = {"action": "append", "default": [], "metavar": "NAME"}
    which.add_argument("--release", help="a release, or all (default: the default release)", **many)  # type: ignore[arg-type]
    which.add_argument("--platform", help="a platform; may be repeated", **many)  # type: ignore[arg-type]
    which.add_argument("--framework", help="a framework; may be repeated", **many)  # type: ignore[arg-type]
    which.add_argument(
        "--arch",
        action="append",
        default=[],
        choices=[arch.value for arch in Arch],
        help="an architecture; may be repeated",
    )
    where = verb.add_argument_group("where things are")
    where.add_argument("--project", default="", metavar="DIR", help="folder of recipes and locks")
    where.add_argument("--store", default="", metavar="DIR", help="content-addressed store")
    where.add_argument("--origin", action="append", default=[], metavar="NAME=URL", help="bind an origin")
    where.add_argument("--mirror", action="append", default=[], metavar="FROM=TO", help="use a mirror")
    verb.add_argument("--quiet", "-q", action="store_true", help="errors and results only")
    verb.add_argument("--format", choices=["text", "json"], default="text", help="form of the result")
    return verb


def _add_lock(verbs: _Verbs) -> None:  # type: ignore[valid-type]
    verb = _verb(verbs, "lock", "Resolve recipes into hash-pinned locks.", _LOCK_EXAMPLES)
    verb.add_argument("--check", action="store_true", help="write nothing; exit 1 where a lock is stale")
    verb.add_argument("--dry-run", action="store_true", help="resolve and show, write nothing")
    verb.add_argument(
        "--upgrade",
        nargs="?",
        action="append",
        const=lock.EVERYTHING,
        default=[],
        metavar="NAME",
        help="resolve anew; with a NAME let only that distribution move",
    )
    verb.add_argument("--offline", action="store_true", help="use the store and the caches only")
    verb.add_argument("--index-url", default="", metavar="URL", help="Python index instead of the default")
    verb.set_defaults(run=_run_lock)


def _add_render(verbs: _Verbs) -> None:  # type: ignore[valid-type]
    verb = _verb(verbs, "render", "Turn locks into a hermetic Dockerfile.", _RENDER_EXAMPLES)
    verb.add_argument(
        "--inputs",
        choices=[form.value for form in Inputs],
        default=Inputs.REMOTE.value,
        help="where builds take files from: their origins, or the store alone",
    )
    verb.add_argument("--output", default="", metavar="DIR", help="folder to write to")
    verb.set_defaults(run=_run_render)


def _add_export(verbs: _Verbs) -> None:  # type: ignore[valid-type]
    verb = _verb(verbs, "export", "Write pylock.toml and requirements.txt from a lock.", _EXPORT_EXAMPLES)
    verb.add_argument("--output", default="", metavar="DIR", help="folder to write to")
    verb.set_defaults(run=_run_export)


def _selection(options: argparse.Namespace) -> Selection:
    return Selection(
        releases=tuple(options.release),
        platforms=tuple(options.platform),
        frameworks=tuple(options.framework),
        arches=tuple(Arch(arch) for arch in options.arch),
    )


def _project(options: argparse.Namespace, console: Console) -> Project:
    return open_project(
        project=options.project,
        store=options.store,
        origins=tuple(options.origin),
        mirrors=tuple(options.mirror),
        console=console,
    )


def _run_lock(options: argparse.Namespace, console: Console) -> int:
    if options.check and (options.dry_run or options.upgrade):
        raise UsageError("--check goes with neither --dry-run nor --upgrade", hint="use one of them")
    mode = lock.Mode.CHECK if options.check else lock.Mode.DRY_RUN if options.dry_run else lock.Mode.WRITE
    return lock.run(
        _project(options, console),
        lock.Options(
            selection=_selection(options),
            mode=mode,
            upgrade=tuple(options.upgrade),
            offline=options.offline,
            index_url=options.index_url,
            json=options.format == "json",
        ),
    )


def _run_render(options: argparse.Namespace, console: Console) -> int:
    return render.run(
        _project(options, console),
        render.Options(
            selection=_selection(options),
            inputs=Inputs(options.inputs),
            output=Path(options.output) if options.output else None,
            json=options.format == "json",
        ),
    )


def _run_export(options: argparse.Namespace, console: Console) -> int:
    return export.run(
        _project(options, console),
        export.Options(
            selection=_selection(options),
            output=Path(options.output) if options.output else None,
            json=options.format == "json",
        ),
    )
