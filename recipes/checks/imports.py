"""The top-level modules of some distributions can be imported, or fail only for want of a GPU.

    imports.py NAME… [--module MODULE]… [--accept MODULE=REASON]…

Modules are those of each distribution's top_level.txt, or the top folders and files of its RECORD.
`--module` names one more, such as dynamo.vllm. Each is imported in a process of its own. A failure
whose last line asks for the driver (GPU_SIGNS) is named and accepted, and so is one that `--accept`
names; any other is an error, and so is an accepted one that does not happen.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import re
import subprocess
import sys

LIMIT = 300  # seconds for one module
GPU_SIGNS = (
    "libcuda.so",
    "libnvidia-ml.so",
    "NVML",
    "no NVIDIA driver",
    "No CUDA",
    "CUDA driver",
    "No supported CUDA",
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def top_level(name: str) -> list[str]:
    """Return the importable names of a distribution (SystemExit if it is not installed)."""
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        raise SystemExit(f"{name} is not installed") from None
    listed = (distribution.read_text("top_level.txt") or "").split()
    if not listed:
        for file in distribution.files or ():
            first = file.parts[0]
            if len(file.parts) == 1 and file.suffix in (".py", ".so"):
                listed.append(first.partition(".")[0])
            elif len(file.parts) > 1 and file.parts[-1].endswith((".py", ".so")):
                listed.append(first)
    return sorted({module for module in listed if _NAME.fullmatch(module)})


def failure(module: str) -> str:
    """Import a module in a process of its own; return the last line of the failure, or nothing."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", "import importlib, sys; importlib.import_module(sys.argv[1])", module],
            capture_output=True, text=True, timeout=LIMIT, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"not imported after {LIMIT} s"
    lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
    return (lines or [f"exit code {done.returncode}"])[-1] if done.returncode else ""


def main(words: list[str]) -> int:
    """Import every module; 1 where one fails for another reason than the missing GPU."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--module", action="append", default=[], metavar="MODULE")
    parser.add_argument("--accept", action="append", default=[], metavar="MODULE=REASON")
    options = parser.parse_args(words)
    accepted = dict(row.partition("=")[::2] for row in options.accept)
    listed = (*(module for name in options.names for module in top_level(name)), *options.module)
    modules = list(dict.fromkeys(listed))
    wrong = 0
    for module in modules:
        why = failure(module)
        if not why and module not in accepted:
            print(f"{module}: imported", flush=True)
        elif not why:
            wrong += 1
            print(f"{module}: imported, but --accept says that it is not", flush=True)
        elif module in accepted or any(sign in why for sign in GPU_SIGNS):
            print(f"{module}: needs a GPU ({accepted.get(module) or why[:200]})", flush=True)
        else:
            wrong += 1
            print(f"{module}: FAILED {why[:300]}", flush=True)
    print(
        f"{len(modules)} modules: "
        + (f"{wrong} FAILED" if wrong else "imported, as far as it goes without a GPU")
    )
    return 1 if wrong or not modules else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
