"""The command line: a table of verbs, of which one is loaded; errors as text and exit codes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn, Protocol, cast

from builder import __version__, completion
from builder.console import Console, called_as
from builder.errors import BuilderError, UsageError
from builder.model import nearest_names

__all__ = ["VERBS", "Verb", "command_line", "load_verb", "main"]

VERBS = {
    "lock": "Resolve recipes into hash-pinned locks.",
    "render": "Turn locks into a hermetic Dockerfile.",
    "export": "Write pylock.toml and requirements.txt from a lock.",
    "fetch": "Bring everything that locks name into the store, verified.",
    "store": "Free the store of files that no lock names.",
    "bundle": "Carry locks, and everything that building them needs, across an air gap.",
    "build": "Render, fetch what the build takes from the store, and build with BuildKit or buildah.",
    "check": "Run a lock's checks in an image of it, with or without a GPU.",
    "reproduce": "Build twice under varied conditions and compare; exit 1 if the images differ.",
    "verify": "Prove what locks say: integrity, freshness, and more.",
    "pin": "Fill and refresh the pins of recipes, and show what was seen.",
    "init": "Begin a project, or write a framework or component recipe, valid at once.",
    "outdated": "Show what is newer than a project's pins; exit 1 if something is.",
    "upgrade": "Write newer pins into recipes, lock again, and show what changed; whole, or not at all.",
    "matrix": "Show what is locked, and what is not and why.",
    "report": "Write a site to look at: what is locked, why, by whose word, and what changed.",
    "explain": "Show the effective recipe of a target, each value with the file and line it comes from.",
    "why": "Say why something is in the locks, or which rows a Dockerfile line comes from.",
    "image-size": "Show the planned layers of images by size, and what two images share.",
    "sbom": "Write a bill of materials (CycloneDX) from locks.",
    "align": "Compare what documents claim, what was published and what locks hold; exit 1 on drift.",
    "diff": "Show what changed between locks, the dangerous first.",
    "completion": "Write code for a shell that completes verbs, options and names.",
    "git-driver": "Show locks to git, which calls this itself.",
}
"""Each verb with its summary, in the order of the help; `git-driver` is in `commands/git_driver.py`."""

_EXIT_CODES = """\
exit codes:
  0 fine   1 differences or drift found   2 usage   3 invalid recipe   4 invalid lock
  5 no acceptable solution   6 fetch failed   7 digest mismatch   8 external tool failed
  130 interrupted
"""


class _OptionParser(argparse.ArgumentParser):
    """A parser whose errors are those of all other input: place, cause, what to do next (UsageError)."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"{self.prog} --help shows what is understood, with examples")

    def known_options(self) -> list[str]:
        """Return every option that it understands, for a hint at a misspelt one."""
        return [name for action in self._actions for name in action.option_strings if name.startswith("--")]


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
    top = _OptionParser(
        prog=called_as(),
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
            parser.epilog = f"examples:\n{verb.EXAMPLES.replace('python -m builder', called_as())}"
            parser.add_argument("--quiet", "-q", action="store_true", help="errors and results only")
            verb.add_options(parser)
            parser.set_defaults(run=verb.run, parser=parser)
    return top


def _check_verb(words: Sequence[str]) -> None:
    """Refuse a word that is not a verb, and name the nearest verbs (UsageError)."""
    asked = _asked_verb(words)
    if asked and asked not in VERBS:
        raise UsageError(f"there is no command {asked!r}", hint=nearest_names(asked, VERBS))


def _asked_verb(words: Sequence[str]) -> str:
    """Return the first word without a leading dash: no option of the program itself takes a value."""
    return next((word for word in words if not word.startswith("-")), "")


def _parsed_options(words: Sequence[str]) -> argparse.Namespace:
    """Return the options in `words`; a misspelt one is refused with the nearest (UsageError)."""
    parser = command_line(words)
    options, rest = parser.parse_known_args(words)
    if rest:
        known = options.parser.known_options()
        misspelt = [word.partition("=")[0] for word in rest if word.startswith("--")]
        hint = nearest_names(misspelt[0], known) if misspelt else ""
        raise UsageError(
            f"not understood: {' '.join(rest)}", hint=hint or f"{options.parser.prog} --help shows examples"
        )
    return options


def _wants_json(words: Sequence[str]) -> bool:
    """Whether the words ask for JSON, also where they are wrong otherwise."""
    pairs = zip(words, [*words, ""][1:], strict=True)
    return any(word == "--format=json" or (word, value) == ("--format", "json") for word, value in pairs)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `argv` is without the program's name."""
    if argv is None and completion.is_asked():
        completion.answer_shell(command_line)
        return 1  # argcomplete ends the process before; a shell takes this for "nothing"
    words = sys.argv[1:] if argv is None else argv
    console = Console(quiet=False, command=_asked_verb(words))
    try:
        _check_verb(words)
        options = _parsed_options(words)
        console = Console(quiet=options.quiet, command=_asked_verb(words))
        return int(options.run(options, console))
    except BuilderError as error:
        console.error(error)
        if _wants_json(words):
            console.json_error(error)
        return error.exit_code
    except KeyboardInterrupt:
        console.status("interrupted; nothing was left half-written")
        return 130
    except BrokenPipeError:
        # The reader of our output has gone; what it wanted, it has.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
