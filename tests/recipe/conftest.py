from __future__ import annotations

import pytest

from builder.recipe.library import Library
from builder.recipe.reading import read_library
from tests.recipe.samples import ROOT, folder_files


@pytest.fixture(scope="session")
def library() -> Library:
    """The recipes of this project."""
    return read_library(folder_files(ROOT / "recipes"))
