from __future__ import annotations

from typing import Any

import pytest

from builder.errors import NoSolutionError, RecipeError
from builder.lockfile.lock import PythonPackage
from builder.model.digest import Evidence, Sha256
from builder.recipe.framework import PythonIndex
from builder.recipe.merged_rows import merge_rows
from builder.resolve.python.request_checks import checked_request
from builder.resolve.python.rows import split_file_url

FOLDER = "ab/cd/" + "0123456789" * 6


def row(
    name: str, version: str = "1", *, environment: str = "runtime", digest: str = "aa", **more: Any
) -> PythonPackage:
    return PythonPackage(
        name=name,
        version=version,
        for_=(environment,),
        evidence=Evidence.INDEX,
        file=f"{name}-{version}-py3-none-any.whl",
        sha256=Sha256(digest * 32),
        origin=more.pop("origin", "pypi"),
        **more,
    )


def test_equal_bytes_become_one_row() -> None:
    merged = merge_rows(
        [
            row("b", via=("recipe",)),
            row("a"),
            row("b", environment="ucx", via=("x",), extras=("e",)),
            row("b", "2", environment="ucx"),
        ]
    )
    assert [(item.name, item.version, item.for_) for item in merged] == [
        ("a", "1", ("runtime",)),
        ("b", "1", ("runtime", "ucx")),
        ("b", "2", ("ucx",)),
    ]
    assert merged[1].via == ("recipe", "x")
    assert merged[1].extras == ("e",)


def test_two_files_of_one_name_are_refused() -> None:
    rows = [row("a"), row("a", environment="ucx", digest="bb", origin="other")]
    with pytest.raises(NoSolutionError, match=r"a-1-py3-none-any.whl is two different files"):
        merge_rows(rows)


@pytest.mark.parametrize(
    ("url", "base", "path"),
    [
        (f"https://f.invalid/packages/{FOLDER}/a-1-py3-none-any.whl", "https://f.invalid/packages/", FOLDER),
        (f"https://m.invalid/x/y/{FOLDER}/a.whl#sha256=1", "https://m.invalid/x/y/", FOLDER),
        ("https://f.invalid/whl/cu128/a.whl", "https://f.invalid/whl/cu128/", ""),
        ("https://f.invalid/a.whl", "https://f.invalid/", ""),
    ],
)
def test_place_of_a_file(url: str, base: str, path: str) -> None:
    assert split_file_url(url) == (base, path)


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
