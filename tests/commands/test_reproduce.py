"""`reproduce --compare`: two images that exist already."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from builder.build import BUILDKIT, WantedImage
from builder.commands import reproduce
from builder.console import Console
from builder.errors import BuilderError, UsageError
from builder.origins.origins import Origins
from builder.project import Project
from builder.render import Inputs
from builder.selection import Selection
from builder.store.store import Store
from tests.oci.samples_oci import File, image


@pytest.fixture
def images(tmp_path: Path) -> tuple[Path, Path, Path]:
    same = [[File(path="a", data=b"1")]]
    return (
        image(tmp_path / "one", same),
        image(tmp_path / "two.tar", same, tar=True),
        image(tmp_path / "three", [[File(path="a", data=b"2")]]),
    )


def run(tmp_path: Path, *images: Path, as_json: bool = False, against: Path | None = None) -> tuple[int, str]:
    out = io.StringIO()
    project = Project(
        root=tmp_path,
        store=Store(tmp_path / "store"),
        origins=Origins(),
        console=Console(out, io.StringIO()),
    )
    options = reproduce.Options(
        wanted=WantedImage(selection=Selection(), inputs=Inputs.REMOTE),
        engine=BUILDKIT,
        pause=5,
        images=images,
        json=as_json,
        against=against,
    )
    return reproduce.reproduce_image(project, options), out.getvalue()


def test_one_digest_is_0(tmp_path: Path, images: tuple[Path, Path, Path]) -> None:
    code, text = run(tmp_path, images[0], images[1])
    assert code == 0
    assert text.startswith("identical: sha256:")


def test_a_difference_is_1_and_is_shown(tmp_path: Path, images: tuple[Path, Path, Path]) -> None:
    code, text = run(tmp_path, images[0], images[2])
    assert code == 1
    assert text.startswith("different\n")
    assert "linux/amd64, layer 1 of 1: a: content: at byte 0" in text


def test_json(tmp_path: Path, images: tuple[Path, Path, Path]) -> None:
    code, text = run(tmp_path, images[0], images[2], as_json=True)
    assert code == 1
    assert json.loads(text)["findings"][0]["path"] == "a"


def test_one_image_cannot_be_compared(tmp_path: Path, images: tuple[Path, Path, Path]) -> None:
    with pytest.raises(UsageError, match="expected two images"):
        run(tmp_path, images[0])


def test_nothing_is_built_against_two_images(tmp_path: Path, images: tuple[Path, Path, Path]) -> None:
    with pytest.raises(UsageError, match=r"^--against: --compare builds nothing$"):
        run(tmp_path, images[0], images[1], against=images[2])


def test_what_is_no_image_is_said_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(BuilderError) as caught:
        run(tmp_path, against=tmp_path / "nothing.tar")
    assert str(tmp_path / "nothing.tar") in str(caught.value)
