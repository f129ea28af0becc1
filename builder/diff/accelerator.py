"""Which accelerator a distribution is built for, as its name and the label of its version say.

Publishers build one version for several accelerators, and tell them apart in
two ways: by a local label (`2.11.0+cu130`, `2.11.0+rocm7.0`, `2.11.0+cpu`;
`2.27.5-1+cuda13.0` among OS packages), or by a word of the name
(`nvidia-nccl-cu12`, `jax-cuda12-plugin`, `onnxruntime-gpu`).
"""

from __future__ import annotations

import re

__all__ = ["accelerator_family", "accelerators_of_name", "accelerators_of_version"]

_KINDS = "ascend|cann|cpu|directml|dtk|gaudi|gpu|hip|hpu|mps|musa|neuronx?|npu|openvino|rocm|sycl|tpu|xpu"
_WORD = re.compile(
    # A word begins where no letter or digit goes before it, so that a commit's id is none.
    r"(?<![a-z0-9])(?:"
    r"(?P<cuda>cu|cuda)[-_]?(?P<release>\d+(?:\.\d+)*)x?"  # cu130, cuda12.9, cuda13x, cu12torch2.9
    rf"|(?P<kind>{_KINDS})[-_]?(?P<number>\d+(?:\.\d+)*)?(?![a-z])"
    r")"
)
_CUDA = re.compile(r"(?<![a-z0-9])cuda(?![a-z0-9])")


def accelerators_of_version(version: str) -> frozenset[str]:
    """Return the accelerators that a version names, such as `cuda130` or `rocm70`; none for a plain one."""
    found = _accelerator_words(version.lower())
    return found or frozenset({"cuda"} if _CUDA.search(version.lower()) else ())


def accelerators_of_name(name: str) -> frozenset[str]:
    """Return the accelerators that a distribution's name names: `cuda12` for `nvidia-nccl-cu12`."""
    return _accelerator_words(name)


def accelerator_family(name: str) -> str:
    """Return a name without its accelerator: what `nixl-cu12` and `nixl-cu13` have in common."""
    return re.sub(r"[-_.]+", "-", _WORD.sub("", name)).strip("-") or name


def _accelerator_words(text: str) -> frozenset[str]:
    found = set()
    for match in _WORD.finditer(text):
        number = match["release"] or match["number"] or ""
        found.add(f"{'cuda' if match['cuda'] else match['kind']}{number.replace('.', '')}")
    return frozenset(found)
