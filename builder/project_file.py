"""The file `lockwright.toml` at the root of a project, strictly read. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from builder.errors import UsageError
from builder.model import StructureError, structure, toml

__all__ = ["PROJECT_FILE", "BundleSettings", "ProjectSettings", "read_project_file"]

PROJECT_FILE = "lockwright.toml"
"""Its name: it makes a folder a project, and says whether the package's catalogue stands behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleSettings:
    """Whose bundles a project takes in."""

    keys: str = ""
    """The keys file of owners, below the project; without one, any whole bundle is taken in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSettings:
    """What a project says of itself."""

    catalogue: bool = True
    """Whether names that its recipes do not define come from the package's catalogue."""
    bundle: BundleSettings = BundleSettings()
    cooldown: str = ""
    """How old a version must be before `upgrade` takes it, such as `7 days`; empty takes the usual days."""
    cooldowns: Mapping[str, str] = field(default_factory=dict)
    """By distribution or component: a longer one."""


def read_project_file(data: bytes, *, place: str) -> ProjectSettings:
    """Read the file's bytes; UsageError names file and key path."""
    table = toml.loads(data, place=place, error=UsageError)
    try:
        return structure(table, ProjectSettings)
    except StructureError as error:
        where = f"{place}: {error.path}" if error.path else place
        raise UsageError(error.cause, place=where, hint=error.hint) from None
