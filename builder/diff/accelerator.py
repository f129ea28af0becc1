"""Which accelerator a distribution is built for, as its name and the label of its version say.

Publishers build one version for several accelerators, and tell them apart in
two ways: by a local label (`2.11.0+cu130`, `2.11.0+rocm7.0`, `2.11.0+cpu`;
`2.27.5-1+cuda13.0` among OS packages; behind the torch they fit in
`2.1.2+pt24cu118`), or by a word of the name
(`nvidia-nccl-cu12`, `jax-cuda12-plugin`, `onnxruntime-gpu`).
"""

from __future__ import annotations

import re

__all__ = ["accelerator_family", "accelerators_of_name", "accelerators_of_version"]

_KINDS = "ascend|cann|cpu|directml|dtk|gaudi|gpu|hip|hpu|mps|musa|neuronx?|npu|openvino|rocm|sycl|tpu|xpu"
_WORD = re.compile(
    # A word begins where no letter or digit goes before it, so that a commit's id is none.
    r"(?<![a-z0-9])(?:"
    r"(?P<cuda>cu|cuda)[-_.]?(?P<release>\d+(?:\.\d+)*)x?"  # cu130, cuda12.9, cuda13x, cu12torch2.9
    rf"|(?P<kind>{_KINDS})[-_]?(?P<number>\d+(?:\.\d+)*)?(?![a-z])"
    r")"
)
_INNER_WORD = re.compile(
    # Within a longer word only what is written with its number, or `cpu` at the end: pt24cu118, torch2.8cpu.
    r"(?<=[a-z0-9])(?:(?P<cuda>cu|cuda)(?P<release>\d{2,3})(?!\d)|(?P<kind>rocm)(?P<number>\d+)"
    r"|(?<=\d)(?P<plain>cpu|xpu)(?![a-z]))"
)
_LABEL_WORD = re.compile(
    # What only labels mean by an accelerator: in names these are makers and products.
    r"(?<![a-z0-9])(?:(?:amd|cuda|intel|jetson|l4t|metal|nocuda|nvidia|opencl|tensorrt|trt|vulkan)(?![a-z])"
    r"|gfx\d[0-9a-f]+|sm[-_]?\d+a?)(?![a-z])"
)
_COMMIT = re.compile(r"[0-9a-f]{7,40}")


def accelerators_of_version(version: str) -> frozenset[str]:
    """Return the accelerators that a version names, such as `cuda130` or `rocm70`; none for a plain one."""
    text = version.lower()
    words = (word for word in re.split(r"[-_.+~]", text) if not _COMMIT.fullmatch(word))
    inner = {
        _numbered_accelerator(match, match["plain"] or match["kind"])
        for word in words
        for match in _INNER_WORD.finditer(word)
    }
    found = _accelerator_words(text) | inner
    return found or frozenset(match[0] for match in _LABEL_WORD.finditer(text))


def accelerators_of_name(name: str) -> frozenset[str]:
    """Return the accelerators that a distribution's name names: `cuda12` for `nvidia-nccl-cu12`."""
    return _accelerator_words(name)


def accelerator_family(name: str) -> str:
    """Return a name without its accelerator: what `nixl-cu12` and `nixl-cu13` have in common."""
    return re.sub(r"[-_.]+", "-", _WORD.sub("", name)).strip("-") or name


def _accelerator_words(text: str) -> frozenset[str]:
    return frozenset(_numbered_accelerator(match, match["kind"]) for match in _WORD.finditer(text))


def _numbered_accelerator(match: re.Match[str], kind: str) -> str:
    number = match["release"] or match["number"] or ""
    return f"{'cuda' if match['cuda'] else kind}{number.replace('.', '')}"
