"""From the words of `diff` to its two sides: revisions and paths as git reads them."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from builder import git
from builder.errors import LockError, UsageError
from builder.io import read_bytes
from builder.project import Project
from builder.revisions.sides import Side, Sides, is_lock_name, sides_of_places

__all__ = ["sides_of"]

_WORK_TREE = "working tree"
_STAGED = "index"


def sides_of(project: Project, words: Sequence[str], *, staged: bool) -> Sides:
    """Read both sides that `words` name (UsageError, LockError).

    Two existing files or folders are compared with each other. Otherwise the
    first words are revisions, as with `git diff`, and the rest are paths.
    """
    if len(words) == 2 and not staged and all(Path(word).exists() for word in words):
        for word in words:
            if _is_bare(word) and _project_repository(project).commit(word):
                raise _ambiguous_word(word)
        return sides_of_places(*map(Path, words))
    repository = _project_repository(project)
    revisions, paths = _split_words(repository, words)
    prefixes = _path_prefixes(repository, project, paths)
    before, after = _compared_commits(repository, revisions, staged=staged)
    sides = _from_git(repository, before, after, tuple(prefixes))
    names = sides.before.names | sides.after.names
    for prefix in prefixes:
        if not any(_is_lock(name, (prefix,)) for name in names):
            raise _unknown_word(prefixes[prefix])
    return sides


def _is_bare(word: str) -> bool:
    """Say whether a word could be a branch as well as a file: a path has slashes or a suffix."""
    return "/" not in word and "." not in word


def _project_repository(project: Project) -> git.Repository:
    return git.find_repository(project.root)


def _ambiguous_word(word: str) -> UsageError:
    return UsageError(
        f"{word!r} is a revision and a path",
        place="diff",
        hint=f"write ./{word} for the path, {word}^0 for the revision",
    )


def _split_words(repository: git.Repository, words: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the revisions, each with its commit, and the paths."""
    revisions: list[tuple[str, str]] = []
    for index, word in enumerate(words):
        found = _revision_range(repository, word) if not revisions else []
        single = [(word, commit)] if not found and (commit := repository.commit(word)) else []
        if not found and not single:
            return revisions, _checked_paths(words[index:])
        if not found and Path(word).exists():
            raise _ambiguous_word(word)
        revisions += found or single
        if len(revisions) == 2:
            return revisions, _checked_paths(words[index + 1 :])
    return revisions, []


def _checked_paths(words: Sequence[str]) -> list[str]:
    for word in words:
        if ".." in word and not Path(word).exists() and not _is_pattern(word):
            raise UsageError(
                f"{word!r} is not a range of known revisions", place="diff", hint="see git log --all"
            )
    return list(words)


def _is_pattern(word: str) -> bool:
    return any(character in word for character in "*?[")


def _revision_range(repository: git.Repository, word: str) -> list[tuple[str, str]]:
    """Return both ends of `A..B` or `A...B`; nothing unless it is a range of known revisions."""
    for dots in ("...", ".."):
        left, found, right = word.partition(dots)
        if not found:
            continue
        ends = [repository.commit(end or "HEAD") for end in (left, right)]
        if not all(ends):
            return []
        first = repository.merge_base(*ends) if dots == "..." else ends[0]
        return [
            (left or "HEAD" if dots == ".." else f"merge base of {word}", first),
            (right or "HEAD", ends[1]),
        ]
    return []


def _path_prefixes(repository: git.Repository, project: Project, words: Sequence[str]) -> dict[str, str]:
    """Return the given paths, else the lock folder, as the repository names them, each with its word."""
    top = repository.top.resolve()
    if not words:
        return {project.locks.resolve().relative_to(top).as_posix(): str(project.locks)}
    found = {}
    for word in words:
        path = Path.cwd() / word
        plain = path.parent.resolve() / path.name if path.name != ".." else path.resolve()
        if not plain.is_relative_to(top):
            raise (
                _unknown_word(word)
                if not plain.exists()
                else UsageError("is outside the repository", place=word, hint=f"the repository is {top}")
            )
        found[plain.relative_to(top).as_posix()] = word
    return found


def _unknown_word(word: str) -> UsageError:
    return UsageError(
        f"{word!r} is neither a revision nor a path with locks",
        place="diff",
        hint="see git log --all; paths are relative to where you are",
    )


def _compared_commits(
    repository: git.Repository, revisions: Sequence[tuple[str, str]], *, staged: bool
) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return (label, commit) of both sides; the work tree and the index have no commit."""
    given = list(revisions)
    if staged and len(given) == 2:
        raise UsageError("--staged takes at most one revision", place="diff")
    if not given:
        head = repository.commit("HEAD")
        if not head:
            raise UsageError("the repository has no commit yet", place=str(repository.top))
        given.append(("HEAD", head))
    if len(given) == 1:
        given.append((_STAGED if staged else _WORK_TREE, ""))
    return given[0], given[1]


def _from_git(
    repository: git.Repository, before: tuple[str, str], after: tuple[str, str], prefixes: tuple[str, ...]
) -> Sides:
    (left_label, left), (right_label, right) = before, after
    olds = _chosen_files(repository.files(left), prefixes)
    if right_label == _WORK_TREE and not right:
        data = _work_tree(repository, prefixes)
        contents = repository.read(olds.values())
        return Sides(
            before=_git_side(left_label, {path: contents[blob] for path, blob in olds.items()}),
            after=_git_side(right_label, data),
        )
    news = _chosen_files(repository.files(right) if right else repository.staged(), prefixes)
    moved = {path for path in olds.keys() | news.keys() if olds.get(path) != news.get(path)}
    # What stayed is read too where a lock came: it may be what the new one is compared with.
    needed = moved | (olds.keys() if news.keys() - olds.keys() else set())
    # So is what was named itself: nothing but its content says that it is a lock.
    needed |= {path for path in olds.keys() | news.keys() if path in prefixes}
    contents = repository.read(
        [rows[path] for rows in (olds, news) for path in needed if path in rows],
    )
    return Sides(
        before=_git_side(
            left_label, {path: contents[blob] for path, blob in olds.items() if path in needed}, olds
        ),
        after=_git_side(
            right_label, {path: contents[blob] for path, blob in news.items() if path in needed}, news
        ),
    )


def _chosen_files(files: Mapping[str, str], prefixes: tuple[str, ...]) -> dict[str, str]:
    return {path: blob for path, blob in files.items() if _is_lock(path, prefixes)}


def _is_lock(path: str, prefixes: tuple[str, ...]) -> bool:
    """Say whether a path is chosen: named itself, or named like a lock and below one that is named."""
    if path in prefixes:
        return True
    return is_lock_name(path) and any(
        prefix == "." or path.startswith(f"{prefix}/") or fnmatch.fnmatchcase(path, prefix)
        for prefix in prefixes
    )


def _work_tree(repository: git.Repository, prefixes: tuple[str, ...]) -> dict[str, bytes]:
    roots = {prefix if not _is_pattern(prefix) else prefix.split("/")[0] for prefix in prefixes}
    found: dict[str, bytes] = {}
    for root in sorted(roots):
        place = repository.top / root
        for path in [place] if place.is_file() else sorted(place.rglob("*.toml")):
            name = path.relative_to(repository.top).as_posix()
            if path.is_file() and not path.is_symlink() and _is_lock(name, prefixes):
                found[name] = read_bytes(path, error=LockError)
    return found


def _git_side(label: str, files: Mapping[str, bytes], names: Iterable[str] | None = None) -> Side:
    known = frozenset(files if names is None else names)
    return Side(label=label, names=known, files=files, places={name: f"{label}: {name}" for name in files})
