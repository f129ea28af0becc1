"""`pin`: fill and refresh the pins of recipes, from the network or a mirror, and show what was seen."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import UTC, datetime

from builder import pin
from builder.console import Console
from builder.errors import UsageError
from builder.options import add_places, project_of

__all__ = ["EXAMPLES", "add_options", "run"]

EXAMPLES = """\
  python -m builder pin git                          every version of every component
  python -m builder pin git ucx 1.21.0 --dry-run     look only
  python -m builder pin git ucx --add v1.22.0        a new version, at the top
  python -m builder pin git ucx --accept-moved       take the commits that moved tags have now
  python -m builder pin archive etcd 3.5.33 etcd-v3.5.33-linux-amd64.tar.gz
  python -m builder pin repositories debian-13       signed package indexes, as they are now
  python -m builder pin image debian-13-slim --mirror https://registry.example.invalid/=http://127.0.0.1:5000/
  python -m builder pin image debian-13-slim --recorded     keep the digests, read their inventory
  python -m builder pin assembled debian-13-assembled       the digest of our own base

An archive without time stamps stands in for a snapshot service with a `*` in the mirror's prefix:
  [mirrors]
  "https://snapshot.example.invalid/archive/debian/*/" = ["https://archive.example.invalid/debian/"]
"""
_GIT, _ARCHIVE, _REPOSITORIES, _IMAGE, _ASSEMBLED = "git", "archive", "repositories", "image", "assembled"
_KINDS: Mapping[str, tuple[str, ...]] = {
    _GIT: ("name", "version", "add", "accept_moved"),
    _ARCHIVE: ("name", "version", "file", "accept_changed"),
    _REPOSITORIES: ("name",),
    _IMAGE: ("name", "recorded"),
    _ASSEMBLED: ("name",),
}
"""What is pinned, and the words and options that each takes."""
_FLAGS = ("add", "accept_moved", "accept_changed", "recorded")


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `pin`."""
    verb.add_argument(
        "kind",
        choices=tuple(_KINDS),
        help="git: tag to commit, tree, submodules and canonical tar; archive: a file that a build reads; "
        "repositories: signed package indexes; image: published images; assembled: a base of our own",
    )
    verb.add_argument(
        "name", metavar="NAME", nargs="?", default="", help="a component, or a platform (default: all)"
    )
    verb.add_argument("version", metavar="VERSION", nargs="?", default="", help="of a component")
    verb.add_argument("file", metavar="FILE", nargs="?", default="", help="an archive of that version")
    verb.add_argument("--add", default="", metavar="TAG", help="git: add a version from this tag")
    verb.add_argument("--accept-moved", action="store_true", help="git: take the new commit of a moved tag")
    verb.add_argument(
        "--accept-changed", action="store_true", help="archive: take a digest that differs from the recorded"
    )
    verb.add_argument("--recorded", action="store_true", help="image: keep the digests, follow no tag")
    verb.add_argument("--dry-run", action="store_true", help="show, and write no recipe")
    add_places(verb)


def run(options: argparse.Namespace, console: Console) -> int:
    """Pin what is named; 0, or an error: then no recipe was written."""
    _check_words(options)
    context = pin.Context(project=project_of(options, console), dry_run=options.dry_run)
    if options.kind == _GIT:
        return pin.pin_git(
            context, options.name, options.version, add=options.add, accept_moved=options.accept_moved
        )
    if options.kind == _ARCHIVE:
        return pin.pin_archive(
            context, options.name, options.version, options.file, accept_changed=options.accept_changed
        )
    if options.kind == _REPOSITORIES:
        return pin.pin_repositories(context, options.name, now=datetime.now(UTC))
    if options.kind == _IMAGE:
        return pin.pin_image(context, options.name, recorded=options.recorded)
    return pin.pin_assembled(context, options.name)


def _check_words(options: argparse.Namespace) -> None:
    """Refuse words and options of another kind, and an archive that is not named whole (UsageError)."""
    place = f"pin {options.kind}"
    for word in ("version", "file", *_FLAGS):
        if getattr(options, word) and word not in _KINDS[options.kind]:
            shown = f"--{word.replace('_', '-')}" if word in _FLAGS else repr(getattr(options, word))
            kinds = " or ".join(kind for kind, words in _KINDS.items() if word in words)
            raise UsageError(f"{shown} belongs to `pin {kinds}`", place=place, hint="leave it out")
    if options.kind == _ARCHIVE and not options.file:
        raise UsageError(
            "expected a component, a version and the name of a file",
            place=place,
            hint="such as: pin archive etcd 3.5.33 etcd-v3.5.33-linux-amd64.tar.gz",
        )
