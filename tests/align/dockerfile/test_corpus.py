"""The corpus: Dockerfiles of this field's shapes, with what `align` says of every line.

`expect.txt` has at least one line for each instruction: its rows, or `read` where nothing of it moves or is open.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from builder.align.dockerfile import read_dockerfile
from builder.commands import align
from builder.console import Console
from builder.options import ResultFormat
from builder.project import open_project
from tests.align.conftest import fill_recorded
from tests.local_index import Indexes, LocalIndex, make_wheel

ROOT = Path(__file__).resolve().parents[3]
CORPUS = ROOT / "tests/align/corpus"
AT_LEAST = 40
pytestmark = pytest.mark.usefixtures("no_forge")


@pytest.fixture(scope="module")
def corpus_index() -> Iterator[LocalIndex]:
    """The recorded index, with the other projects that the corpus names."""
    with HTTPServer() as server:
        found = fill_recorded(Indexes(server)("corpus", metadata_files=True))
        for name, versions in json.loads((CORPUS / "index.json").read_text("utf-8")).items():
            for version in versions:
                file = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
                found.add(name, file, make_wheel(name, version), "2025-09-01T00:00:00Z", ">=3.9")
        yield found


def judgements(index: LocalIndex, folder: Path, path: Path) -> str:
    """Return a line for each row, and one for each instruction that has none."""
    out = io.StringIO()
    project = open_project(
        project=str(ROOT), store=str(folder / "store"), origins=(), mirrors=(), console=Console(out)
    )
    given: dict[str, Any] = {"index_url": index.url, "format": ResultFormat.JSON}
    align.check_files(project, align.FileOptions(dockerfiles=(path,), **given))
    rows = json.loads(out.getvalue())["rows"]
    found = [
        (row["line"], f"{row['status']} | {row['found']} | {row['kind']} | {row['name']} {row['value']}")
        for row in rows
    ]
    judged = {line for line, _ in found}
    found += [
        (item.line, f"read | {item.keyword}")
        for item in read_dockerfile(path.read_bytes(), place=path.name)
        if item.line not in judged
    ]
    return "".join(f"{line} {text.rstrip()}\n" for line, text in sorted(found, key=lambda pair: pair[0]))


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*/Dockerfile")), ids=lambda path: path.parent.name)
def test_every_line_is_judged(
    corpus_index: LocalIndex, tmp_path: Path, path: Path, update_golden: bool
) -> None:
    said = judgements(corpus_index, tmp_path, path)
    golden = path.parent / "expect.txt"
    if update_golden:
        golden.write_text(said, "utf-8")
    assert said == golden.read_text("utf-8")
    assert {item.line for item in read_dockerfile(path.read_bytes(), place="x")} <= {
        int(line.partition(" ")[0]) for line in said.splitlines()
    }


def test_the_corpus_is_large_enough() -> None:
    assert len(list(CORPUS.glob("*/Dockerfile"))) >= AT_LEAST
