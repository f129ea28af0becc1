"""Every committed lock renders, in both forms, and an independent reader finds it hermetic and of its architecture."""

from __future__ import annotations

import dataclasses
import re
from itertools import groupby
from pathlib import Path

import pytest

from builder.lockfile.reading import parse_lock
from builder.origins.origins import Origin, Origins
from builder.origins.reading import parse_origins
from builder.render.fetches import Addresses, Inputs
from builder.render.files import render
from tests.render import hermetic
from tests.render.golden import addresses_of
from tests.render.reader import ReadStage

ROOT = Path(__file__).resolve().parents[2]
RELEASES = sorted(path.name for path in (ROOT / "lock").iterdir() if path.is_dir())
PYPI = Origin(name="pypi", url="https://files.example.invalid/packages/", layout="warehouse")
FOREIGN = {
    "amd64": re.compile(r"(?<![a-z0-9])(?:aarch64|aarch_64|arm64|sbsa)(?![a-z0-9])"),
    "arm64": re.compile(r"(?<![a-z0-9])(?:x86_64|amd64|x64)(?![a-z0-9])"),
}
"""Words of the other architecture, as file names and options of any component spell it (trap T11)."""


def committed_origins() -> Origins:
    """Return the origins of the project, and one for the default Python index."""
    read = parse_origins((ROOT / "recipes/origins.toml").read_text("utf-8"), "origins.toml")
    return dataclasses.replace(read, origins=(*read.origins, PYPI))


def groups(release: str) -> list[list[Path]]:
    """Return the locks of a release that share a Dockerfile."""
    files = sorted((ROOT / "lock" / release).glob("*/*.toml"))
    return [
        list(group)
        for _, group in groupby(files, key=lambda file: (file.parent, file.stem.rpartition("-")[0]))
    ]


def foreign(stage: ReadStage) -> list[str]:
    """Return the words of the other architecture in a stage that is of one."""
    words = FOREIGN.get(stage.name.rpartition("-")[2])
    if words is None:
        return []
    texts = (" ".join((*item.options, item.rest, *(item.heredoc or ()))) for item in stage.body)
    return [found for text in texts for found in words.findall(text)]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("form", tuple(Inputs))
def test_every_committed_lock_renders_hermetically(release: str, form: Inputs) -> None:
    # The remote form says everything that the other one does, and where it comes from: of that a sample is enough.
    known, every = (committed_origins(), 1) if form is Inputs.REMOTE else (None, 7)
    for files in groups(release)[::every]:
        data = [(file, file.read_bytes()) for file in files]
        locks = tuple((parse_lock(text, place=file.name), text) for file, text in data)
        files_at = addresses_of([lock for lock, _ in locks], known) if known else {}
        stages = hermetic.check(render(locks, inputs=form, addresses=Addresses(files=files_at)).dockerfile)
        ended = {stage.name.rpartition("-")[2] for stage in stages}
        assert {lock.arch.debian for lock, _ in locks} <= ended, files
        wrong = {stage.name: found for stage in stages if (found := foreign(stage))}
        assert not wrong, (files, wrong)
