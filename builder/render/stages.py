"""Stages, the Dockerfile that is made of them, and stages that choose an architecture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from builder.errors import BuilderError, LockError
from builder.model import Arch
from builder.render.instructions import SCRATCH, Arg, Comment, Copy, From, Instruction, Run
from builder.render.quoting import shown

__all__ = [
    "EPOCH",
    "STORE",
    "WHEELS",
    "Dockerfile",
    "Located",
    "Stage",
    "build_stage",
    "by_platform",
    "patch_stage",
]


STORE = "store"
"""The stage that a build context of this name replaces; by itself it is empty, so nothing is pulled."""

EPOCH = Arg(name="SOURCE_DATE_EPOCH")
"""Declared in each stage that runs something: there is no other way to know it there."""


WHEELS = "/wheels"
"""Where a build leaves its wheels."""


def build_stage(component: str, arch: str) -> str:
    """Return the name of the stage in which a component is built."""
    return f"{component}-{arch}"


def patch_stage(component: str, arch: str) -> str:
    """Return the name of the stage that holds a component's patches."""
    return f"patches-{component}-{arch}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage: what it stands on, from which rows of the lock it comes, and what it does."""

    name: str
    base: str
    notes: tuple[str, ...]
    body: tuple[Instruction, ...] = ()
    by_platform: bool = False

    def instructions(self) -> tuple[Instruction, ...]:
        """Return all instructions, the comment first."""
        start = From(base=self.base, stage=self.name, by_platform=self.by_platform)
        return (Comment(lines=self.notes), start, *self.body)

    def text(self) -> str:
        """Return the stage's text; LockError names the stage where a value cannot be written."""
        try:
            return "\n".join(instruction.text() for instruction in self.instructions())
        except BuilderError as error:
            raise error.within(f"stage {shown(self.name)}") from None

    def uses(self) -> Iterator[str]:
        """Yield the names of the stages that it reads from."""
        if self.base != SCRATCH and "@" not in self.base and not self.by_platform:
            yield self.base
        for instruction in self.body:
            if isinstance(instruction, Copy):
                yield instruction.stage
            elif isinstance(instruction, Run):
                yield from (mount.stage for mount in instruction.mounts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """An instruction with the stage that it is in (none: the header) and its first line, from 1."""

    stage: Stage | None
    instruction: Instruction
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dockerfile:
    """A whole Dockerfile; stages are in the order in which they can be built."""

    header: Comment
    stages: tuple[Stage, ...]

    def instructions(self) -> tuple[Instruction, ...]:
        """Return everything that is declared, in order."""
        return (self.header, *(item for stage in self.stages for item in stage.instructions()))

    def located(self) -> Iterator[Located]:
        """Yield every instruction with its place in the file's text."""
        line = 1
        parts = ((None, (self.header,)), *((stage, stage.instructions()) for stage in self.stages))
        for stage, instructions in parts:
            for instruction in instructions:
                yield Located(stage=stage, instruction=instruction, line=line)
                line += instruction.text().count("\n") + 1
            line += 1  # the empty one before each stage

    def text(self) -> str:
        """Return the file's text (LockError for two stages of one name, or one that comes too late)."""
        for name, count in Counter(stage.name for stage in self.stages).items():
            if count > 1:
                raise LockError(f"two stages would be called {shown(name)}", hint="rename the component")
        known: set[str] = set()
        for stage in self.stages:
            for name in stage.uses():
                if name not in known:
                    late = f"stage {shown(stage.name)} reads {shown(name)}, which is not made before it"
                    raise LockError(late, hint="run `python -m builder lock`")
            known.add(stage.name)
        return "\n\n".join((self.header.text(), *(stage.text() for stage in self.stages))) + "\n"


def by_platform(role: str, arches: Sequence[Arch], what: str) -> Iterator[Stage]:
    """Yield the stages that choose an architecture; one without a lock ends the build with its name."""
    for arch in Arch:
        name = f"{role}-{arch.debian}"
        if arch in arches:
            yield Stage(name=name, base=f"{role}-{arch}", notes=(f"{arch.oci} is {arch}.",))
        else:
            missing = Copy(stage=STORE, source=f"no-lock-for-{arch}", target="/")
            notes = (f"{arch.oci} has no lock here: building for it stops at this missing file.",)
            yield Stage(name=name, base=SCRATCH, notes=notes, body=(missing,))
    yield Stage(name=role, base=role, notes=(f"{what}.",), by_platform=True)
