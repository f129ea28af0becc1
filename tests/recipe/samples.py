"""The recipes of this project and of the small one of `tests/faults`, made effective for a target."""

from __future__ import annotations

from pathlib import Path

from builder.model.target import Arch, Target
from builder.recipe.effective import EffectiveRecipe, effective_recipe
from builder.recipe.library import Library

ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "tests/faults/project"


def folder_files(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder by path, as `read_library` takes them."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def effective_of(
    library: Library, platform: str, framework: str = "dynamo", arch: Arch = Arch.X86_64
) -> EffectiveRecipe:
    """Return the effective recipe of a target of release 1.4.2."""
    return effective_recipe(
        library, Target(release="1.4.2", platform=platform, framework=framework, arch=arch)
    )
