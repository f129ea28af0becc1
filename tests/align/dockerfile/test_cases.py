"""The cases of tests/cases that are Dockerfiles or requirements, each with its README and what `align` says.

`pytest --update-golden` writes what is said anew; read the difference beside the README.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from builder.commands import align
from builder.console import Console
from builder.options import ResultFormat
from builder.project import open_project
from tests.local_index import Indexes, LocalIndex, make_wheel

ROOT = Path(__file__).resolve().parents[3]
CASES = ROOT / "tests/cases"
FILES = {"Dockerfile": "dockerfiles", "requirements.txt": "requirements"}

pytestmark = pytest.mark.usefixtures("no_forge")


@pytest.fixture(scope="module")
def small_index() -> Iterator[LocalIndex]:
    """An index of the few projects that the cases name."""
    with HTTPServer() as server:
        found = Indexes(server)("small", metadata_files=True)
        for name, versions in json.loads(
            (Path(__file__).parent / "cases_index.json").read_text("utf-8")
        ).items():
            for version in versions:
                file = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
                found.add(name, file, make_wheel(name, version), "2026-01-01T00:00:00Z", ">=3.9")
        yield found


def judged_rows(index: LocalIndex, folder: Path, path: Path) -> list[dict[str, Any]]:
    """Return the rows of `align` for a file."""
    out = io.StringIO()
    project = open_project(
        project=str(ROOT), store=str(folder / "store"), origins=(), mirrors=(), console=Console(out)
    )
    files: dict[str, Any] = {FILES[path.name]: (path,)}
    align.check_files(project, align.FileOptions(index_url=index.url, format=ResultFormat.JSON, **files))
    rows: list[dict[str, Any]] = json.loads(out.getvalue())["rows"]
    return rows


@pytest.mark.parametrize(
    "path",
    sorted(path for path in CASES.glob("*/*") if path.name in FILES),
    ids=lambda path: path.parent.name,
)
def test_a_case_is_judged_as_its_readme_says(
    small_index: LocalIndex, tmp_path: Path, path: Path, update_golden: bool
) -> None:
    rows = judged_rows(small_index, tmp_path, path)
    said = "".join(
        f"{row['line']} {row['status']} | {row['found']} | {row['kind']} | {row['name']} {row['value']}\n"
        for row in rows
    )
    golden = path.parent / "expect.txt"
    if update_golden:
        golden.write_text(said, "utf-8")
    assert said == golden.read_text("utf-8")
