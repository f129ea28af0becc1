"""What buildah writes while it builds, as steps with their times and last lines.

It announces each instruction on a line, `[4/8] STEP 3/3: RUN …`, and writes
what the instruction says below it. Stages are made one after another, but one
that an instruction reads from is made when it is asked for: the instruction
that was announced goes on after it.
"""

from __future__ import annotations

__all__ = ["BuildahEvents"]

import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from builder.build.events import BuildStep
from builder.build.stage_graph import is_counted, read_graph

_STEP = re.compile(r"(?:\[(?P<stage>\d+)/\d+\] )?STEP (?P<number>\d+)/\d+: (?P<what>[A-Z]+ .*)")
_NAMED = re.compile(r"FROM \S+ AS (?P<name>\S+)")
_FAILED = re.compile(r'Error: building at STEP "(?P<what>.*)": (?P<error>.*)')
_KEPT_LINES = 40


class BuildahEvents:
    """Turns the text into steps; feed it text as it arrives."""

    def __init__(self, dockerfile: str, heard: Callable[[BuildStep], None] | None = None) -> None:
        self.steps: dict[str, BuildStep] = {}
        self.lines: deque[str] = deque(maxlen=_KEPT_LINES)
        """The last lines that announce no step."""
        self._graph = read_graph(dockerfile)
        self._heard = heard
        self._names: dict[int, str] = {}
        self._counts: dict[int, int] = {}
        self._open: list[tuple[int, BuildStep]] = []
        self._text = ""

    def feed(self, text: str) -> None:
        """Take the next piece of the text."""
        *whole, self._text = (self._text + text).split("\n")
        for line in whole:
            self._take_line(line)

    def close(self, *, done: bool) -> None:
        """Take what is left; `done` says whether the build ended well."""
        if self._text:
            self._take_line(self._text)
            self._text = ""
        if done:
            self._end_earlier_steps(None)

    def failed(self) -> BuildStep | None:
        """Return the step that failed, with its error."""
        return next((step for step in self.steps.values() if step.error), None)

    def _take_line(self, line: str) -> None:
        found = _STEP.search(line)
        if found:
            self._step_announced(int(found["stage"] or 1), found["what"])
            return
        failed = _FAILED.search(line)
        if failed:
            self._mark_failed_step(failed["what"], failed["error"])
            return
        self.lines.append(line.rpartition("\r")[2] or line.rstrip("\r"))

    def _step_announced(self, stage: int, what: str) -> None:
        self._end_earlier_steps(stage)
        named = _NAMED.match(what)
        if named:
            self._names[stage] = named["name"]
        node = self._graph.get(self._names.get(stage, ""))
        if node is None or not (is_counted(what) or (named and "@" in node.base)):
            return
        self.lines.clear()
        self._counts[stage] = self._counts.get(stage, 0) + 1
        step = BuildStep(
            digest=f"{node.name}:{self._counts[stage]}",
            stage=node.name,
            number=self._counts[stage],
            total=node.steps,
            what=what,
            began=time.time(),
        )
        self._open.append((stage, step))
        self._tell_step(step)

    def _end_earlier_steps(self, stage: int | None) -> None:
        """End the steps that are over when `stage` goes on; later stages wait for an earlier one."""
        while self._open and (stage is None or self._open[-1][0] <= stage):
            self._tell_step(replace(self._open.pop()[1], done=True, ended=time.time()))

    def _mark_failed_step(self, what: str, error: str) -> None:
        """Find the step of a message, which has no stage and other spaces: the last that is not over."""
        for _, step in reversed(self._open):
            if _without_colors(step.what).startswith(_without_colors(what)):
                self._tell_step(replace(step, error=error, ended=time.time()))
                return
        self.lines.append(f"{what}: {error}")

    def _tell_step(self, step: BuildStep) -> None:
        self.steps[step.digest] = step
        if self._heard is not None:
            self._heard(step)


def _without_colors(text: str) -> str:
    return " ".join(text.split())
