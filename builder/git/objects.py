"""Objects of a git repository, each checked against its id while it is read."""

from __future__ import annotations

__all__ = [
    "CommitInfo",
    "Objects",
    "StoredObject",
    "TreeEntry",
    "cat_blobs",
    "commit_info",
    "ls_tree",
    "open_objects",
]

import hashlib
import re
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from builder.errors import DigestMismatchError, FetchError, ToolError
from builder.git.process import git_environment
from builder.io import stop_group

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_CHUNK = 2**18  # bytes
_SMALL = 2**26  # bytes; commits, trees and link targets are far below
_MOST_ENTRIES = 2_000_000  # equal subtrees make trees that are small to store and endless to read
_ENTRY = re.compile(rb"([0-7]{5,6}) ([^\0/]+)\0")
_COMMITTER = re.compile(rb"committer .*> (?P<seconds>-?[0-9]+) [+-][0-9]{4}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """An object being read: its `chunks` end in DigestMismatchError when they do not have the id `oid`."""

    oid: str
    kind: str
    size: int
    chunks: Iterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitInfo:
    """A commit, its tree, and when it was committed in seconds since 1970."""

    commit: str
    tree: str
    committed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeEntry:
    """One entry below a tree: `kind` is blob, tree or commit (a submodule), `path` counts from the top."""

    mode: int
    kind: str
    oid: str
    path: bytes


class Objects:
    """The objects of one repository, read one after the other through a running `git cat-file`."""

    def __init__(self, repository: Path, process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
        self.repository = repository
        self._input = cast("IO[bytes]", process.stdin)
        self._output = cast("IO[bytes]", process.stdout)
        self._errors = errors
        self._unread: Iterator[bytes] = iter(())

    def stream(self, oid: str) -> StoredObject:
        """Return the object `oid`; its chunks are lost with the next call. FetchError when it is missing."""
        for _ in self._unread:
            pass
        try:
            self._input.write(f"{oid}\n".encode("ascii"))
            self._input.flush()
            header = self._output.readline().decode("ascii", "replace").split()
        except OSError:
            header = []
        if len(header) != 3:  # id, kind, size
            raise self._absent_object(oid, header)
        size = int(header[2])
        self._unread = self._object_content(oid, header[1], size)
        return StoredObject(oid=oid, kind=header[1], size=size, chunks=self._unread)

    def read(self, oid: str, kind: str) -> bytes:
        """Return the whole content of `oid`, which must be of `kind`; meant for small objects."""
        found = self.stream(oid)
        if found.kind != kind or found.size > _SMALL:
            raise FetchError(
                f"{oid} is a {found.kind} of {found.size} bytes, not a {kind}", place=self._repository_text
            )
        return b"".join(found.chunks)

    @property
    def _repository_text(self) -> str:
        return str(self.repository)

    def _object_content(self, oid: str, kind: str, size: int) -> Iterator[bytes]:
        digest = hashlib.sha1(f"{kind} {size}\0".encode("ascii"), usedforsecurity=False)
        left = size
        while left:
            chunk = self._output.read(min(left, _CHUNK))
            if not chunk:
                raise self._absent_object(oid, [])
            left -= len(chunk)
            digest.update(chunk)
            yield chunk
        self._output.read(1)  # the line end after each object
        if digest.hexdigest() != oid:
            raise DigestMismatchError(
                f"object {oid} has the id {digest.hexdigest()}", place=self._repository_text
            )

    def _absent_object(self, oid: str, header: list[str]) -> FetchError | ToolError:
        if header[1:] == ["missing"]:
            return FetchError(
                f"object {oid} is missing", place=self._repository_text, hint="fetch the commit again"
            )
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return ToolError(
            f"object {oid} cannot be read: {said[-1] if said else header}", place=self._repository_text
        )


@contextmanager
def open_objects(repository: Path, *, environment: Mapping[str, str] | None = None) -> Iterator[Objects]:
    """Open the objects of `repository`, bare or with a work tree, for reading."""
    env = git_environment() if environment is None else environment
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                ["git", f"--git-dir={_git_directory(repository)}", "cat-file", "--batch"],
                env=dict(env),
                cwd=Path("/"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        except OSError as cause:
            raise ToolError(
                f"cannot be started: {cause.strerror}", place="git", hint="install git"
            ) from cause
        try:
            yield Objects(repository, process, errors)
        finally:
            stop_group(process)


def commit_info(objects: Objects, commit: str) -> CommitInfo:
    """Return what `commit` says of itself; FetchError when it says it in no known form."""
    header = objects.read(commit, "commit").partition(b"\n\n")[0].split(b"\n")
    committer = next((match for line in header if (match := _COMMITTER.fullmatch(line))), None)
    tree = re.fullmatch(rb"tree ([0-9a-f]{40})", header[0])
    if tree is None or committer is None:
        raise FetchError(f"commit {commit} is malformed", place=str(objects.repository))
    return CommitInfo(commit=commit, tree=tree[1].decode("ascii"), committed=int(committer["seconds"]))


def ls_tree(objects: Objects, tree: str) -> Iterator[TreeEntry]:
    """Yield every entry below `tree`, directories before what is in them, in git's order."""
    waiting = [TreeEntry(mode=0o40000, kind="tree", oid=tree, path=b"")]
    left = _MOST_ENTRIES
    while waiting:
        entry = waiting.pop()
        if entry.path:
            yield entry
        if entry.kind == "tree":
            below = _tree_entries(objects, entry)
            left -= len(below)
            if left < 0:
                raise FetchError(
                    f"tree {tree} has more than {_MOST_ENTRIES} entries", place=str(objects.repository)
                )
            waiting.extend(reversed(below))


def cat_blobs(objects: Objects, oids: Iterable[str]) -> Iterator[StoredObject]:
    """Yield each blob in the given order; its chunks must be used before the next is asked for."""
    for oid in oids:
        blob = objects.stream(oid)
        if blob.kind != "blob":
            raise FetchError(f"{oid} is a {blob.kind}, not a blob", place=str(objects.repository))
        yield blob


def _git_directory(repository: Path) -> Path:
    """Return the git directory of `repository`, bare or with a work tree, as an absolute path."""
    inner = repository / ".git"
    return (inner if inner.is_dir() else repository).absolute()


def _tree_entries(objects: Objects, tree: TreeEntry) -> list[TreeEntry]:
    """Parse one tree object: `mode SP name NUL id`, again and again."""
    data = objects.read(tree.oid, "tree")
    prefix = tree.path + b"/" if tree.path else b""
    entries, position = [], 0
    while position < len(data):
        match = _ENTRY.match(data, position)
        if match is None or match.end() + 20 > len(data):
            raise FetchError(f"tree {tree.oid} is malformed", place=str(objects.repository))
        mode, position = int(match[1], 8), match.end() + 20
        kind = {0o040000: "tree", 0o160000: "commit"}.get(mode & 0o170000, "blob")
        oid = data[match.end() : position].hex()
        entries.append(TreeEntry(mode=mode, kind=kind, oid=oid, path=prefix + match[2]))
    return entries
