"""What checks said: read from the files that the script left, judged, and shown. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from builder.lockfile import Check
from builder.trial.script import GPU_FILE, LIMIT

__all__ = ["CheckOutcome", "CheckVerdict", "TrialResult", "read_outcomes", "trial_record", "trial_text"]

_KEPT_LINES = 40
_SHOWN_COMMAND = 90
_TIMED_OUT = frozenset({124, 137})  # timeout's own code, and that of a program which had to be killed


class CheckVerdict(StrEnum):
    """What became of a check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """One check, and what became of it."""

    check: Check
    verdict: CheckVerdict
    why: str = ""
    """Why it failed or was not run."""
    seconds: int = 0
    lines: tuple[str, ...] = ()
    """The last lines of its output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """All checks of a lock in one image."""

    outcomes: tuple[CheckOutcome, ...]
    gpu: str = ""
    """Name and driver version of each GPU, as nvidia-smi says them in the container; empty without one."""

    @property
    def passed(self) -> bool:
        """Whether some check ran, and none failed."""
        verdicts = {outcome.verdict for outcome in self.outcomes}
        return CheckVerdict.PASSED in verdicts and CheckVerdict.FAILED not in verdicts


def read_outcomes(
    checks: Sequence[Check], left_out: Sequence[Check], files: Mapping[str, bytes]
) -> TrialResult:
    """Judge `checks` by the files of their results; `left_out` were not run, for want of a GPU."""
    ran = [_check_outcome(check, index, files) for index, check in enumerate(checks)]
    why = "it needs a GPU: use --gpu"
    rest = [CheckOutcome(check=check, verdict=CheckVerdict.NOT_RUN, why=why) for check in left_out]
    gpu = files.get(GPU_FILE, b"").decode("utf-8", "replace")
    return TrialResult(outcomes=(*ran, *rest), gpu="; ".join(gpu.split("\n")).strip("; "))


def _check_outcome(check: Check, index: int, files: Mapping[str, bytes]) -> CheckOutcome:
    output = files.get(f"{index}.output", b"").decode("utf-8", "replace")
    code, seconds = (_number_in_file(files.get(f"{index}.{name}", b"")) for name in ("code", "seconds"))
    why = ""
    if code is None:
        why = "the container ended before it was run"
    elif code in _TIMED_OUT:
        why = f"not done after {check.seconds or LIMIT} s"
    elif code:
        why = f"exit code {code}"
    elif check.expect not in output:
        why = f"not in its output: {check.expect!r}"
    return CheckOutcome(
        check=check,
        verdict=CheckVerdict.FAILED if why else CheckVerdict.PASSED,
        why=why,
        seconds=seconds or 0,
        lines=tuple(output.splitlines()[-_KEPT_LINES:]),
    )


_LONGEST_NUMBER = 20  # bytes; a program in the container may write the file too


def _number_in_file(text: bytes) -> int | None:
    return int(text) if text.strip().isdigit() and len(text) <= _LONGEST_NUMBER else None


def trial_record(result: TrialResult) -> dict[str, Any]:
    """Return the result for JSON."""
    return {
        "passed": result.passed,
        "gpu": result.gpu or None,
        "checks": [
            {
                "run": list(outcome.check.run),
                "program": outcome.check.program or None,
                "sha256": str(outcome.check.sha256) if outcome.check.sha256 else None,
                "needs": outcome.check.needs or None,
                "verdict": str(outcome.verdict),
                "why": outcome.why or None,
                "seconds": outcome.seconds,
                "output": list(outcome.lines),
            }
            for outcome in result.outcomes
        ],
    }


def trial_text(result: TrialResult) -> str:
    """Return the result for people: a line a check, and of one that failed also what it said last."""
    lines = [f"GPU: {result.gpu}" if result.gpu else "GPU: none in the container"]
    for outcome in result.outcomes:
        command = shlex.join(outcome.check.run).replace("\n", " ")
        command = command if len(command) <= _SHOWN_COMMAND else f"{command[:_SHOWN_COMMAND]}…"
        why = f": {outcome.why}" if outcome.why else ""
        lines.append(f"{outcome.verdict:<8}{outcome.seconds:>5} s  {command}{why}")
        if outcome.verdict is CheckVerdict.FAILED:
            lines += [f"  | {line}" for line in outcome.lines]
        elif outcome.check.needs:
            lines += [f"    {line}" for line in outcome.lines]
    counts = {
        verdict: sum(outcome.verdict is verdict for outcome in result.outcomes) for verdict in CheckVerdict
    }
    lines.append(", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count))
    return "\n".join(lines)
