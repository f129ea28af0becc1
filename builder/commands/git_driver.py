"""`git-driver`: what git calls to show locks. It always ends well: git gives up on a driver that fails."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from difflib import unified_diff
from pathlib import Path

from builder import diff
from builder.console import Console
from builder.errors import LockError, UsageError
from builder.io import read_bytes
from builder.lockfile import parse_lock
from builder.model import ascii_only
from builder.revisions import compare_sides, sides_of_files

__all__ = ["ABSENT", "EXAMPLES", "add_options", "run", "show_diff", "show_text"]

EXAMPLES = """\
  git config diff.lockwright.command 'python -m builder git-driver diff'      for git diff
  git config diff.lockwright.textconv 'python -m builder git-driver text'     for git log -p and git show
  and in .gitattributes: lock/*/*/*.toml diff=lockwright
"""
_DIFF, _TEXT = "diff", "text"
ABSENT = "/dev/null"
"""What git gives for the file of a side that has none."""
_MOST_LINES = 20_000
"""The time of a comparison by lines grows faster than their number."""


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `git-driver`."""
    verb.add_argument("form", choices=(_DIFF, _TEXT), help="for diff.<name>.command, or .textconv")
    verb.add_argument("words", nargs="+", metavar="WORD", help="what git adds: a file, or seven words")


def run(options: argparse.Namespace, console: Console) -> int:
    """Show a lock in one of the forms; 0, or an error."""
    if options.form == _DIFF:
        return show_diff(console, options.words)
    return show_text(console, Path(options.words[-1]))


def show_text(console: Console, file: Path) -> int:
    """Write a lock as lines that git compares (`textconv`); a file that is not a lock is shown as it is."""
    data = read_bytes(file)
    try:
        console.data(diff.as_listing(parse_lock(data, place="lock")))
    except LockError as error:
        text = data.decode("utf-8", "backslashreplace")
        lines = (f"not a lock: {error}", *text.split("\n"))
        console.data("".join(f"{ascii_only(line)}\n" for line in lines))
    return 0


def show_diff(console: Console, words: Sequence[str]) -> int:
    """Write the report of one changed lock (`command`), from the seven or nine words that git gives."""
    if len(words) not in {1, 7, 9}:
        raise UsageError(
            f"expected the seven words that git gives, got {len(words)}", place="git-driver diff"
        )
    if len(words) == 1:
        console.data(f"{ascii_only(words[0])}: not merged")
        return 0
    path, old, _, _, new, _, _ = words[:7]
    name = words[7] if len(words) == 9 else path
    files = {side: read_bytes(Path(file)) for side, file in (("a", old), ("b", new)) if file != ABSENT}
    sides = sides_of_files((f"a/{path}", files.get("a")), (f"b/{name}", files.get("b")))
    try:
        reading = compare_sides(sides, sides.names)
    except LockError as error:
        console.data(ascii_only(f"a/{path} -> b/{name}: {error}"))
        console.data(
            "".join(f"{line}\n" for line in _lines_changed(files.get("a", b""), files.get("b", b"")))
        )
        return 0
    found = diff.report(sides.before.label, sides.after.label, reading.compared, reading.unsound)
    console.styled(diff.as_text(diff.page(found)))
    console.data("")
    return 0


def _lines_changed(before: bytes, after: bytes) -> Iterator[str]:
    """Yield the changed lines of two files that cannot be read as locks, made visible."""
    old, new = (data.decode("utf-8", "backslashreplace").split("\n") for data in (before, after))
    if max(len(old), len(new)) > _MOST_LINES:
        yield f"{len(old)} and {len(new)} lines are too many to compare here"
        return
    for line in unified_diff(old, new, lineterm=""):
        yield ascii_only(line)
