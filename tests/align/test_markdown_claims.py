"""`align --write-claims`: a table of versions becomes claims that can be judged, and nothing of it is left out."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from builder.align.gathering import read_documents
from builder.align.markdown_claims import claims_in_markdown
from builder.cli import main

TEXT = """\
# Support

Some prose.

### Build Dependency

| **Dependency** | **main (ToT)** | **v0.8.0 (unreleased)** | v0.7.1 | Note |
| :------------- | :------------- | :---------------------- | :----- | ---- |
| SGLang         | 0.5.6          | 0.5.6.post1             | -      | new  |
| TensorRT-LLM   | `1.2.0rc5`     | >=1.2.0rc6, <2          | ?      |      |
| Something      | 1.0            | 2.0                     |        |      |

* a list

| Component | Our Version |
|---|---|
| **[vLLM](https://x.invalid)** | v0.10.2 |
"""


def test_each_cell_is_a_row() -> None:
    found = claims_in_markdown(TEXT, ("sglang", "tensorrt-llm", "vllm"))
    assert [
        (claim.get("release", ""), claim["says"], claim.get("version", "") or claim.get("requirement", ""))
        for claim in found.claims
    ] == [
        ("main", "includes", "0.5.6"),
        ("0.8.0", "includes", "0.5.6.post1"),
        ("", "statement", ""),
        ("main", "includes", "1.2.0rc5"),
        ("0.8.0", "requires", "tensorrt-llm>=1.2.0rc6,<2"),
        ("0.7.1", "statement", ""),
        ("main", "statement", ""),
        ("0.8.0", "statement", ""),
        ("", "includes", "0.10.2"),
    ]
    assert found.claims[0]["quote"] == "SGLang | main (ToT) | 0.5.6"
    assert found.claims[0]["section"] == "Build Dependency"
    assert found.other_lines == 2


def test_the_file_that_is_written_can_be_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = tmp_path / "Support Matrix.md"
    document.write_text(TEXT)
    assert main(["align", "--write-claims", str(document), "--release", "0.8.0"]) == 0
    said = capsys.readouterr()
    assert "9 rows to review (4 includes, 1 requires, 4 statement); 2 lines outside tables" in said.err
    assert tomllib.loads(said.out)["name"] == "support-matrix"
    claims = tmp_path / "mine.toml"
    claims.write_text(said.out)
    (read,) = read_documents([claims], tmp_path)
    assert (read.release, len(read.claims)) == ("0.8.0", 9)


def test_a_document_without_tables_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = tmp_path / "a.md"
    document.write_text("# Nothing\n")
    assert main(["align", "--write-claims", str(document)]) == 2
    assert "it has no table" in capsys.readouterr().err


def test_a_version_of_more_digits_than_python_reads_is_a_statement() -> None:
    text = f"| name | 0.8.0 |\n|---|---|\n| vllm | {'9' * 5000} |\n| vllm | >={'9' * 5000} |\n"
    assert {claim["says"] for claim in claims_in_markdown(text, ("vllm",)).claims} == {"statement"}
