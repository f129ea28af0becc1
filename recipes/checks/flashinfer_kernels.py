"""FlashInfer's kernels, compiled where they are first used, give what torch computes.

    flashinfer_kernels.py                 on a GPU: norm, activation, decode, prefill (fa2, and fa3 on sm_90)
    flashinfer_kernels.py --compile-only  no GPU: compiles and links the norm module for sm_90a

`--compile-only` links against the stub of the driver's library that the toolkit has; it loads nothing.
The differences that count as equal are those of 16-bit inputs with sums in 32 bits. Exit 1: a kernel
does not compile, or differs by more.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

TOLERANCE = {"norm": 0.02, "activation": 0.08, "decode": 0.005, "prefill fa2": 0.01, "prefill fa3": 0.01}
"""Largest absolute difference; the activation's inputs and results are bfloat16, the others' float16."""

GPU_FOR_COMPILING = "9.0a"


def describe_compiler() -> str:
    """Return where nvcc, ninja and the C++ compiler are."""
    found = {name: shutil.which(name) or "missing" for name in ("nvcc", "ninja", "g++")}
    words = ", ".join(f"{name} {place}" for name, place in found.items())
    return f"{words}, CUDA_HOME {os.environ.get('CUDA_HOME', 'unset')}"


def compile_norm() -> str:
    """Compile FlashInfer's norm module without a GPU; return what went wrong, or nothing."""
    os.environ.setdefault("FLASHINFER_CUDA_ARCH_LIST", GPU_FOR_COMPILING)
    os.environ.setdefault("MAX_JOBS", "2")
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("FLASHINFER_WORKSPACE_BASE", folder)
        import flashinfer
        from flashinfer.jit.norm import gen_norm_module

        print(f"flashinfer {flashinfer.__version__}, for {os.environ['FLASHINFER_CUDA_ARCH_LIST']}")
        began = time.monotonic()
        try:
            module = gen_norm_module()
            module.build(verbose=False)
        except Exception as error:  # noqa: BLE001 - whatever it is, the output says it
            return last_words(str(error))
        library = Path(module.get_library_path())
        print(f"{library.name}: {library.stat().st_size} bytes, {time.monotonic() - began:.1f} s")
    return ""


def last_words(text: str) -> str:
    """Return the lines of a compiler's output that say what is wrong."""
    marks = ("error:", "cannot find", "not found", "No such file", "fatal")
    lines = [line.strip() for line in text.splitlines() if any(mark in line for mark in marks)]
    return " | ".join(lines[-6:])[-900:] or text[-400:]


def run_kernels() -> list[str]:  # noqa: C901 - one small function a kernel
    """Run each kernel once and compare it with torch; return what went wrong."""
    import torch

    capability = torch.cuda.get_device_capability(0)
    print(
        f"GPU: {torch.cuda.get_device_name(0)}, sm_{capability[0]}{capability[1]}, torch {torch.__version__}"
    )
    import flashinfer

    print(f"flashinfer {flashinfer.__version__}")
    torch.manual_seed(0)

    def norm() -> float:
        x = torch.randn(64, 4096, device="cuda", dtype=torch.float16)
        weight = torch.randn(4096, device="cuda", dtype=torch.float16)
        wide = x.float()
        wanted = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-6) * weight.float()
        return difference(flashinfer.norm.rmsnorm(x, weight, 1e-6), wanted)

    def activation() -> float:
        x = torch.randn(64, 8192, device="cuda", dtype=torch.bfloat16)
        left, right = x.float().chunk(2, -1)
        return difference(flashinfer.activation.silu_and_mul(x), torch.nn.functional.silu(left) * right)

    def decode() -> float:
        query = torch.randn(32, 128, device="cuda", dtype=torch.float16)
        key = torch.randn(2048, 8, 128, device="cuda", dtype=torch.float16)
        value = torch.randn_like(key)
        wanted = attention(query[None], key, value, causal=False)[0]
        return difference(flashinfer.single_decode_with_kv_cache(query, key, value), wanted)

    def prefill(backend: str) -> float:
        query = torch.randn(512, 32, 128, device="cuda", dtype=torch.float16)
        key = torch.randn(512, 8, 128, device="cuda", dtype=torch.float16)
        value = torch.randn_like(key)
        found = flashinfer.single_prefill_with_kv_cache(query, key, value, causal=True, backend=backend)
        return difference(found, attention(query, key, value, causal=True))

    def difference(found: torch.Tensor, wanted: torch.Tensor) -> float:
        return float((found.float() - wanted).abs().max())

    def attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, *, causal: bool) -> torch.Tensor:
        groups = q.shape[1] // k.shape[1]
        heads_first = [x.float().transpose(0, 1) for x in (q, k, v)]
        wide = [heads_first[0], *(x.repeat_interleave(groups, 0) for x in heads_first[1:])]
        found = torch.nn.functional.scaled_dot_product_attention(*wide, is_causal=causal)
        return found.transpose(0, 1)

    kernels: dict[str, Callable[[], float]] = {
        "norm": norm,
        "activation": activation,
        "decode": decode,
        "prefill fa2": lambda: prefill("fa2"),
    }
    if capability[0] == 9:
        kernels["prefill fa3"] = lambda: prefill("fa3")
    wrong = []
    for name, kernel in kernels.items():
        began = time.monotonic()
        try:
            found = kernel()
            torch.cuda.synchronize()
        except Exception as error:  # noqa: BLE001 - the others are tried too
            wrong.append(f"{name}: {type(error).__name__}: {last_words(str(error))}")
            print(f"{name}: FAILED after {time.monotonic() - began:.1f} s", flush=True)
            continue
        took = time.monotonic() - began
        print(f"{name}: largest difference {found:.3g}, with compilation {took:.1f} s", flush=True)
        if not found <= TOLERANCE[name]:
            wrong.append(f"{name}: differs from torch by {found:.3g}, allowed is {TOLERANCE[name]}")
    return wrong


def main(words: list[str]) -> int:
    """Compile, or run; 1 where something is wrong."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--compile-only", action="store_true")
    options = parser.parse_args(words)
    print(describe_compiler(), flush=True)
    wrong = [text for text in [compile_norm()] if text] if options.compile_only else run_kernels()
    for text in wrong:
        print(f"FAILED {text}")
    print(
        "flashinfer: " + ("FAILED" if wrong else "compiled" if options.compile_only else "as torch computes")
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
