"""`init release`: a bill of versions from an index's metadata, and one message with all that is missing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from builder.cli import main
from builder.errors import UsageError
from builder.model import toml
from tests.local_index import LocalIndex

ROOT = Path(__file__).resolve().parents[2]
DAY = "2026-10-07T05:08:00Z"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The recipes of this checkout, without its locks."""
    folders = ("components", "frameworks", "platforms", "releases", "keys", "checks", "patches")
    for name in folders:
        shutil.copytree(ROOT / "recipes" / name, tmp_path / "project/recipes" / name)
    return tmp_path / "project"


@pytest.fixture
def dynamo(index: LocalIndex) -> LocalIndex:
    """An index that has a release 9.0.0, made of what the recipes know; kvbm and TensorRT-LLM are not on it."""
    requires = (
        "ai-dynamo-runtime==9.0.0",
        "helper>=1",
        'vllm[flashinfer]==0.31.0; extra == "vllm"',
        'nixl[cu13]==1.4.1; extra == "vllm"',
        'sglang[diffusion]==0.5.21; extra == "sglang"',
        'nixl[cu13]==1.5.0; extra == "sglang"',
    )
    extras = ("vllm", "sglang", "trtllm")
    index.wheel("ai-dynamo", "9.0.0", uploaded=DAY, requires=requires, extras=extras)
    index.wheel("ai-dynamo-runtime", "9.0.0", uploaded=DAY)
    index.wheel("vllm", "0.31.0", uploaded=DAY, requires=("torch==2.13.0", "flashinfer-python==0.7.0.post1"))
    index.wheel("sglang", "0.5.21", uploaded=DAY, requires=("torch==2.12.0", "flashinfer_python==0.6.18"))
    index.wheel("nixl", "1.4.1", uploaded=DAY)
    index.wheel("nixl", "1.5.0", uploaded=DAY)
    index.wheel("pip", "26.2", uploaded=DAY)
    index.wheel("pip", "26.3", uploaded="2026-10-09T00:00:00Z")
    return index


def init(project: Path, index: LocalIndex, version: str = "9.0.0") -> int:
    places = ["--project", str(project), "--store", str(project / "store"), "--index-url", index.url]
    return main(["init", "release", version, *places])


def written(project: Path) -> dict[str, Any]:
    path = project / "recipes/releases/9.0.0.toml"
    return toml.loads(path.read_bytes(), place=path.name, error=UsageError)


def test_every_version_with_where_it_was_read(
    project: Path, dynamo: LocalIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(project, dynamo) == 6
    table = written(project)
    assert (table["date"], table["exclude-newer"]) == ("2026-10-07", "2026-10-08T00:00:00Z")
    assert table["python"] == {
        "all": {"ai-dynamo": "9.0.0", "ai-dynamo-runtime": "9.0.0", "torch": "2.13.0"},
        "vllm": {"vllm": "0.31.0"},
        "sglang": {"sglang": "0.5.21", "torch": "2.12.0"},
        "installer": {"pip": "26.2"},
    }
    assert table["components"] == {"flashinfer": "0.7.0.post1", "nixl": "1.4.1"}
    assert table["framework-components"] == {"sglang": {"flashinfer": "0.6.18", "nixl": "1.5.0"}}
    stated = {f"{group}.{name}" for group in ("components",) for name in table[group]} | {
        f"python.{group}.{name}" for group, rows in table["python"].items() for name in rows
    }
    assert stated <= set(table["evidence"])
    assert table["evidence"]["python.vllm.vllm"] == "ai-dynamo 9.0.0, extra vllm, requires vllm==0.31.0"
    said = capsys.readouterr().err
    assert "1 fact must be added by hand" in said
    assert "python.trtllm.tensorrt-llm: ai-dynamo 9.0.0[trtllm] binds no version of it" in said


def test_all_that_is_missing_is_one_message(
    project: Path, dynamo: LocalIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unknown versions hide neither each other nor what comes after them."""
    dynamo.files = [item for item in dynamo.files if item.name not in ("ai-dynamo", "vllm")]
    requires = (
        "stub==1.0",
        "nowhere==2.0",
        'vllm==0.31.0; extra == "vllm"',
        'nixl[cu13]==1.3.2; extra == "vllm"',
    )
    dynamo.wheel("ai-dynamo", "9.0.0", uploaded=DAY, requires=requires, extras=("vllm",))
    dynamo.wheel("vllm", "0.31.0", uploaded=DAY, requires=("torch==2.13.0", "flashinfer-python==8.8"))
    dynamo.sdist("stub", "1.0", {"setup.py": ""})
    assert init(project, dynamo) == 6
    (message,) = [part for part in capsys.readouterr().err.split("error: ") if "by hand" in part]
    for said in (
        "stub 1.0, which ai-dynamo 9.0.0 requires: the index has a source alone",
        "nowhere 2.0, which ai-dynamo 9.0.0 requires: the index has no file",
        "flashinfer 8.8 is not in its recipe",
        'write `ucx = "…"` under [components] (release 1.4.2 has 1.21.0)',
        'write `libfabric = "…"` under [components]',
        'write `gdrcopy = "…"` under [components]',
    ):
        assert said in message


def test_targets_that_a_framework_refuses_for_these_versions_are_left_out(
    project: Path, dynamo: LocalIndex
) -> None:
    init(project, dynamo)
    newer = {platform for row in written(project)["targets"] for platform in row["platforms"]}
    shutil.rmtree(project / "recipes/releases")
    shutil.copytree(ROOT / "recipes/releases", project / "recipes/releases")
    dynamo.files = [item for item in dynamo.files if item.name != "ai-dynamo"]
    requires = ('vllm==0.31.0; extra == "vllm"', 'nixl[cu13]==1.3.2; extra == "vllm"')
    dynamo.wheel("ai-dynamo", "1.5.1", uploaded=DAY, requires=requires, extras=("vllm",))
    init(project, dynamo, "1.5.1")
    path = project / "recipes/releases/1.5.1.toml"
    rows = toml.loads(path.read_bytes(), place=path.name, error=UsageError)["targets"]
    vllm = {platform for row in rows if row["framework"] == "vllm" for platform in row["platforms"]}
    assert "debian-13" in newer
    assert "debian-13" not in vllm
    assert "debian-13-cuda-13.0" in vllm


@pytest.mark.parametrize(
    ("version", "code", "said"),
    [("1.4.2", 2, "this release is there"), ("9.9.9", 5, "the index has no wheel of ai-dynamo 9.9.9")],
)
def test_what_cannot_be_begun_writes_nothing(
    project: Path, dynamo: LocalIndex, version: str, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(project.rglob("*.toml"))
    assert init(project, dynamo, version) == code
    assert said in capsys.readouterr().err
    assert sorted(project.rglob("*.toml")) == before
