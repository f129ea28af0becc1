"""What engines are asked for, what they answer, and how a failure is told: the same for all of them.

The build context `store` holds exactly the files that a build reads, by hash, as hard links.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from builder.build.events import BuildStep
from builder.build.stage_graph import read_graph
from builder.errors import FetchError, ToolError, UsageError
from builder.io import locked, redacted
from builder.store import Store

__all__ = ["BuildRequest", "Built", "arriving", "build_context", "hint_for", "step_failure", "with_lines"]


@contextmanager
def build_context(store: Store, digests: Sequence[str]) -> Iterator[Path]:
    """Yield a folder that holds these files of the store as `sha256/ab/cdef…`, and nothing else.

    It has the same name whenever its content is the same, because BuildKit
    sends again only what changed below a name. FetchError for a file that the
    store lacks, UsageError when the folder cannot be made.
    """
    listed = sorted(set(digests))
    name = hashlib.sha256("\n".join(listed).encode()).hexdigest()[:16]
    folder = store.root / "contexts" / name
    with locked(folder.with_name(f"{name}.lock")):
        try:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for digest in listed:
                _link_into_context(store, digest, folder)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _link_into_context(store: Store, digest: str, folder: Path) -> None:
    source = store.path(digest)
    target = folder / "sha256" / digest[:2] / digest[2:]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target)
        except PermissionError:
            shutil.copyfile(source, target)  # some systems forbid links to files of other owners
            target.chmod(0o444)
    except FileNotFoundError as cause:
        hint = "run `python -m builder fetch`"
        raise FetchError("is not in the store", place=f"sha256:{digest}", hint=hint) from cause
    except OSError as cause:
        raise UsageError(f"cannot be made: {cause.strerror or cause}", place=str(target)) from cause


_LINES = 20
_LONGEST = 100

Signs = Sequence[tuple[str, str]]
"""What a message holds, and what to do then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest:
    """What is to be built, and how."""

    dockerfile: str
    policy: str
    """The source policy; BuildKit alone has one."""
    context: Path
    """A folder of the store's layout; see `build_context`."""
    platforms: tuple[str, ...]
    target: str
    source_date_epoch: int
    output: Path | None = None
    """The image's file; without one the build's result stays with the engine."""
    cache: bool = True
    again: tuple[str, ...] = ()
    """Stages that are made without cache, where the others may come from it."""
    hostname: str = ""
    """What steps see as the machine's name."""
    cgroup_parent: str = ""
    """A control group of the engine's machine, to limit what steps may use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a build did: its steps in the order in which the engine named them, and how long it took."""

    seconds: float
    steps: tuple[BuildStep, ...]


@contextmanager
def arriving(output: Path, forbidden: str) -> Iterator[Path]:
    """Give a name beside `output` for a file that becomes it when the block ends without an error.

    UsageError for a name with one of the `forbidden` characters, or where no folder can be made.
    """
    found = sorted(set(forbidden) & set(str(output.absolute())))
    if found:
        raise UsageError(f"the engine takes no {found[0]} in the name of a file", place=str(output))
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as cause:
        raise UsageError(f"cannot be made: {cause.strerror or cause}", place=str(output.parent)) from cause
    half = output.absolute().with_name(f".{output.name}.{os.getpid()}.tmp")
    try:
        yield half
        half.replace(output)
    finally:
        half.unlink(missing_ok=True)


def step_failure(dockerfile: str, step: BuildStep, ending: str, lines: Sequence[str], hint: str) -> ToolError:
    """Say which step of which stage failed, of which rows of the lock it is made, and what it said last."""
    node = read_graph(dockerfile).get(step.stage)
    of = f"\n  of {node.note}" if node and node.note else ""
    doing = step.what.replace("\n", " ")
    doing = doing if len(doing) <= _LONGEST else f"{doing[:_LONGEST]}…"
    cause = f"step {step.number} of {step.total} failed: {ending}{of}\n  {doing}"
    return ToolError(with_lines(cause, lines), place=f"stage {step.stage}", hint=hint)


def with_lines(cause: str, lines: Sequence[str]) -> str:
    """Return a cause with the last lines that were written, without passwords."""
    shown = "".join(f"\n  | {redacted(line)}" for line in lines[-_LINES:])
    return f"{cause}{shown}"


def hint_for(texts: Iterable[str], signs: Signs) -> str:
    """Return what to do, by the first sign that one of `texts` holds."""
    for text in texts:
        for sign, hint in signs:
            if sign in text:
                return hint
    return ""
