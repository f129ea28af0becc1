"""The arguments of `scripts/pin`; the one place there that turns an error into text and an exit code."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import builder
from builder.console import Console
from builder.errors import BuilderError
from builder.pin.archive import pin_archive
from builder.pin.assembled import pin_assembled
from builder.pin.context import Context
from builder.pin.git import pin_git
from builder.pin.image import pin_image
from builder.pin.repositories import pin_repositories
from builder.project import open_project

__all__ = ["main", "parser"]

_GIT = """\
examples:
  scripts/pin git                         every version of every component
  scripts/pin git ucx 1.21.0 --dry-run    look only
  scripts/pin git ucx --add v1.22.0       a new version, at the top
  scripts/pin git ucx --accept-moved      take the commits that moved tags have now
"""

_ARCHIVE = """\
example:
  scripts/pin archive etcd 3.5.33 etcd-v3.5.33-linux-amd64.tar.gz
"""

_REPOSITORIES = """\
examples:
  scripts/pin repositories
  scripts/pin repositories debian-13 --dry-run

An archive without time stamps stands in for a snapshot service with a `*` in the mirror's prefix:
  [mirrors]
  "https://snapshot.example.invalid/archive/debian/*/" = ["https://archive.example.invalid/debian/"]
"""

_IMAGE = """\
examples:
  scripts/pin image
  scripts/pin image debian-13-slim --mirror https://registry.example.invalid/=http://127.0.0.1:5000/
  scripts/pin image debian-13-slim --recorded    keep the digests, read their inventory
"""


_ASSEMBLED = """\
examples:
  scripts/pin assembled
  scripts/pin assembled debian-13-assembled --dry-run
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code."""
    options = parser().parse_args(argv)
    console = Console(quiet=options.quiet)
    try:
        return int(options.run(_verb_context(options, console), options))
    except BuilderError as error:
        console.error(error)
        return error.exit_code
    except KeyboardInterrupt:
        console.status("interrupted; no recipe was left half-written")
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the whole command line."""
    top = argparse.ArgumentParser(
        prog="scripts/pin",
        description="Fill and refresh the pins of recipes, and show what was seen.",
        allow_abbrev=False,
    )
    verbs = top.add_subparsers(title="verbs", metavar="VERB", required=True)
    _add_git(verbs)
    _add_archive(verbs)
    _add_repositories(verbs)
    _add_image(verbs)
    _add_assembled(verbs)
    return top


_Verbs = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _add_verb(verbs: _Verbs, name: str, summary: str, examples: str) -> argparse.ArgumentParser:  # type: ignore[valid-type]
    verb: argparse.ArgumentParser = verbs.add_parser(  # type: ignore[attr-defined]
        name,
        help=summary,
        description=summary,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    verb.add_argument("--dry-run", action="store_true", help="show, and write no recipe")
    verb.add_argument("--quiet", "-q", action="store_true", help="errors and results only")
    where = verb.add_argument_group("where things are")
    where.add_argument(
        "--project", type=Path, default=_own_root(), metavar="DIR", help="the folder above recipes"
    )
    where.add_argument("--store", default="", metavar="DIR", help="content-addressed store")
    where.add_argument(
        "--origin", action="append", default=[], metavar="NAME=URL", help="set the place of an origin"
    )
    where.add_argument("--mirror", action="append", default=[], metavar="FROM=TO", help="use a mirror")
    return verb


def _own_root() -> Path:
    return Path(builder.__file__).resolve().parent.parent


def _verb_context(options: argparse.Namespace, console: Console) -> Context:
    project = open_project(
        project=str(options.project),
        store=options.store,
        origins=tuple(options.origin),
        mirrors=tuple(options.mirror),
        console=console,
    )
    return Context(project=project, dry_run=options.dry_run)


def _add_git(verbs: _Verbs) -> None:  # type: ignore[valid-type]
    verb = _add_verb(
        verbs, "git", "Pin git sources: tag to commit, tree, submodules and canonical tar.", _GIT
    )
    verb.add_argument("component", nargs="?", default="", help="a component (default: all)")
    verb.add_argument("version", nargs="?", default="", help="a version of it (default: all)")
    verb.add_argument("--add", default="", metavar="TAG", help="add a version from this tag")
    verb.add_argument("--accept-moved", action="store_true", help="take the new commit of a tag that moved")
    verb.set_defaults(
        run=lambda context, options: pin_git(
            context, options.component, options.version, add=options.add, accept_moved=options.accept_moved
        )
    )


def _add_archive(verbs: _Verbs) -> None:  # type: ignore[valid-type]
    verb = _add_verb(
        verbs, "archive", "Fetch a file that a build reads, and set or confirm its digest.", _ARCHIVE
    )
    verb.add_argument("component", help="a component")
    verb.add_argument("version", help="a version of it")
    verb.add_argument("file", help="the name of an archive of that version")
    verb.add_argument(
        "--accept-changed", action="store_true", help="take a digest that differs from the recorded"
    )
    verb.set_defaults(
        run=lambda context, options: pin_archive(
            context, options.component, options.version, options.file, accept_changed=options.accept_changed
        )
    )


def _add_repositories(verbs: _Verbs) -> None:  # type: ignore[valid-type]
    verb = _add_verb(verbs, "repositories", "Pin signed package indexes as they are now.", _REPOSITORIES)
    verb.add_argument("platform", nargs="?", default="", help="a platform (default: all)")
    verb.set_defaults(
        run=lambda context, options: pin_repositories(context, options.platform, now=datetime.now(UTC))
    )


def _add_image(verbs: _Verbs) -> None:  # type: ignore[valid-type]
    verb = _add_verb(verbs, "image", "Pin published images: digests and installed packages.", _IMAGE)
    verb.add_argument("platform", nargs="?", default="", help="a platform (default: all)")
    verb.add_argument("--recorded", action="store_true", help="keep the recorded digests, follow no tag")
    verb.set_defaults(
        run=lambda context, options: pin_image(context, options.platform, recorded=options.recorded)
    )


def _add_assembled(verbs: _Verbs) -> None:  # type: ignore[valid-type]
    verb = _add_verb(verbs, "assembled", "Assemble a platform's own base, and pin its digest.", _ASSEMBLED)
    verb.add_argument("platform", nargs="?", default="", help="a platform (default: all that have one)")
    verb.set_defaults(run=lambda context, options: pin_assembled(context, options.platform))
