"""The configuration for Renovate finds the pins of our recipes: its expressions, tried as it applies them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from builder.errors import UsageError
from builder.model import toml

ROOT = Path(__file__).resolve().parent.parent
MANAGERS = json.loads((ROOT / "docs/github/renovate.json").read_text("utf-8"))["customManagers"]


def expressions(number: int) -> list[re.Pattern[str]]:
    return [re.compile(text.replace("(?<", "(?P<")) for text in MANAGERS[number]["matchStrings"]]


def files_of(number: int) -> list[Path]:
    (pattern,) = MANAGERS[number]["managerFilePatterns"]
    wanted = re.compile(pattern.strip("/"))
    paths = [
        path for path in ROOT.glob("recipes/*/*.toml") if wanted.search(path.relative_to(ROOT).as_posix())
    ]
    assert paths
    return paths


def plain(path: Path) -> dict[str, Any]:
    return toml.loads(path.read_bytes(), place=path.name, error=UsageError)


@pytest.mark.parametrize("path", files_of(0), ids=lambda path: path.stem)
def test_every_python_pin_of_a_release_and_nothing_else(path: Path) -> None:
    section, row = expressions(0)
    found = [
        (match["depName"], match["currentValue"])
        for part in section.finditer(path.read_text("utf-8"))
        for match in row.finditer(part[0])
    ]
    stated = [pair for group in plain(path)["python"].values() for pair in group.items()]
    assert sorted(found) == sorted(stated)


@pytest.mark.parametrize("path", files_of(1), ids=lambda path: path.stem)
def test_every_tag_of_a_component_on_github(path: Path) -> None:
    (expression,) = expressions(1)
    found = [match["currentDigest"] for match in expression.finditer(path.read_text("utf-8"))]
    gits = [row["git"] for row in plain(path)["versions"].values() if "git" in row]
    assert found == [git["commit"] for git in gits if "tag" in git and "//github.com/" in git["url"]]


@pytest.mark.parametrize("path", files_of(2), ids=lambda path: path.stem)
def test_every_image_whose_index_is_pinned(path: Path) -> None:
    (expression,) = expressions(2)
    found = [
        (match["depName"], match["currentDigest"]) for match in expression.finditer(path.read_text("utf-8"))
    ]
    images = [row for rows in plain(path).get("images", {}).values() for row in rows]
    assert found == [(row["name"], row["index-digest"]) for row in images if "index-digest" in row]
