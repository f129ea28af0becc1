"""From a line of a Dockerfile back to the rows of the locks it comes from. Pure.

Nothing is rendered a second time: the Dockerfile as a value knows which
instruction each line belongs to. What an instruction fetches or unpacks it
names by digest, and a digest is a row's identity. What it reads from other
stages comes from what these hold. The rest is the build or the runtime table
that its stage is for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from builder.errors import UsageError
from builder.lockfile import Archive, Build, GitSource, Image, Lock, OsPackage, PythonPackage, Runtime
from builder.model import Arch, Target
from builder.render.instructions import SCRATCH, Comment, Copy, From, Instruction, Run
from builder.render.quoting import Command
from builder.render.stages import STORE, Dockerfile, Located, Stage, build_stage, patch_stage

__all__ = ["LineOrigin", "Row", "origin_of"]

Row = Archive | Build | GitSource | Image | OsPackage | PythonPackage | Runtime
"""A row of a lock, or its table `runtime`."""

_DIGEST = re.compile(r"(?:sha256/([0-9a-f]{2})/)?(?<![0-9a-f])([0-9a-f]{62,64})(?![0-9a-f])")


@dataclass(frozen=True, slots=True, kw_only=True)
class LineOrigin:
    """Where a line comes from."""

    stage: str
    """Empty for the header."""
    locks: tuple[Target, ...]
    rows: tuple[Row, ...]
    """In the order in which the instruction names them; none where the line holds no value of a lock."""


def origin_of(number: int, dockerfile: Dockerfile, locks: Sequence[Lock]) -> LineOrigin:
    """Return what line `number`, from 1, of the rendered `locks` comes from (UsageError: no such line)."""
    lines = dockerfile.text().splitlines()
    if not 1 <= number <= len(lines):
        raise UsageError(f"line {number} is not in the Dockerfile, which has {len(lines)} lines")
    line = lines[number - 1]
    found = next(
        (item for item in dockerfile.located() if item.line <= number < item.line + _line_count(item)), None
    )
    if found is None or found.stage is None:
        return LineOrigin(stage="", locks=tuple(lock.target for lock in locks), rows=())
    near = [lock for lock in locks if found.stage.name.endswith((f"-{lock.arch}", f"-{lock.arch.debian}"))]
    reader = _StageReader(dockerfile, near or locks)
    rows = tuple(dict.fromkeys(reader.line(found, line)))
    return LineOrigin(stage=found.stage.name, locks=tuple(lock.target for lock in near or locks), rows=rows)


def _line_count(item: Located) -> int:
    return item.instruction.text().count("\n") + 1


class _StageReader:
    """The rows of some locks, by what a Dockerfile calls them."""

    def __init__(self, dockerfile: Dockerfile, locks: Sequence[Lock]) -> None:
        self._stages = {stage.name: stage for stage in dockerfile.stages}
        self._digests: dict[str, list[Row]] = {}
        self._subjects: dict[str, Row] = {}
        self._checks: dict[Command, Build] = {}
        for lock in locks:
            for digest, row in _by_digest(lock):
                self._digests.setdefault(digest, []).append(row)
            for build in lock.builds:
                self._subjects[build_stage(build.component, lock.arch)] = build
                self._subjects[patch_stage(build.component, lock.arch)] = build
                self._checks |= {check.run: build for check in build.checks}
            for role in ("runtime", "check"):
                self._subjects[f"{role}-{lock.arch}"] = lock.runtime

    def line(self, item: Located, line: str) -> Iterator[Row]:
        """Yield the rows of one line: of its own digests or mount, else of its whole instruction."""
        assert item.stage is not None  # noqa: S101 - the header was answered before
        instruction = item.instruction
        if isinstance(instruction, Comment):
            yield from self._stage_rows(item.stage)
            return
        own = list(self._rows_named_in(line))
        mounted = (
            [mount for mount in instruction.mounts if mount.text() in line]
            if isinstance(instruction, Run)
            else []
        )
        if own and not isinstance(instruction, From):
            yield from own
        elif mounted:
            yield from self._read_stage_rows(mount.stage for mount in mounted)
        else:
            yield from self._instruction_rows(instruction, item.stage)

    def _instruction_rows(self, instruction: Instruction, stage: Stage) -> Iterator[Row]:
        named = list(self._rows_named_in(instruction.text()))
        yield from named
        if isinstance(instruction, From):
            yield from self._base_image_rows(stage)
        elif isinstance(instruction, Copy) and instruction.stage != STORE:
            yield from self._read_stage_rows([instruction.stage])
        elif not named and stage.name in self._subjects:
            yield self._subject_row(instruction, stage)
        if isinstance(instruction, Run):
            yield from self._read_stage_rows(mount.stage for mount in instruction.mounts)

    def _subject_row(self, instruction: Instruction, stage: Stage) -> Row:
        """Return what an instruction is for, in a stage with a subject; a check may be that of a build."""
        if isinstance(instruction, Run) and isinstance(self._subjects[stage.name], Runtime):
            for command in instruction.commands:
                for run, build in self._checks.items():
                    if run and command[-len(run) :] == run:
                        return build
        return self._subjects[stage.name]

    def _base_image_rows(self, stage: Stage) -> Iterator[Row]:
        if stage.by_platform:
            yield from self._read_stage_rows(f"{stage.base}-{arch.debian}" for arch in Arch)
        elif stage.base != SCRATCH:
            yield from self._read_stage_rows([stage.base])

    def _read_stage_rows(self, names: Iterable[str]) -> Iterator[Row]:
        """Yield the rows of other stages; one that builds or is the image stands for itself."""
        for name in names:
            if name in self._subjects:
                yield self._subjects[name]
            elif name in self._stages:
                yield from self._stage_rows(self._stages[name])

    def _stage_rows(self, stage: Stage) -> Iterator[Row]:
        for instruction in stage.instructions():
            if not isinstance(instruction, Comment):
                yield from self._instruction_rows(instruction, stage)

    def _rows_named_in(self, text: str) -> Iterator[Row]:
        for match in _DIGEST.finditer(text):
            yield from self._digests.get(f"{match[1] or ''}{match[2]}", ())


def _by_digest(lock: Lock) -> Iterator[tuple[str, Row]]:
    for table in (lock.python, lock.os_packages, lock.archives, lock.sources):
        for row in table:
            if row.sha256:
                yield str(row.sha256), row
    for image in lock.images:
        digest = image.tar or image.digest
        if digest:
            yield str(digest).removeprefix("sha256:"), image
