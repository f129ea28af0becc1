"""One build by BuildKit: a Dockerfile, the store as build context, an image in OCI layout."""

from __future__ import annotations

__all__ = ["build"]

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from builder.build.docker import Engine
from builder.build.events import BuildStep, Events
from builder.build.request import BuildRequest, Built, arriving, hint_for, step_failure, with_lines
from builder.errors import ToolError
from builder.io import stream

_HINTS = (
    (
        "denied by policy",
        "render again and change nothing: the build asked for a source that is not in the lock",
    ),
    (
        "exec format error",
        "name another --arch, or set up emulation: the engine cannot run this architecture",
    ),
    (
        "DeadlineExceeded",
        "build again while the engine builds nothing else: it was too busy to finish in time",
    ),
    ("no space left", "free space where the engine keeps its data: docker builder prune"),
    (
        "digest mismatch",
        "run `fetch`, then build with --inputs store: a place serves other bytes than the locked ones",
    ),
)


def build(engine: Engine, request: BuildRequest, heard: Callable[[BuildStep], None] | None = None) -> Built:
    """Build, and leave the image in `request.output`, which is replaced as a whole or not at all.

    ToolError names the stage that failed, its rows of the lock, and its last lines.
    """
    events = Events(heard)
    began = time.monotonic()
    if request.output is None:
        _run_build(engine, request, None, events)
    else:
        with arriving(request.output, ',"') as half:
            _run_build(engine, request, half, events)
    return Built(seconds=round(time.monotonic() - began, 1), steps=tuple(events.steps.values()))


def _run_build(engine: Engine, request: BuildRequest, output: Path | None, events: Events) -> None:
    with tempfile.TemporaryDirectory(prefix="lockwright-") as name:
        folder = Path(name)
        (folder / "Dockerfile").write_text(request.dockerfile, "utf-8")
        (folder / "source-policy.json").write_text(request.policy, "utf-8")
        env = {
            **engine.environment,
            "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY": str(folder / "source-policy.json"),
            "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
        }
        code = stream(
            _buildx_arguments(engine, request, folder, output), env=env, heard=events.feed, cwd=folder
        )
    events.close()
    if code != 0:
        raise _build_failure(events, request, code)


def _buildx_arguments(
    engine: Engine, request: BuildRequest, folder: Path, image: Path | None
) -> tuple[str, ...]:
    output = f"type=oci,dest={image},rewrite-timestamp=true" if image else "type=cacheonly"
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
        *([f"--no-cache-filter={','.join(request.again)}"] if request.again else []),
        *([f"--cgroup-parent={request.cgroup_parent}"] if request.cgroup_parent else []),
        context,
    )


def _build_failure(events: Events, request: BuildRequest, code: int) -> ToolError:
    step = events.failed()
    if step is None or not step.stage:
        said = [line for line in events.other if line.strip()]
        cause = step.error if step else f"docker buildx build ended with exit code {code}"
        return ToolError(with_lines(cause, said), place="BuildKit", hint=hint_for([cause, *said], _HINTS))
    lines = events.lines(step)
    ending = step.error.rpartition("did not complete successfully: ")[2]
    hint = hint_for([step.error, *lines, *events.other], _HINTS)
    return step_failure(request.dockerfile, step, ending, lines, hint)
