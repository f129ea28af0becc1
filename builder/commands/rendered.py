"""A rendered Dockerfile that is there already, and the locks that it was rendered from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from builder.errors import UsageError
from builder.io import read_text
from builder.lockfile import Lock, downloaded_rows
from builder.locks import read_lock
from builder.model import Sha256
from builder.project import Project
from builder.render import Addresses, Dockerfile, Form, Inputs, plan

__all__ = ["Rendering", "read_rendered"]

_LOCK = re.compile(r"#   lock/([^ ]+) sha256:([0-9a-f]{64})")
_FROM_STORE = "# Every input comes from the store."
_ANYWHERE = "https://place.invalid/file"
_HINT = "render it again: python -m builder render"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """A Dockerfile's text, and the same as a value, but for the places of its inputs."""

    text: tuple[str, ...]
    dockerfile: Dockerfile
    locks: tuple[Lock, ...]


def read_rendered(project: Project, path: Path) -> Rendering:
    """Read the Dockerfile at `path` and the project's locks that its header names.

    UsageError where it is not rendered from the locks as they are now.
    """
    lines = tuple(read_text(path).splitlines())
    header = lines[: lines.index("") if "" in lines else len(lines)]
    named = [match for line in header if (match := _LOCK.fullmatch(line))]
    if not named:
        raise UsageError("its header names no lock", place=str(path), hint=_HINT)
    locks = [_lock(project, match[1], match[2], path) for match in named]
    inputs = Inputs.STORE if _FROM_STORE in header else Inputs.REMOTE
    # Where inputs are does not move a line, so that no address must be known, or asked for, here.
    rows = [row for lock, _ in locks for row in downloaded_rows(lock)]
    addresses = Addresses(files=dict.fromkeys(rows, _ANYWHERE))
    dockerfile = plan(locks, Form(inputs=inputs, addresses=addresses))
    if len(dockerfile.text().splitlines()) != len(lines):
        raise UsageError("it was changed, or another version rendered it", place=str(path), hint=_HINT)
    return Rendering(text=lines, dockerfile=dockerfile, locks=tuple(lock for lock, _ in locks))


def _lock(project: Project, name: str, digest: str, path: Path) -> tuple[Lock, bytes]:
    place = project.locks / name
    if ".." in name.split("/") or not place.is_file():
        raise UsageError(f"it was rendered from lock/{name}, which is not here", place=str(path), hint=_HINT)
    lock, data = read_lock(project, place)
    if Sha256.of(data) != digest:
        raise UsageError(f"lock/{name} changed since it was rendered", place=str(path), hint=_HINT)
    return lock, data
