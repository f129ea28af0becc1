"""What a bare command means was built: lock/builds.toml has a digest for it, and docs/building.md says how."""

from __future__ import annotations

from typing import Any

import pytest

from builder.errors import LockError
from builder.model import Arch, ImageDigest, Target, release_order, toml
from builder.recipe.library import Library
from builder.recipe.reading import read_library
from tests.recipe.samples import ROOT, folder_files

FILE = ROOT / "lock/builds.toml"
PAGE = (ROOT / "docs/building.md").read_text("utf-8")


def records() -> list[dict[str, Any]]:
    document = toml.loads(FILE.read_bytes(), place=FILE.name, error=LockError)
    assert document["format"] == 1
    rows: list[dict[str, Any]] = document["built"]
    return rows


def target_of(row: dict[str, Any]) -> Target:
    return Target(
        release=row["release"], platform=row["platform"], framework=row["framework"], arch=Arch(row["arch"])
    )


@pytest.fixture(scope="module")
def library() -> Library:
    return read_library(folder_files(ROOT / "recipes"))


def default_problems(library: Library, rows: list[dict[str, Any]]) -> list[str]:
    """Return why bare commands mean something that was not built; a framework without any record is left out."""
    built = [target_of(row) for row in rows]
    if not built:
        return ["nothing was built"]
    newest = max((target.release for target in built), key=release_order)
    release = library.default_release
    found = [] if release.version == newest else [f"the default is {release.version}, and {newest} was built"]
    for framework in sorted({target.framework for target in built if target.release == release.version}):
        first = next(row.platforms[0] for row in release.targets if row.framework == framework)
        if first not in {target.platform for target in built if target.framework == framework}:
            found.append(f"{framework} was not built on {first}, which the release lists first")
    return found


def test_each_record_is_of_a_locked_target_and_told_on_the_page() -> None:
    rows = records()
    for row in rows:
        assert (ROOT / "lock" / target_of(row).path).is_file()
        assert ImageDigest(row["digest"]) == row["digest"]
        assert row["digest"] in PAGE
        assert row["times"] >= 1
    targets = [target_of(row) for row in rows]
    assert targets == sorted(set(targets))


def test_the_default_release_and_its_platforms_were_built(library: Library) -> None:
    assert default_problems(library, records()) == []
    assert {target_of(row).framework for row in records()} >= {"vllm", "dynamo"}


def test_a_default_without_a_record_is_noticed(library: Library) -> None:
    rows = records()
    assert default_problems(library, []) == ["nothing was built"]
    other = [
        row
        for row in rows
        if (row["framework"], row["platform"]) != ("vllm", "debian-13-assembled-cuda-13.0")
    ]
    other.append({**rows[-1], "platform": "debian-13-cuda-13.0-python-3.12"})
    assert default_problems(library, other) == [
        "vllm was not built on debian-13-assembled-cuda-13.0, which the release lists first"
    ]
    newer = [*rows, {**rows[-1], "release": "1.6.0"}]
    assert default_problems(library, newer)[0] == "the default is 1.4.2, and 1.6.0 was built"
