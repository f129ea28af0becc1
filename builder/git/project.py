"""The git repository that a project is in: files at a revision, staged files, the commits between two.

The repository's own configuration is the user's, so their `safe.directory`
counts; hooks, pagers, helpers and the network do not. Only plumbing is called.
"""

from __future__ import annotations

__all__ = ["Log", "Repository", "find_repository", "log_between"]

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from builder.errors import UsageError
from builder.git.objects import cat_blobs, open_objects
from builder.git.process import git_environment
from builder.io import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TIMEOUT = 120.0  # seconds
_REGULAR = ("100644", "100755")
_MOST_COMMITS = 100_000
_ANY = tuple(range(256))


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The commits between two: how many were added and dropped, by whom, and the newest added."""

    added: int
    dropped: int
    authors: tuple[tuple[str, int], ...]
    """Name and number of commits, most first, then by name."""
    newest: tuple[tuple[str, str, str], ...]
    """Id, author and subject, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository with a work tree: `top` is its highest folder, `directory` git's own."""

    top: Path
    directory: Path

    def commit(self, revision: str) -> str:
        """Return the commit that `revision` means, or nothing when it means none."""
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return self._ask_git(*words)

    def merge_base(self, one: str, other: str) -> str:
        """Return the best common ancestor of two commits; UsageError when they have none."""
        found = self._ask_git("merge-base", one, other)
        if not found:
            hint = "fetch more history: git fetch --unshallow"
            raise UsageError("the two revisions have no common commit here", place=str(self.top), hint=hint)
        return found

    def files(self, commit: str) -> dict[str, str]:
        """Return path to blob id of every regular file of `commit`; paths count from the top."""
        text = self._required_answer("ls-tree", "-r", "-z", "--full-tree", commit)
        rows = (line.split("\t", 1) for line in text.split("\0") if line)
        parts = ((head.split(" "), path) for head, path in rows)
        return {path: head[2] for head, path in parts if head[0] in _REGULAR}

    def staged(self) -> dict[str, str]:
        """Return path to blob id of every regular file in the index."""
        text = self._required_answer("ls-files", "--stage", "-z", "--full-name")
        rows = (line.split("\t", 1) for line in text.split("\0") if line)
        parts = ((head.split(" "), path) for head, path in rows)
        return {path: head[1] for head, path in parts if head[0] in _REGULAR and head[2] == "0"}

    def read(self, blobs: Iterable[str]) -> dict[str, bytes]:
        """Return the content of each blob, checked against its id (FetchError, DigestMismatchError)."""
        wanted = sorted(set(blobs))
        with open_objects(self.directory, environment=_user_environment()) as objects:
            return {blob.oid: b"".join(blob.chunks) for blob in cat_blobs(objects, wanted)}

    def _ask_git(self, *words: str) -> str:
        """Return what git says, or nothing when it fails."""
        done = run(("git", *words), env=_user_environment(), cwd=self.top, timeout=_TIMEOUT, accept=_ANY)
        return done.output.strip() if done.returncode == 0 else ""

    def _required_answer(self, *words: str) -> str:
        """Return what git says; ToolError when it fails."""
        done = run(("git", *words), env=_user_environment(), cwd=self.top, timeout=_TIMEOUT)
        return done.stdout.decode("utf-8", "surrogateescape")


def find_repository(folder: Path) -> Repository:
    """Return the repository that `folder` is in; UsageError with git's own words when it is in none."""
    words = ("git", "rev-parse", "--show-toplevel", "--absolute-git-dir")
    done = run(words, env=_user_environment(), cwd=folder, timeout=_TIMEOUT, accept=_ANY)
    lines = done.output.splitlines()
    if done.returncode or len(lines) != 2:
        told = [line.strip() for line in done.errors.splitlines()]
        said = next((line for line in told if line.startswith("fatal:")), "no work tree")
        # Where another user owns the checkout, git prints the command that trusts it.
        advice = next((line for line in told if line.startswith("git config ")), None)
        hint = (
            f"if you trust it: {advice}" if advice else "go to a git repository, or name two files or folders"
        )
        raise UsageError(f"git: {said.removeprefix('fatal: ')}", place=str(folder), hint=hint)
    return Repository(top=Path(lines[0]), directory=Path(lines[1]))


def log_between(directory: Path, before: str, after: str, *, newest: int) -> Log | None:
    """Return the commits between two full ids in a repository; None if it lacks some of them."""
    env = git_environment()
    known = run(
        ("git", f"--git-dir={directory}", "cat-file", "--batch-check=%(objecttype)"),
        env=env,
        cwd=Path("/"),
        input=f"{before}\n{after}\n".encode("ascii"),
        timeout=_TIMEOUT,
        accept=_ANY,
    )
    if known.output.split() != ["commit", "commit"]:
        return None
    if _run_git(directory, env, "rev-parse", "--is-shallow-repository") != "false":
        return None  # the history is cut off somewhere: a count would be a guess
    sides = _run_git(directory, env, "rev-list", "--count", "--left-right", f"{before}...{after}").split()
    listed = _run_git(
        directory,
        env,
        "rev-list",
        "--no-commit-header",
        "--encoding=UTF-8",
        f"--max-count={_MOST_COMMITS}",
        "--format=%H%x00%aN%x00%s",
        f"{before}..{after}",
    )
    rows = [tuple(line.split("\0")) for line in listed.split("\n") if line.count("\0") == 2]
    authors = Counter(row[1] for row in rows)
    return Log(
        added=int(sides[1]),
        dropped=int(sides[0]),
        authors=tuple(sorted(authors.items(), key=lambda item: (-item[1], item[0]))),
        newest=tuple((row[0], row[1], row[2]) for row in rows[:newest]),
    )


def _run_git(directory: Path, env: Mapping[str, str], *words: str) -> str:
    return run(
        ("git", f"--git-dir={directory}", *words), env=env, cwd=Path("/"), timeout=_TIMEOUT
    ).output.strip()


def _user_environment() -> dict[str, str]:
    """Return git's environment with the user's own configuration, and the index of a running hook."""
    env = git_environment()
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"):
        env.pop(name, None)
    index = os.environ.get("GIT_INDEX_FILE")
    return env | ({"GIT_INDEX_FILE": str(Path(index).absolute())} if index else {})
