"""A repository made of raw objects, so that it can hold what git itself would refuse."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from builder.git.canonical_tar import Tree
from builder.git.process import git_environment


class RawRepository:
    """A bare repository whose objects are written as given, byte by byte."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.git("init", "-q", "--bare", "--template=", str(path))

    def git(self, *arguments: str, data: bytes = b"") -> str:
        env = git_environment({"PATH": os.environ["PATH"]}, protocols=("file",))
        done = subprocess.run(["git", *arguments], input=data, env=env, check=True, capture_output=True)
        return done.stdout.decode().strip()

    def put(self, kind: str, data: bytes) -> str:
        where = f"--git-dir={self.path}"
        return self.git(where, "hash-object", "-w", "--literally", "-t", kind, "--stdin", data=data)

    def tree(self, *entries: tuple[int, bytes, str]) -> str:
        """Write a tree of (mode, name, id), in the order given."""
        rows = [b"%o %s\0" % (mode, name) + bytes.fromhex(oid) for mode, name, oid in entries]
        return self.put("tree", b"".join(rows))

    def commit(self, tree: str, *, ref: str = "refs/tags/v1") -> Tree:
        who = "A <a@h.invalid> 1700000000 +0000"
        oid = self.put("commit", f"tree {tree}\nauthor {who}\ncommitter {who}\n\nmessage\n".encode())
        self.git(f"--git-dir={self.path}", "update-ref", ref, oid)
        return Tree(repository=self.path, commit=oid, tree=tree)


@pytest.fixture
def repository(tmp_path: Path) -> RawRepository:
    return RawRepository(tmp_path / "upstream.git")


@pytest.fixture
def other_repository(tmp_path: Path) -> RawRepository:
    return RawRepository(tmp_path / "module.git")
