from __future__ import annotations

from typing import Any

import pytest

from builder.errors import RecipeError
from builder.recipe.framework import PythonIndex
from builder.resolve.python.checks import checked_request


@pytest.mark.parametrize(
    "indexes",
    [
        (PythonIndex(name="pypi", url="https://i.invalid", packages=("a",)),),
        (PythonIndex(name="x", url="https://i.invalid", packages=("a",)),) * 2,
        (
            PythonIndex(name="x", url="https://i.invalid", packages=("My.App",)),
            PythonIndex(name="y", url="https://j.invalid", packages=("my_app",)),
        ),
    ],
    ids=["reserved", "twice", "claimed"],
)
def test_indexes_must_be_distinct(request_of: Any, indexes: tuple[PythonIndex, ...]) -> None:
    with pytest.raises(RecipeError):
        checked_request(request_of("a==1", indexes=indexes))
