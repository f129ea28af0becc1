"""Which CUDA a row belongs to, as names, versions, labels and requirements of real distributions say it."""

from __future__ import annotations

import dataclasses

import pytest

from builder.lockfile.cuda import CudaVersion, cuda_build, cuda_family, cuda_version, is_cuda_runtime
from builder.lockfile.lock import PythonPackage
from builder.lockfile.rules_checks import filled_expectation


def row(text: str, *via: str) -> PythonPackage:
    name, _, version = text.partition(" ")
    return PythonPackage(name=name, version=version, for_=("runtime",), via=via)


@pytest.mark.parametrize(
    ("name", "family", "major"),
    [
        ("nixl", "nixl", None),
        ("nixl-cu12", "nixl", 12),
        ("nvidia-cuda-runtime-cu12", "nvidia-cuda-runtime", 12),
        ("nvidia-cutlass-dsl-libs-cu13", "nvidia-cutlass-dsl-libs", 13),
        ("tensorrt-cu12-libs", "tensorrt-libs", 12),
        ("cupy-cuda12x", "cupy", 12),
        ("jax-cuda12-plugin", "jax-plugin", 12),
        ("nvidia-dali-cuda120", "nvidia-dali", 12),
        ("sgl-kernel-cu130", "sgl-kernel", 13),
        ("cuda-python", "cuda-python", None),
        ("cuda-tile", "cuda-tile", None),
        ("numba-cuda", "numba-cuda", None),
        ("nvidia-cudnn-frontend", "nvidia-cudnn-frontend", None),
    ],
)
def test_a_name_tells_its_family_and_the_major_version(name: str, family: str, major: int | None) -> None:
    assert cuda_family(name) == (family, major)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("torch 2.8.0+cu129", "12.9"),
        ("torch 2.9.0+cu130", "13.0"),
        ("flash-attn 2.8.3+cu12torch2.8cxx11abitrue", "12"),
        ("torch-scatter 2.1.2+pt28cu128", "12.8"),
        ("nvidia-cuda-runtime-cu12 12.8.90", "12.8"),
        ("nvidia-cuda-runtime 13.0.96", "13.0"),
        ("cuda-toolkit 13.0.3.0", "13.0"),
        ("cuda-python 13.1.1", "13.1"),
        ("cupy-cuda12x 14.2.0", "12"),
        ("nvidia-cudnn-cu13 9.19.0.56", "13"),
        ("cuda-pathfinder 1.8.0", ""),
        ("cuda-core 1.0.1", ""),
        ("cuda-tile 1.5.0", ""),
        ("nvidia-cuda-nvdisasm 13.3.73", ""),
        ("nvidia-ml-py 13.610.43", ""),
        ("sglang 0.5.16+5d4b92a5", ""),
        ("vllm 0.26.0", ""),
    ],
)
def test_a_row_alone_tells_its_cuda(text: str, told: str) -> None:
    build = cuda_build(row(text), ())
    assert str(build.version or "") == told
    assert build.cuda is (True if told else None)


@pytest.mark.parametrize("label", ["cpu", "cpu.cxx11.abi", "rocm6.4", "xpu"])
def test_a_label_tells_a_build_without_cuda(label: str) -> None:
    assert (
        cuda_build(row(f"torch 2.9.0+{label}"), (row("nvidia-cuda-runtime 13.0.96", "torch"),)).cuda is False
    )


def test_what_torch_requires_tells_its_cuda() -> None:
    torch = row("torch 2.11.0")
    toolkit, library = row("cuda-toolkit 13.0.2", "torch"), row("nvidia-cudnn-cu13 9.19.0.56", "torch")
    bindings = row("cuda-bindings 13.3.1", "torch")
    assert str(cuda_build(torch, (bindings, toolkit, library)).version) == "13.0"
    assert str(cuda_build(torch, (bindings, library)).version) == "13"
    assert cuda_build(torch, (row("nvidia-cuda-runtime 13.0.96", "kernels"),)).cuda is False
    assert cuda_build(torch, (row("nvidia-cublas 13.1.0.3", "torch"),)).version is None
    assert cuda_build(torch, (row("nvidia-cublas 13.1.0.3", "torch"),)).cuda is True


def test_only_minor_versions_of_one_major_are_compared() -> None:
    assert CudaVersion(13, 3).is_newer_than(CudaVersion(13, 0))
    assert not CudaVersion(13, 0).is_newer_than(CudaVersion(13, 0))
    assert not CudaVersion(13, 0).is_newer_than(CudaVersion(12, 8))
    assert not CudaVersion(13).is_newer_than(CudaVersion(13, 0))
    assert cuda_version("of any version") is None
    assert is_cuda_runtime("nvidia-cuda-runtime-cu12")
    assert not is_cuda_runtime("nvidia-cuda-nvrtc-cu12")


def test_an_expectation_is_filled_from_the_rows_of_the_image() -> None:
    torch, runtime = row("torch 2.8.0"), row("nvidia-cuda-runtime-cu12 12.8.90", "torch")
    assert filled_expectation("CUDA {cuda:torch}", (torch, runtime)) == "CUDA 12.8"
    assert filled_expectation("CUDA {cuda:torch}", (torch,)) == "CUDA {cuda:torch}"
    elsewhere = dataclasses.replace(torch, for_=("kernels",))
    assert filled_expectation("CUDA {cuda:torch}", (elsewhere, runtime)) == "CUDA {cuda:torch}"
    assert filled_expectation("vllm", ()) == "vllm"
