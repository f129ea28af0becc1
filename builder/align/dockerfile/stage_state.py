"""What the commands of a build stage leave behind: folders, clones, downloaded files. Pure.

A clone may get its ref, and a file its checksum, in a later RUN. So both are kept by their path, and a
stage that is built on another one begins with what that one has.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from builder.align.dockerfile.pin import PinLedger
from builder.align.dockerfile.shell import ShellScope
from builder.align.dockerfile.variables import UNRESOLVED

__all__ = ["StageState", "absolute_path"]

_LONGEST_PATH = 1024


def absolute_path(folder: str, path: str) -> str:
    """Return a path below a folder, without `.` and `..`; one that no system has is not known."""
    found = posixpath.normpath(posixpath.join(folder, path[:_LONGEST_PATH]))
    return found if len(found) < _LONGEST_PATH else f"/{UNRESOLVED}"


@dataclass(slots=True, kw_only=True)
class StageState:
    """What is known of a stage's file system between its instructions."""

    ledger: PinLedger
    folder: str = "/"
    """Where the next RUN begins."""
    shell_options: tuple[str, ...] = ()
    """Options of the shell that runs scripts, such as `-e`."""
    clones: dict[str, int] = field(default_factory=dict)
    """By folder: the number of the clone's pin."""
    files: dict[str, int] = field(default_factory=dict)
    """By path: the number of the pin of the download that wrote it."""
    used: set[int] = field(default_factory=set)
    """Numbers of downloads that something used."""
    used_clones: set[int] = field(default_factory=set)
    """Numbers of clones in which something ran."""
    texts: dict[str, str] = field(default_factory=dict)
    """By path: what an `echo` or `printf` wrote there."""
    brought: set[str] = field(default_factory=set)
    """Base names of what COPY and bind mounts bring."""
    _folders: dict[ShellScope | None, str] = field(default_factory=dict)

    def heir(self) -> StageState:
        """Return the state of a stage that is built on this one."""
        return StageState(
            ledger=self.ledger,
            folder=self.folder,
            shell_options=self.shell_options,
            clones=dict(self.clones),
            files=dict(self.files),
            used=set(self.used),
            used_clones=set(self.used_clones),
            texts=dict(self.texts),
            brought=set(self.brought),
        )

    def begin_run(self) -> None:
        """Forget what `cd` did: each RUN begins in the folder of WORKDIR."""
        self._folders = {None: self.folder}

    def folder_in(self, scope: ShellScope | None) -> str:
        """Return where a command of a subshell works."""
        while scope is not None and scope not in self._folders:
            scope = scope.outer
        return self._folders.get(scope, self.folder)

    def change_folder(self, scope: ShellScope | None, words: Sequence[str]) -> None:
        """Do what `cd` or `pushd` does in a subshell."""
        target = next((word for word in words if not word.startswith("-")), "/root")
        if words and words[0] == "-":
            target = UNRESOLVED
        self._folders[scope] = absolute_path(self.folder_in(scope), target)

    def may_have(self, *names: str) -> bool:
        """Whether a file of one of some names may be at hand: copied by name, or with a folder, or cloned."""
        return bool(self.clones or self.files) or any(
            UNRESOLVED in item
            or "." not in item.lstrip(".")
            or any(fnmatchcase(name, item) for name in names)
            for item in self.brought
        )

    def clone_at(self, folder: str) -> int | None:
        """Return the clone that a folder belongs to."""
        while True:
            if folder in self.clones:
                return self.clones[folder]
            above = posixpath.dirname(folder)
            if above == folder or not above:
                return None
            folder = above
