"""`image-size`: the view of the layer plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from builder.cli import main

LOCK = "lock/1.4.2/debian-13-assembled-cuda-13.0/vllm-x86_64.toml"
ONE = ("--platform", "debian-13-assembled-cuda-13.0", "--framework", "vllm", "--arch", "x86_64")
ROOT = Path(__file__).resolve().parents[2]


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["image-size", "--project", str(ROOT), *words]) == 0
    return capsys.readouterr().out


def document(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    return json.loads(shown(capsys, *words, "--format", "json"))


def test_one_image_is_shown_layer_by_layer_and_called_a_plan(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "--release", "1.4.2", *ONE)
    assert "wheel torch" in text
    assert "component libfabric" in text
    assert "not known before it is built or pulled" in text
    assert "This is a plan" in text
    assert "there already" not in text


def test_against_itself_everything_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "--release", "1.4.2", *ONE, "--against", str(ROOT / LOCK))
    assert found["basis"] == "plan"
    assert all(layer["shared"] for layer in found["images"][0]["layers"])
    assert "to pull: 0 layers" in shown(capsys, "--release", "1.4.2", *ONE, "--against", str(ROOT / LOCK))


def test_another_architecture_shares_wheels_for_any_and_nothing_that_is_compiled(
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = ROOT / LOCK.replace("x86_64", "aarch64")
    found = document(capsys, "--release", "1.4.2", *ONE, "--against", str(other))
    shared = {layer["name"] for layer in found["images"][0]["layers"] if layer["shared"]}
    assert not shared & {"base", "OS packages", "wheel torch", "component libfabric", "linker cache"}


def test_of_several_images_the_different_layers_are_counted_once(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "--release", "1.4.2", "--framework", "vllm", "--arch", "x86_64")
    layers = [layer for image in found["images"] for layer in image["layers"]]
    assert len(found["images"]) > 1
    assert found["layers"] == len(layers)
    assert found["bytes-of-files"] == sum(layer["bytes-of-files"] for layer in layers)
    distinct = {layer["key"]: layer["bytes-of-files"] for layer in layers}
    assert found["distinct-layers"] == len(distinct) < len(layers)
    assert found["distinct-bytes-of-files"] == sum(distinct.values())
    assert "all together" in shown(capsys, "--release", "1.4.2", "--framework", "vllm", "--arch", "x86_64")
