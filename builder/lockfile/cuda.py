"""Which CUDA a Python row belongs to: what its name, its version, its label or its requirements say. Pure.

Nothing here is measured: a wheel states its CUDA in one of four ways, and the
lock's own rows hold all four.

* A token of the name: `nixl-cu12`, `cupy-cuda12x`, `jax-cuda12-plugin`.
* The version, for parts of NVIDIA's toolkit: `nvidia-cuda-nvcc 13.0.88` and
  `cuda-python 13.3.1` count as CUDA does.
* The local label (PEP 440): `torch 2.8.0+cu129`, `torch 2.8.0+cpu`.
* The runtime that it requires: torch 2.9.0 for x86_64 asks for
  `nvidia-cuda-runtime-cu12 12.8.90`, the one for aarch64 asks for none, so it
  is built without CUDA (trap T3). Who asks for a row stands in its `via`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from packaging.version import InvalidVersion, Version

from builder.lockfile.lock import PythonPackage

__all__ = [
    "CUDA_COMPILERS",
    "DECLARES_RUNTIME",
    "GPU_ONLY",
    "TOLD_BY_LABEL",
    "CudaBuild",
    "CudaVersion",
    "cuda_build",
    "cuda_family",
    "cuda_version",
    "is_cuda_runtime",
    "is_for_other_gpus",
]

DECLARES_RUNTIME = frozenset({"torch"})
"""Distributions whose CUDA builds require their runtime as wheels: without them it is a CPU build."""

GPU_ONLY = frozenset(
    {
        "deep-ep",
        "deep-gemm",
        "flash-mla",
        "sgl-deep-gemm",
        "sgl-kernel",
        "sglang-kernel",
        "tensorrt-llm",
        "vllm",
    }
)
"""Distributions that run on GPUs only, unless their label says otherwise; so must torch beside them."""

TOLD_BY_LABEL = GPU_ONLY | {"torch", "torchaudio", "torchvision"}
"""Distributions that come with and without CUDA under one name: `+cpu` or `+rocm6.4` tells those without."""

CUDA_COMPILERS = frozenset(
    {"nvidia-cuda-cccl", "nvidia-cuda-crt", "nvidia-cuda-nvcc", "nvidia-cuda-nvrtc", "nvidia-nvvm"}
)
"""What turns sources into code that calls the runtime, without the token for CUDA in the name.

Not among them: nvjitlink, which links code of older toolkits and may be newer (cuda-toolkit 13.0.3.0 itself
takes 13.4), and nvdisasm, which only reads code.
"""

_RUNTIMES = frozenset({"cuda-toolkit", "nvidia-cuda-runtime"})
_COUNTED_AS_CUDA = re.compile(r"cuda-(?:bindings|python|toolkit)|nvidia-cuda-.+|nvidia-nv(?:jitlink|tx|vm)")
_READS_CODE_ONLY = frozenset({"nvidia-cuda-cuobjdump", "nvidia-cuda-nvdisasm"})
"""Their programs are linked with nothing: any version reads the code of older ones."""
_NAME_TOKEN = re.compile(r"-cu(?:da)?-?([1-9][0-9])[0-9]*x?(?=-|$)")
_LABEL = re.compile(r"(?<![a-z])cu([1-9][0-9])([0-9]?)(?![0-9])")
_OTHER_LABEL = re.compile(r"(?:cpu|rocm|hip|xpu)(?![a-z])")
_OTHER_GPU_LABEL = re.compile(r"(?:rocm|hip|xpu)(?![a-z])")
_VENDOR_LIBRARY = re.compile(r"(?:nvidia|cuda)-.+")


@dataclass(frozen=True, slots=True)
class CudaVersion:
    """A version of CUDA; the minor number is None where only the major one is known."""

    major: int
    minor: int | None = None

    def __str__(self) -> str:
        return str(self.major) if self.minor is None else f"{self.major}.{self.minor}"

    def is_newer_than(self, other: CudaVersion) -> bool:
        """Whether both are of one major version and this minor one is higher."""
        known = self.minor is not None and other.minor is not None
        return self.major == other.major and known and (self.minor or 0) > (other.minor or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CudaBuild:
    """What the rows say of one distribution's own build."""

    cuda: bool | None
    """Whether it is built with CUDA; None where no row tells."""
    version: CudaVersion | None = None
    """The CUDA that it is built for, as far as the rows tell."""
    by: str = ""
    """The row or label that tells the version, such as `nvidia-cuda-runtime-cu12 12.8.90`."""


@lru_cache(maxsize=8192)
def cuda_family(name: str) -> tuple[str, int | None]:
    """Return a name without its token for CUDA, and the token's major version: `nixl`, 12 of `nixl-cu12`."""
    token = _NAME_TOKEN.search(name)
    if token is None:
        return name, None
    return name[: token.start()] + name[token.end() :], int(token[1])


def is_cuda_runtime(name: str) -> bool:
    """Whether a distribution is the CUDA runtime or the toolkit's meta package, of any major version."""
    return cuda_family(name)[0] in _RUNTIMES


@lru_cache(maxsize=8192)
def cuda_version(text: str) -> CudaVersion | None:
    """Return the CUDA version that `text` begins with, such as `13.0` of `13.0.96`; None where it is none."""
    found = re.match(r"([1-9][0-9]?)(?:\.([0-9]+))?(?![0-9])", text)
    return CudaVersion(int(found[1]), int(found[2]) if found[2] else None) if found else None


@lru_cache(maxsize=8192)
def _label_version(version: str) -> tuple[bool | None, CudaVersion | None]:
    """Return whether the local label of a version says CUDA, and which: `2.8.0+cu129` is (True, 12.9)."""
    try:
        label = Version(version).local or ""
    except InvalidVersion:
        return None, None
    found = _LABEL.search(label)
    if found:
        return True, CudaVersion(int(found[1]), int(found[2]) if found[2] else None)
    return (False, None) if _OTHER_LABEL.match(label) else (None, None)


@lru_cache(maxsize=8192)
def is_for_other_gpus(version: str) -> bool:
    """Whether the local label of a version names GPUs that do not run CUDA: `2.9.0+rocm6.4`."""
    _, _, label = version.partition("+")
    return _OTHER_GPU_LABEL.match(label.lower()) is not None


def _own_version(row: PythonPackage) -> CudaVersion | None:
    """Return the CUDA that a row's name and version state by themselves; of a token only the major number."""
    family, token = cuda_family(row.name)
    if family in _READS_CODE_ONLY:
        return None
    counted = cuda_version(row.version) if _COUNTED_AS_CUDA.fullmatch(family) else None
    if token is not None:
        return counted if counted and counted.major == token else CudaVersion(token)
    return counted


def cuda_build(row: PythonPackage, rows: Iterable[PythonPackage]) -> CudaBuild:
    """Return what `rows`, those of one environment, say of the CUDA of `row`.

    A label decides before everything else; then the name and the version; then
    the runtime that the row requires, and any other library of NVIDIA's last.
    """
    labelled, version = _label_version(row.version)
    if labelled is not None:
        return CudaBuild(cuda=labelled, version=version, by=f"its label +{Version(row.version).local}")
    own = _own_version(row)
    if own is not None:
        return CudaBuild(cuda=True, version=own, by="its name and version")
    if row.name not in DECLARES_RUNTIME:
        return CudaBuild(cuda=None)
    required = [other for other in rows if row.name in other.via and _VENDOR_LIBRARY.fullmatch(other.name)]
    # The runtime's version is that of CUDA; any other library, such as cuDNN, has the major one in its name.
    for other in sorted(required, key=lambda other: (not is_cuda_runtime(other.name), other.name)):
        version = _own_version(other)
        if version is not None and (is_cuda_runtime(other.name) or cuda_family(other.name)[1]):
            known = version if is_cuda_runtime(other.name) else CudaVersion(version.major)
            return CudaBuild(cuda=True, version=known, by=f"{other.name} {other.version}")
    return CudaBuild(cuda=bool(required))
