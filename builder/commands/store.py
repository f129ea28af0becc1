"""`store gc`: delete the files of the store that neither locks nor recipes name."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from builder.console import Console
from builder.errors import UsageError
from builder.io import read_bytes
from builder.locks import lock_files, lock_path, select_locks
from builder.model import human_size
from builder.options import ResultFormat, add_format, add_places, add_selection, project_of, selection_of
from builder.project import Project, find_root
from builder.selection import Selection
from builder.store import StoreUse, collect_garbage, named_digests, reachable_digests

__all__ = ["EXAMPLES", "add_options", "collect_store_garbage", "run"]

EXAMPLES = """\
  python -m builder store gc --dry-run                      how much would go?
  python -m builder store gc --also ../other-project        what two projects need stays
  python -m builder store gc --release 1.4.2 --younger-than 0
"""
_ACTIONS = ("gc",)
_YOUNG_DAYS = 30
_DAY = 86400.0  # seconds
_TEXTS = ("*.toml", "InRelease", "*.xml", "*.json")
"""Files of recipes and locks that can name digests."""


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `store`."""
    verb.add_argument("action", choices=_ACTIONS, help="gc: delete what nothing names")
    verb.add_argument(
        "--also",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="another project that uses this store: what its locks and recipes name stays",
    )
    verb.add_argument(
        "--younger-than",
        type=int,
        default=_YOUNG_DAYS,
        metavar="DAYS",
        help="keep what arrived in the last days, whoever needs it (default: %(default)s)",
    )
    verb.add_argument("--dry-run", action="store_true", help="count, and delete nothing")
    add_selection(verb, otherwise="every lock of the project")
    add_places(verb)
    add_format(verb)


def run(options: argparse.Namespace, console: Console) -> int:
    """Delete what no lock, recipe or recent run needs; 0, or an error."""
    if options.younger_than < 0:
        raise UsageError(f"expected 0 or more, got {options.younger_than}", place="--younger-than")
    return collect_store_garbage(
        project_of(options, console),
        selection_of(options),
        also=tuple(options.also),
        days=options.younger_than,
        dry_run=options.dry_run,
        json=options.format == ResultFormat.JSON,
    )


def collect_store_garbage(
    project: Project, selection: Selection, *, also: tuple[Path, ...], days: int, dry_run: bool, json: bool
) -> int:
    """Delete, or with `dry_run` count, what nothing names; report the store before and after."""
    roots = named_digests((*_own_texts(project, selection), *_texts_below(also)))
    kept = reachable_digests(project.store, roots)
    named, young, gone = collect_garbage(
        project.store, kept, arrived_since=time.time() - days * _DAY, dry_run=dry_run
    )
    done = "would be deleted" if dry_run else "deleted"
    if json:
        uses = {"named": named, "young": young, "deleted": gone}
        shown = {name: {"files": use.files, "bytes": use.bytes} for name, use in uses.items()}
        project.console.json({"store": str(project.store.root), "dry-run": dry_run, **shown})
        return 0
    rows = [_use_row("named by locks or recipes: kept", named), _use_row(f"named by nothing: {done}", gone)]
    if days:
        rows.insert(1, _use_row(f"arrived in the last {days} days: kept", young))
    project.console.table(("what", "files", "size"), rows)
    project.console.data(
        f"{project.store.root}: {human_size(named.bytes + young.bytes + gone.bytes)} before, "
        f"{human_size(named.bytes + young.bytes)} {'would be left' if dry_run else 'after'}"
    )
    return 0


def _use_row(what: str, use: StoreUse) -> tuple[str, str, str]:
    return what, str(use.files), human_size(use.bytes)


def _own_texts(project: Project, selection: Selection) -> Iterator[bytes]:
    """Yield the locks that are selected, and every recipe and kept index."""
    if selection.is_empty:
        paths = [path for _, path in lock_files(project)]
    else:
        paths = [lock_path(project, target) for target in select_locks(project, selection)]
    yield from map(read_bytes, paths)
    for folder in filter(None, (project.recipes, project.catalogue)):
        yield from _folder_texts(folder)


def _texts_below(projects: tuple[Path, ...]) -> Iterator[bytes]:
    """Yield what other projects say; UsageError for any other folder."""
    for folder in projects:
        if not folder.is_dir() or find_root(folder.resolve()) != folder.resolve():
            raise UsageError("is not a project: it has neither recipes nor locks", place=f"--also {folder}")
        yield from _folder_texts(folder / "lock")
        yield from _folder_texts(folder / "recipes")


def _folder_texts(folder: Path) -> Iterator[bytes]:
    for pattern in _TEXTS:
        for path in sorted(folder.rglob(pattern)):
            if path.is_file():
                yield read_bytes(path)
