"""buildah: where it is, which version, what it runs steps with, and what it can build."""

from __future__ import annotations

__all__ = ["Buildah", "find_buildah"]

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from builder.errors import ToolError
from builder.io import clean_environment, run

_OLDEST = (1, 39)  # the oldest that was tried and can; 1.28 refuses here-documents
_PASSED_ON = ("CONTAINERS_STORAGE_CONF", "HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")
# containers.conf may give every step variables, mounts and more.
_FIXED = {"CONTAINERS_CONF": "/dev/null"}
_TIMEOUT = 120.0  # seconds
_INSTALL = "install buildah 1.39 or newer, with netavark, or bring up the lab: scripts/lab up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Buildah:
    """One buildah, with the place where it keeps images. There is no daemon."""

    environment: Mapping[str, str]
    version: str
    runtime: str
    """The program that runs steps, such as runc."""
    storage: str
    """The driver that keeps files, such as overlay."""
    platforms: tuple[str, ...]
    processors: int | None = None

    def describe(self) -> dict[str, str]:
        """Return what a digest has to be read with."""
        return {"buildah": self.version, "runtime": self.runtime, "storage": self.storage}

    @property
    def otherwise(self) -> str:
        """What to do for a platform that it does not have."""
        return "build on a machine of that architecture, or by emulation with --engine buildkit"


def find_buildah(*, environ: Mapping[str, str] | None = None) -> Buildah:
    """Return the buildah of PATH; neither its variables nor its configuration change an image.

    ToolError where it is missing, too old, or cannot work here.
    """
    source = os.environ if environ is None else environ
    passed = {name: source[name] for name in _PASSED_ON if source.get(name)}
    env = clean_environment({**passed, **_FIXED}, base=source)
    version = _buildah_version(env)
    info = _buildah_info(env)
    host, store = info.get("host", {}), info.get("store", {})
    processors = host.get("cpus")
    return Buildah(
        environment=env,
        version=version,
        runtime=os.path.basename(host.get("OCIRuntime", "unknown")),  # noqa: PTH119 - a string, not a path
        storage=store.get("GraphDriverName", "unknown"),
        platforms=(f"{host.get('os', 'linux')}/{host.get('arch', 'unknown')}",),
        processors=processors if isinstance(processors, int) else None,
    )


def _buildah_version(env: Mapping[str, str]) -> str:
    try:
        text = run(("buildah", "--version"), env=env, timeout=_TIMEOUT).output
    except ToolError as cause:
        raise ToolError(cause.cause, place=cause.place, hint=_INSTALL) from None
    found = re.search(r"\bversion ((\d+)\.(\d+)[0-9A-Za-z.+~-]*)", text)
    if found is None:
        raise ToolError(f"prints no version: {text.strip()[:80]!r}", place="buildah --version", hint=_INSTALL)
    if (int(found[2]), int(found[3])) < _OLDEST:
        raise ToolError(f"{found[1]} is too old", place="buildah", hint=_INSTALL)
    return found[1]


def _buildah_info(env: Mapping[str, str]) -> dict[str, Any]:
    text = run(("buildah", "info"), env=env, timeout=_TIMEOUT).output
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ToolError(f"is not a JSON object: {text.strip()[:80]!r}", place="buildah info")
    return found
