"""Small inputs that went wrong once, here or in other tools: each folder says what must come out of a verb.

`README` is the case in words and `expect.toml` its outcome. `index.json` is what a Python index lists, and
`lock` is run on it; `rows.txt` has one Python row before and after, and `diff` is run on two locks that have it.
Dockerfiles and requirements beside an `expect.txt` are judged by tests/align/dockerfile/test_cases.py.
"""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import parse_wheel_filename

from builder.cli import main
from builder.lockfile.reading import load_lock
from tests.local_index import LocalIndex, make_wheel

HERE = Path(__file__).parent
SMALL = HERE.parent / "faults/project"
LOCK = "lock/1.0/plain/tiny-x86_64.toml"


def case_names(file: str) -> list[str]:
    return sorted(path.parent.name for path in HERE.glob(f"*/{file}"))


def expected_outcome(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / name / "expect.toml").read_text())


def check_words(said: str, expected: dict[str, Any]) -> None:
    assert [word for word in expected.get("says", []) if word not in said] == [], said
    assert [word for word in expected.get("silent", []) if word in said] == [], said


def small_project(folder: Path, given: dict[str, Any], full_python: str) -> Path:
    """Return a project whose one framework has the roots of a case."""
    root = folder / "project"
    shutil.copytree(SMALL, root)
    shutil.rmtree(root / "lock")
    names = [root_text.partition("==")[0] for root_text in given["roots"]]
    pins = "\n".join(
        f'{name} = "{text.partition("==")[2]}"' for name, text in zip(names, given["roots"], strict=True)
    )
    framework = root / "recipes/frameworks/tiny.toml"
    framework.write_text(framework.read_text().replace('roots = ["idna"]', f"roots = {json.dumps(names)}"))
    release = root / "recipes/releases/1.0.toml"
    release.write_text(release.read_text().replace('idna = "3.10"', pins))
    platform = root / "recipes/platforms/plain.toml"
    text = platform.read_text()
    if full_python:
        inventory = json.dumps(["libc6=2.41-1", f"python3.13={full_python}-1"])
        added = f'inventory = {inventory}\ninventory-by = "the case"\n'
        text = text.replace("\n\n[[images.aarch64]]", f"\n{added}\n[[images.aarch64]]").replace(
            'by = "the registry\'s page"\ninventory', 'by = "the registry\'s page"\ninventory'
        )
    platform.write_text(text)
    return root


@pytest.mark.parametrize("name", case_names("index.json"))
def test_lock(name: str, index: LocalIndex, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = json.loads((HERE / name / "index.json").read_text())
    expected = expected_outcome(name)
    index.warehouse = True
    index.wheel("pip", "26.2.1")
    for item in given["files"]:
        project, version, *_ = parse_wheel_filename(item["file"])
        data = make_wheel(
            str(project),
            str(version),
            requires=tuple(item.get("requires", ())),
            salt=item["file"],
            metadata_name=item.get("named", ""),
        )
        index.add(
            str(project),
            item["file"],
            data,
            requires_python=item.get("page-python", ""),
            yanked=item.get("yanked"),
        )
    root = small_project(tmp_path, given, expected.get("full-python", ""))
    words = ["--project", str(root), "--store", str(root / "cache/store"), "--index-url", index.url]
    code = main(["lock", "--quiet", "--arch", "x86_64", *words])
    said = "".join(capsys.readouterr())
    assert code == expected["exit"], said
    check_words(said, expected)
    if code:
        assert not (root / LOCK).exists()
        return
    rows = load_lock((root / LOCK).read_bytes(), place=LOCK).python
    assert sorted(row.file for row in rows if row.name != "pip") == sorted(expected["rows"])


def lock_with_row(name: str, version: str) -> str:
    """Return a small lock whose one wheel is that of `name` and `version`."""
    text = (SMALL / LOCK).read_text()
    for old, new in (
        ('name = "idna"', f'name = "{name}"'),
        ('version = "3.10"', f'version = "{version}"'),
        ("idna-3.10-", f"{name}-{version}-"),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("name", case_names("rows.txt"))
def test_diff(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = []
    for line in (HERE / name / "rows.txt").read_text().splitlines():
        side, row, version = line.replace(":", " ").split()
        files.append(tmp_path / f"{side}.toml")
        text = lock_with_row(row, version)
        files[-1].write_text(text if side == "before" else text.replace("8" * 64, "a" * 64))
    expected = expected_outcome(name)
    code = main(["diff", *map(str, files)])
    said = "".join(capsys.readouterr())
    assert code == expected["exit"], said
    check_words(said, expected)
