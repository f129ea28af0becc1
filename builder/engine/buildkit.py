"""One build by BuildKit: a Dockerfile, the store as build context, an image in OCI layout."""

from __future__ import annotations

__all__ = ["Built", "Request", "build"]

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from builder.engine.docker import Engine
from builder.engine.events import Events, Step
from builder.engine.graph import read_graph
from builder.errors import ToolError, UsageError
from builder.io.redact import redacted
from builder.io.stream import stream

_LINES = 20
_HINTS = (
    ("denied by policy", "A source that is not in the lock was asked for: render again, and change nothing"),
    (
        "exec format error",
        "The engine cannot run this architecture: name another --arch, or set up emulation",
    ),
    ("no space left", "Free space where the engine keeps its data: docker builder prune"),
    ("digest mismatch", "A place serves other bytes than are locked: `fetch`, then --inputs store"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be built, and how."""

    dockerfile: str
    policy: str
    """The source policy."""
    context: Path
    """A folder of the store's layout; see `build_context`."""
    platforms: tuple[str, ...]
    target: str
    source_date_epoch: int
    output: Path | None = None
    """The image's file; without one the build's result stays with the engine."""
    cache: bool = True
    anew: tuple[str, ...] = ()
    """Stages that are made without cache, where the others may come from it."""
    hostname: str = ""
    """What steps see as the machine's name."""
    cgroup_parent: str = ""
    """A control group of the engine's machine, to limit what steps may use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a build did: its steps in the order in which BuildKit named them, and how long it took."""

    seconds: float
    steps: tuple[Step, ...]


def build(engine: Engine, request: Request, heard: Callable[[Step], None] | None = None) -> Built:
    """Build, and leave the image in `request.output`, which is replaced as a whole or not at all.

    ToolError names the stage that failed, its rows of the lock, and its last lines.
    """
    events = Events(heard)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lockwright-") as name:
        folder = Path(name)
        (folder / "Dockerfile").write_text(request.dockerfile, "utf-8")
        (folder / "source-policy.json").write_text(request.policy, "utf-8")
        env = {
            **engine.environment,
            "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY": str(folder / "source-policy.json"),
            "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
        }
        arriving = _arriving(request.output)
        try:
            code = stream(_argv(engine, request, folder, arriving), env=env, heard=events.feed, cwd=folder)
            events.close()
            if code != 0:
                raise _failure(events, request, code)
            if arriving is not None and request.output is not None:
                arriving.replace(request.output)
        finally:
            if arriving is not None:
                arriving.unlink(missing_ok=True)
    return Built(seconds=round(time.monotonic() - began, 1), steps=tuple(events.steps.values()))


def _arriving(output: Path | None) -> Path | None:
    if output is None:
        return None
    if "," in str(output) or '"' in str(output):
        raise UsageError("buildx takes no comma and no quote in the name of a file", place=str(output))
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as cause:
        raise UsageError(f"cannot be made: {cause.strerror or cause}", place=str(output.parent)) from cause
    return output.absolute().with_name(f".{output.name}.{os.getpid()}.tmp")


def _argv(engine: Engine, request: Request, folder: Path, arriving: Path | None) -> tuple[str, ...]:
    output = f"type=oci,dest={arriving},rewrite-timestamp=true" if arriving else "type=cacheonly"
    arguments = {"SOURCE_DATE_EPOCH": str(request.source_date_epoch)}
    if request.hostname:
        arguments["BUILDKIT_SANDBOX_HOSTNAME"] = request.hostname
    context = str(request.context.absolute())
    return (
        *engine.argv,
        "build",
        *engine.arguments(),
        "--progress=rawjson",
        "--provenance=false",
        "--sbom=false",
        f"--file={folder / 'Dockerfile'}",
        f"--build-context=store={context}",
        f"--target={request.target}",
        f"--platform={','.join(request.platforms)}",
        f"--output={output}",
        *(f"--build-arg={name}={value}" for name, value in sorted(arguments.items())),
        *([] if request.cache else ["--no-cache"]),
        *([f"--no-cache-filter={','.join(request.anew)}"] if request.anew else []),
        *([f"--cgroup-parent={request.cgroup_parent}"] if request.cgroup_parent else []),
        context,
    )


def _failure(events: Events, request: Request, code: int) -> ToolError:
    """Say which stage failed, of which rows of the lock it is made, and what it said last."""
    step = events.failed()
    if step is None or not step.stage:
        said = [line for line in events.other if line.strip()][-_LINES:]
        cause = step.error if step else f"docker buildx build ended with exit code {code}"
        return ToolError(_with_lines(cause, said), place="BuildKit", hint=_hint([cause, *said]))
    node = read_graph(request.dockerfile).get(step.stage)
    of = f"\n  of {node.note}" if node and node.note else ""
    lines = list(events.lines(step))[-_LINES:]
    doing = step.what.replace("\n", " ")
    doing = doing if len(doing) <= 100 else f"{doing[:100]}…"
    ending = step.error.rpartition("did not complete successfully: ")[2]
    cause = f"step {step.number} of {step.total} failed: {ending}{of}\n  {doing}"
    return ToolError(
        _with_lines(cause, lines),
        place=f"stage {step.stage}",
        hint=_hint([step.error, *lines, *events.other]),
    )


def _with_lines(cause: str, lines: list[str]) -> str:
    shown = "".join(f"\n  | {redacted(line)}" for line in lines)
    return f"{cause}{shown}"


def _hint(texts: list[str]) -> str:
    for text in texts:
        for sign, hint in _HINTS:
            if sign in text:
                return hint
    return ""
