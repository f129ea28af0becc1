"""A project's folder, opened as a command opens it."""

from __future__ import annotations

import io
from pathlib import Path

from builder.console import Console
from builder.project import Project, open_project


def opened(folder: Path) -> Project:
    """Return the project at `folder`, which talks to nobody."""
    console = Console(io.StringIO(), io.StringIO(), quiet=True)
    return open_project(
        project=str(folder), store=str(folder / "store"), origins=(), mirrors=(), console=console
    )
