"""An index on loopback that answers as the Python index did on the day it was recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.utils import parse_sdist_filename, parse_wheel_filename
from pytest_httpserver import HTTPServer

from tests.local_index import Indexes, LocalIndex, make_sdist, make_wheel

HERE = Path(__file__).parent
STUB = '[build-system]\nrequires = ["wheel-stub"]\nbuild-backend = "wheel_stub.buildapi"\n'


@pytest.fixture(scope="module")
def no_forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let no forge answer: tags are those that are recorded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_COUNT", "1")
        patch.setenv("GIT_CONFIG_KEY_0", f"url.{tmp_path_factory.mktemp('nothing')}/.insteadOf")
        patch.setenv("GIT_CONFIG_VALUE_0", "https://")
        yield


@pytest.fixture(scope="module")
def recorded() -> Iterator[LocalIndex]:
    """The recorded index: real file names, days, Pythons and requirements; the files have nothing else."""
    with HTTPServer() as server:
        yield fill_recorded(Indexes(server)("recorded", metadata_files=True))


def fill_recorded(found: LocalIndex) -> LocalIndex:
    """Put the recorded projects into an index."""
    for project in json.loads((HERE / "claims/index.json").read_text())["projects"]:
        for row in project["files"]:
            data = _wheel(row) if row["file"].endswith(".whl") else _sdist(row)
            found.add(project["name"], row["file"], data, row["uploaded"], row["python"])
    return found


def _wheel(row: dict[str, object]) -> bytes:
    file = str(row["file"])
    name, version, _, _ = parse_wheel_filename(file)
    requires, extras = row.get("requires", []), row.get("extras", [])
    assert isinstance(requires, list)
    assert isinstance(extras, list)
    return make_wheel(str(name), str(version), requires=tuple(requires), extras=tuple(extras), salt=file)


def _sdist(row: dict[str, object]) -> bytes:
    name, version = parse_sdist_filename(str(row["file"]))
    requires = row.get("requires", [])
    assert isinstance(requires, list)
    info = f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\n"
    info += "".join(f"Requires-Dist: {item}\n" for item in requires)
    files = {"PKG-INFO": info, "pyproject.toml": STUB if row.get("stub") else ""}
    return make_sdist(str(name).replace("-", "_"), str(version), files)
