"""Where an RPM repository is below its origin, and its pinned metadata below the recipes. Pure."""

from __future__ import annotations

from builder.model import Arch, Table
from builder.recipe import PlaceholderValues, RepositoryRecipe, fill_placeholders
from builder.resolve.os import pinned_moment, snapshot_stamp

__all__ = ["index_folder", "repository_path"]


def repository_path(recipe: RepositoryRecipe, arch: Arch) -> str:
    """Return the folder of a repository below its origin (RecipeError for an unknown placeholder)."""
    values = PlaceholderValues(words=Table((f"arch:{name}", token) for name, token in arch.tokens()))
    return fill_placeholders(recipe.path, values, place=f"repository {recipe.suite}: path").strip("/")


def index_folder(recipe: RepositoryRecipe, arch: Arch) -> str:
    """Return the folder below recipes/indexes that keeps the pinned metadata of a repository."""
    stamp = snapshot_stamp(pinned_moment(recipe))
    return f"{recipe.origin}-{recipe.suite}-{arch.rpm}-{stamp}"
