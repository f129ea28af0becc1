"""docker and its buildx plug-in: where they are, which builder they use, and what it can build."""

from __future__ import annotations

__all__ = ["Engine", "find_engine"]

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from builder.errors import ToolError
from builder.io import clean_environment, run

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
        found = json.loads(text)
    except (ToolError, ValueError):
        return {}  # a remote builder need not have a docker
    return found if isinstance(found, dict) else {}
