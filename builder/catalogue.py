"""Where the package keeps its catalogue of recipes: inside the wheel, or beside the package in a checkout."""

from __future__ import annotations

from pathlib import Path

import builder

__all__ = ["catalogue_folder"]

_INSIDE = "catalogue"
"""The folder that `recipes/` becomes in the wheel; pyproject.toml names it too."""


def catalogue_folder() -> Path:
    """Return the folder of the package's own recipes: read only, never the current project's."""
    package = Path(builder.__file__).resolve().parent
    inside = package / _INSIDE
    return inside if inside.is_dir() else package.parent / "recipes"
