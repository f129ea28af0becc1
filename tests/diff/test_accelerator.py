"""A change of the accelerator is a class of its own, in a lock's rows and in what other tools export."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.cli import main
from builder.diff import Risk
from builder.diff.accelerator import accelerator_family, accelerators_of_name, accelerators_of_version
from builder.diff.exports import ExportedPin, compare_pins


@pytest.mark.parametrize(
    ("version", "accelerators"),
    [
        ("2.11.0", set()),
        ("2.11.0+cu130", {"cuda130"}),
        ("2.11.0+CU130", {"cuda130"}),
        ("2.27.5-1+cuda13.0", {"cuda130"}),
        ("2.11.0+rocm7.0", {"rocm70"}),
        ("2.11.0+cpu", {"cpu"}),
        ("2.11.0+cpu.cxx11.abi", {"cpu"}),
        ("2.11.0+xpu", {"xpu"}),
        ("2.8.3+cu12torch2.9cxx11abiTRUE", {"cuda12"}),
        ("1.0+5d4b92a5", set()),
        ("12.8.1-cudnn-runtime-ubuntu24.04", set()),
        ("1.0+cuda", {"cuda"}),
        ("2.1.2+pt24cu118", {"cuda118"}),
        ("2.1.2+pt24cpu", {"cpu"}),
        ("0.0.31+torch2.8cu128", {"cuda128"}),
        ("2.8.0+cu_130", {"cuda130"}),
        ("2.8.0+cu.130", {"cuda130"}),
        ("2.8.0+gfx942", {"gfx942"}),
        ("2.8.0+nvidia", {"nvidia"}),
        ("2.8.0+vulkan", {"vulkan"}),
        ("2.8.0+gitabc1234", set()),
        ("2.8.0+abc12345", set()),
    ],
)
def test_the_label_of_a_version(version: str, accelerators: set[str]) -> None:
    assert accelerators_of_version(version) == accelerators


@pytest.mark.parametrize(
    ("name", "family", "accelerators"),
    [
        ("nvidia-nccl-cu12", "nvidia-nccl", {"cuda12"}),
        ("nvidia-cuda-runtime-cu12", "nvidia-cuda-runtime", {"cuda12"}),
        ("nvidia-cuda-runtime", "nvidia-cuda-runtime", set()),
        ("cuda-python", "cuda-python", set()),
        ("cupy-cuda13x", "cupy", {"cuda13"}),
        ("jax-rocm7-plugin", "jax-plugin", {"rocm7"}),
        ("onnxruntime-gpu", "onnxruntime", {"gpu"}),
        ("py-cpuinfo", "py-cpuinfo", set()),
        ("nvidia-ml-py", "nvidia-ml-py", set()),
        ("tensorrt-llm", "tensorrt-llm", set()),
        ("cpu", "cpu", {"cpu"}),
        ("curated-tokenizers", "curated-tokenizers", set()),
    ],
)
def test_the_word_of_a_name(name: str, family: str, accelerators: set[str]) -> None:
    assert accelerator_family(name) == family
    assert accelerators_of_name(name) == accelerators


def pins(*rows: str) -> tuple[ExportedPin, ...]:
    found = (row.partition(" ") for row in rows)
    return tuple(ExportedPin(name=name, version=version, digests=frozenset()) for name, _, version in found)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("torch 2.11.0+cu130", "torch 2.11.0+rocm7.0"),
        ("torch 2.11.0", "torch 2.11.0+cu128"),
        ("nvidia-cublas-cu12 12.9.1.4", "nvidia-cublas 13.1.0.3"),
        ("nvidia-nccl-cu12 2.28.9", "nvidia-nccl-cu13 2.28.9"),
        ("onnxruntime 1.23.0", "onnxruntime-gpu 1.23.0"),
    ],
)
def test_a_switch_is_one_change_above_every_upgrade(before: str, after: str) -> None:
    (change,) = compare_pins(pins(before), pins(after))
    assert change.risk is Risk.ACCELERATOR
    assert change.risk.rank < Risk.DOWNGRADE.rank


def test_another_member_of_a_family_beside_the_first_is_no_ordinary_new_package() -> None:
    (change,) = compare_pins(pins("nixl-cu12 1.3.2"), pins("nixl-cu12 1.3.2", "nixl-cu13 1.3.2"))
    assert (change.name, change.risk) == ("nixl-cu13", Risk.ACCELERATOR)


@pytest.mark.parametrize(
    ("before", "after", "level", "code"),
    [
        ("2.11.0+cu130", "2.11.0+rocm7.0", "accelerator", 1),
        ("2.11.0+cu130", "2.11.0+rocm7.0", "tag", 0),
        ("2.11.0+cu130", "2.12.0+cu130", "accelerator", 0),
        ("2.11.0", "2.12.0rc1", "prerelease", 1),
        ("2.11.0", "2.12.0rc1", "downgrade", 0),
        ("2.11.0", "2.12.0", "prerelease", 0),
    ],
)
def test_a_gate_can_stop_at_either(
    before: str, after: str, level: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = []
    for side, version in (("before", before), ("after", after)):
        files.append(tmp_path / f"{side}.txt")
        files[-1].write_text(f"torch=={version} --hash=sha256:{'ab' * 32}\n")
    words = ["diff", "--project", str(tmp_path), "--store", str(tmp_path / "store"), "--fail-on", level]
    assert main([*words, *map(str, files)]) == code
    said = capsys.readouterr().out
    assert "Upgrade, patch" not in said
