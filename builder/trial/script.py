"""The shell script that runs checks in a container, and leaves what each said in files. Pure.

One script serves every runtime: a container starts it, and a stage of BuildKit runs it. A check that
fails, or takes too long, does not stop the others. Of check N there are three files: `N.output`,
`N.code` (124: it took too long), and `N.seconds`.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from builder.lockfile import PROGRAMS_FOLDER, Check

__all__ = ["GPU_FILE", "LIMIT", "RESULTS", "SCRIPT", "trial_script"]

LIMIT = 600
"""Seconds for a check that states none."""

RESULTS = "results"
"""The folder of results, below the folder of programs."""

SCRIPT = "run-checks.sh"
GPU_FILE = "gpu"

_GPU_QUESTION = ("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")


def trial_script(checks: Sequence[Check], folder: str = PROGRAMS_FOLDER) -> str:
    """Return the script that runs `checks` one after another; it succeeds whatever they do.

    `folder` has the folder of results in it.
    """
    lines = [
        "#!/bin/sh",
        f"cd {shlex.quote(f'{folder}/{RESULTS}')} || exit 1",
        f"{shlex.join(_GPU_QUESTION)} > {GPU_FILE} 2>/dev/null || rm -f {GPU_FILE}",
    ]
    for index, check in enumerate(checks):
        bound = ("timeout", "--kill-after=10", str(check.seconds or LIMIT))
        lines += [
            "began=$(date +%s)",
            f"{shlex.join((*bound, *check.run))} > {index}.output 2>&1 < /dev/null",
            f"echo $? > {index}.code",
            f"echo $(($(date +%s) - began)) > {index}.seconds",
            f'echo "check {index + 1} of {len(checks)}: exit code $(cat {index}.code)"',
        ]
    return "\n".join((*lines, "exit 0")) + "\n"
