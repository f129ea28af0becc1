"""BuildKit through docker's buildx plug-in: where it is, what it can build, and one build by it.

A build takes a Dockerfile and the store as build context, and makes an image in OCI layout.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from builder.build.events import BuildStep, Events
from builder.build.request import BuildRequest, Built, arriving, hint_for, step_failure, with_lines
from builder.errors import ToolError
from builder.io import clean_environment, run, stream
from builder.json_text import parse_json

__all__ = ["Engine", "build", "find_engine"]


_OLDEST = (0, 13)
_PASSED_ON = (
    "BUILDX_BUILDER",
    "BUILDX_CONFIG",
    "DOCKER_CERT_PATH",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_HOST",
    "DOCKER_TLS_VERIFY",
    "HOME",
    "KUBECONFIG",
    "SSH_AUTH_SOCK",
    "XDG_RUNTIME_DIR",
)
_TIMEOUT = 120.0  # seconds; a builder may have to be started first
_INSTALL = "install docker with buildx 0.13 or newer, or bring up the lab: scripts/lab up"
_ROW = re.compile(r"(?m)^(?P<key>[A-Za-z ]+): *(?P<value>.*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One BuildKit, reached through buildx."""

    argv: tuple[str, ...]
    """How to call buildx."""
    environment: Mapping[str, str]
    builder: str
    driver: str
    buildx: str
    """Its version."""
    buildkit: str
    """The version of BuildKit, or of the docker that it is part of."""
    platforms: tuple[str, ...]
    processors: int | None = None
    """Of its machine, where it says so."""

    def describe(self) -> dict[str, str]:
        """Return what a digest has to be read with."""
        return {"buildkit": self.buildkit, "buildx": self.buildx, "driver": self.driver}

    @property
    def otherwise(self) -> str:
        """What to do for a platform that it does not have."""
        return "set up emulation (qemu-user-static), or name a builder that has it: --builder NAME"

    def arguments(self) -> tuple[str, ...]:
        """Return buildx's arguments that choose this builder."""
        return ("--builder", self.builder) if self.builder else ()


def find_engine(builder: str = "", *, environ: Mapping[str, str] | None = None) -> Engine:
    """Return the BuildKit that docker's configuration, or the name of a builder, chooses.

    ToolError where docker or buildx is missing, too old, or does not answer.
    """
    source = os.environ if environ is None else environ
    passed = {name: source[name] for name in _PASSED_ON if source.get(name)}
    env = clean_environment(passed, base=source)
    buildx = _buildx_version(env)
    chosen = ("--builder", builder) if builder else ()
    rows = _inspect_builder(("docker", "buildx", *chosen, "inspect", "--bootstrap"), env)
    server = _server_info(env) if rows.get("Driver") == "docker" else {}
    version = str(server.get("ServerVersion", ""))
    platforms = tuple(word.strip(" *") for word in rows.get("Platforms", "").split(","))
    processors = server.get("NCPU")
    return Engine(
        argv=("docker", "buildx"),
        environment=env,
        builder=builder,
        driver=rows.get("Driver", "unknown"),
        buildx=buildx,
        buildkit=f"docker {version}" if version else rows.get("BuildKit version", "unknown"),
        platforms=tuple(name for name in platforms if name),
        processors=processors if isinstance(processors, int) else None,
    )


def _buildx_version(env: Mapping[str, str]) -> str:
    try:
        text = run(("docker", "buildx", "version"), env=env, timeout=_TIMEOUT).output
    except ToolError as cause:
        raise ToolError(cause.cause, place=cause.place, hint=_INSTALL) from None
    found = re.search(r"\bv?((\d+)\.(\d+)[0-9A-Za-z.+~-]*)", text)
    if found is None:
        raise ToolError(f"prints no version: {text.strip()[:80]!r}", place="docker buildx", hint=_INSTALL)
    if (int(found[2]), int(found[3])) < _OLDEST:
        raise ToolError(f"{found[1]} is too old", place="docker buildx", hint=_INSTALL)
    return found[1]


def _inspect_builder(argv: tuple[str, ...], env: Mapping[str, str]) -> dict[str, str]:
    try:
        text = run(argv, env=env, timeout=_TIMEOUT).output
    except ToolError as cause:
        hint = "start docker, or name its socket in DOCKER_HOST; scripts/lab brings one up"
        raise ToolError(cause.cause, place=cause.place, hint=hint) from None
    rows: dict[str, str] = {}
    for match in _ROW.finditer(text):
        rows.setdefault(match["key"], match["value"].strip())
    if "Error" in rows:
        hint = "start docker, or name its socket in DOCKER_HOST; scripts/lab brings one up"
        raise ToolError(rows["Error"], place="docker buildx inspect", hint=hint)
    return rows


def _server_info(env: Mapping[str, str]) -> dict[str, object]:
    try:
        text = run(("docker", "info", "--format", "{{json .}}"), env=env, timeout=_TIMEOUT).output
        found = parse_json(text)
    except (ToolError, ValueError):
        return {}  # a remote builder need not have a docker
    return found if isinstance(found, dict) else {}


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
