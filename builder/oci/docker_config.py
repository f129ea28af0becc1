"""Passwords of container registries, as docker keeps them; none is ever shown."""

from __future__ import annotations

__all__ = ["docker_authorisation"]

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path

from builder.io import conceal

_DOCKER_HUB = {"registry-1.docker.io": "https://index.docker.io/v1/"}


def docker_authorisation(host: str, *, environ: Mapping[str, str] | None = None) -> str | None:
    """Return the Authorization header for the registry at `host` (with its port), or None.

    In order: `DOCKER_AUTH_CONFIG` (the text of a docker configuration), and
    `config.json` in `DOCKER_CONFIG` or `~/.docker`. What cannot be read is
    passed over: the registry says what is missing.
    """
    source = os.environ if environ is None else environ
    folder = source.get("DOCKER_CONFIG")
    file = (Path(folder) if folder else Path.home() / ".docker") / "config.json"
    for text in (source.get("DOCKER_AUTH_CONFIG", ""), _read_config(file)):
        found = _from_docker(text, host)
        if found is not None:
            return found
    return None


def _read_config(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _from_docker(text: str, host: str) -> str | None:
    try:
        rows = json.loads(text)["auths"]
        row = next(rows[name] for name in (host, f"https://{host}", _DOCKER_HUB.get(host)) if name in rows)
        secret = str(row["auth"])
        user, colon, password = base64.b64decode(secret, validate=True).decode("utf-8").partition(":")
    except (ValueError, KeyError, TypeError, StopIteration):
        return None
    if not user or not colon:
        return None
    conceal(secret, password)
    return f"Basic {secret}"
