"""What `diff` knows from outside the locks: commits from clones at hand, withdrawn files from the index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from packaging.version import Version

from builder import git, index
from builder.diff import Commit, History, RowChange, commits_of, releases_of
from builder.model import printable
from builder.project import Project

__all__ = ["histories", "yanked"]

_NEWEST = 10
"""So many subjects are shown of the commits between two."""
_MOST_CLONES = 500
"""Folders that are looked at below each that is named."""


def histories(
    project: Project, changes: Iterable[RowChange], clones: Sequence[Path]
) -> dict[tuple[str, str], History]:
    """Return what is known of the way between the locked commits, by (before, after).

    Looked for in the folders `clones` and below them, and among the copies
    that `fetch` keeps beside the store. A commit's id says what it is, so any
    repository that has both will do.
    """
    wanted = dict.fromkeys(pair for pair in commits_of(changes) if all(pair))
    if not wanted:
        return {}
    places = list(_found_repositories([*clones, project.git_cache]))
    found = {}
    for before, after in wanted:
        logs = (git.log_between(place, before, after, newest=_NEWEST) for place in places)
        log = next((item for item in logs if item is not None), None)
        if log is not None:
            found[before, after] = _history_of_log(log)
    return found


def _history_of_log(log: git.Log) -> History:
    return History(
        added=log.added,
        dropped=log.dropped,
        authors=tuple((printable(name), count) for name, count in log.authors),
        newest=tuple(
            Commit(oid=oid, author=printable(author), subject=printable(subject))
            for oid, author, subject in log.newest
        ),
    )


def _found_repositories(folders: Sequence[Path]) -> Iterator[Path]:
    """Yield the git directory of each repository that is one of `folders` or up to two levels below."""
    for folder in folders:
        levels = (folder, *islice(_folders_below(folder), _MOST_CLONES))
        for path in levels:
            inner = path / ".git" if (path / ".git").is_dir() else path
            if (inner / "HEAD").is_file() and (inner / "objects").is_dir():
                yield inner.absolute()


def _folders_below(folder: Path) -> Iterator[Path]:
    if (folder / "HEAD").is_file() or (folder / ".git").exists() or not folder.is_dir():
        return
    for path in sorted(item for item in folder.iterdir() if item.is_dir()):
        yield path
        if not (path / "HEAD").is_file() and not (path / ".git").exists():
            yield from sorted(item for item in path.iterdir() if item.is_dir())


def yanked(project: Project, changes: Iterable[RowChange], index_url: str) -> dict[tuple[str, str], str]:
    """Ask the index about each distribution whose row came or changed; return the withdrawn releases.

    Nothing is known of a distribution that the index lacks. FetchError when the index cannot be reached.
    """
    found = {}
    with project.client() as client:
        asked = project.index_client(client)
        for name, version in sorted(set(releases_of(changes))):
            page = index.read_index_project(asked, project.index_address(index_url), name)
            files = page.of(Version(version)) if page else ()
            if files and all(item.yanked for item in files):
                found[name, version] = "withdrawn by its publisher"
    return found
