"""The command line: a table of verbs, of which one is loaded; errors as text and exit codes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

from builder import __version__
from builder.console import Console
from builder.errors import BuilderError, UsageError
from builder.model import nearest_names

__all__ = ["VERBS", "Verb", "command_line", "load_verb", "main"]

VERBS = {
    "lock": "Resolve recipes into hash-pinned locks.",
    "render": "Turn locks into a hermetic Dockerfile.",
    "export": "Write pylock.toml and requirements.txt from a lock.",
    "fetch": "Bring everything that locks name into the store, verified.",
    "bundle": "Carry locks, and everything that building them needs, across an air gap.",
    "build": "Render, fetch what the build takes from the store, and build with BuildKit or buildah.",
    "check": "Run a lock's checks in an image of it, with or without a GPU.",
    "reproduce": "Build twice under varied conditions and compare; exit 1 if the images differ.",
    "verify": "Prove what locks say: integrity, freshness, and more.",
    "init": "Write a new framework or component recipe, valid at once.",
    "matrix": "Show what is locked, and what is not and why.",
    "report": "Write a site to look at: what is locked, why, by whose word, and what changed.",
    "why": "Say why something is in the locks, or which rows a Dockerfile line comes from.",
    "image-size": "Show the planned layers of images by size, and what two images share.",
    "sbom": "Write a bill of materials (CycloneDX) from locks.",
    "align": "Compare what documents claim, what was published and what locks hold; exit 1 on drift.",
    "diff": "Show what changed between locks, the dangerous first.",
    "git-driver": "Show locks to git, which calls this itself.",
}
"""Each verb with its summary, in the order of the help; `git-driver` is in `commands/git_driver.py`."""

_EXIT_CODES = """\
exit codes:
  0 fine   1 differences or drift found   2 usage   3 invalid recipe   4 invalid lock
  5 no acceptable solution   6 fetch failed   7 digest mismatch   8 external tool failed
  130 interrupted
"""


class Verb(Protocol):
    """What each module of `builder.commands` offers."""

    EXAMPLES: str
    """Lines of the help, each a command that works."""

    def add_options(self, verb: argparse.ArgumentParser) -> None:
        """Add the verb's options to its parser."""

    def run(self, options: argparse.Namespace, console: Console) -> int:
        """Run the verb; return the exit code, or raise a BuilderError."""


def load_verb(name: str) -> Verb:
    """Import the one file of a verb of `VERBS`."""
    return cast("Verb", import_module(f"builder.commands.{name.replace('-', '_')}"))


def command_line(words: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of `words`: the summary of each verb, and the options of the one they name."""
    top = argparse.ArgumentParser(
        prog="python -m builder",
        description="Lockfiles and reproducible container images for LLM inference stacks.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"lockwright {__version__}")
    parsers = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    asked = _asked_verb(words)
    for name, summary in VERBS.items():
        parser = parsers.add_parser(
            name,
            help=summary,
            description=summary,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        if name == asked:
            verb = load_verb(name)
            parser.epilog = f"examples:\n{verb.EXAMPLES}"
            parser.add_argument("--quiet", "-q", action="store_true", help="errors and results only")
            verb.add_options(parser)
            parser.set_defaults(run=verb.run)
    return top


def _check_verb(words: Sequence[str]) -> None:
    """Refuse a word that is no verb, with the nearest ones (UsageError)."""
    asked = _asked_verb(words)
    if asked and asked not in VERBS:
        raise UsageError(f"there is no command {asked!r}", hint=nearest_names(asked, VERBS))


def _asked_verb(words: Sequence[str]) -> str:
    """Return the first word without a leading dash: no option of the program itself takes a value."""
    return next((word for word in words if not word.startswith("-")), "")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `argv` is without the program's name."""
    words = sys.argv[1:] if argv is None else argv
    console = Console(quiet=False)
    try:
        _check_verb(words)
        options = command_line(words).parse_args(words)
        console = Console(quiet=options.quiet)
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
