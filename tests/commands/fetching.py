"""`fetch` on a project that a test made, with the defaults of the command line."""

from __future__ import annotations

from typing import Any

from builder.commands import fetch
from builder.project import Project
from builder.render import Inputs
from builder.selection import Selection


def fetch_into(project: Project, selection: Selection, **more: Any) -> int:
    """Fetch what the selected locks name; `more` are fields of the verb's options."""
    usual: dict[str, Any] = {"selection": selection, "inputs": Inputs.STORE, "jobs": 16}
    return fetch.fetch_locked(project, fetch.Options(**{**usual, **more}))
