"""What BuildKit tells while it builds (`--progress=rawjson`), as steps with their times and last lines."""

from __future__ import annotations

__all__ = ["BuildStep", "Events"]

import base64
import binascii
import json
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

_NAME = re.compile(
    r"\[(?:(?P<platform>[a-z]+/[a-z0-9/]+) )?(?P<stage>\S+) +(?P<number>\d+)/(?P<total>\d+)\] (?P<what>.*)",
    re.DOTALL,
)
_KEPT_LINES = 40
_FRACTION = re.compile(r"\.(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildStep:
    """One instruction of a stage, or with an empty stage something that BuildKit does by itself."""

    digest: str
    stage: str
    number: int
    """From 1, of `total` in its stage."""
    total: int
    what: str
    cached: bool = False
    done: bool = False
    error: str = ""
    began: float = 0.0
    """Seconds since 1970, by the engine's clock."""
    ended: float = 0.0
    earlier: tuple[tuple[float, float], ...] = ()
    """When it ran before, beginning and end: BuildKit may take a step up again to load or export it."""

    @property
    def intervals(self) -> tuple[tuple[float, float], ...]:
        """When it ran, each with beginning and end; nothing for a step that is not done, or was cached."""
        return (*self.earlier, (self.began, self.ended)) if self.done and not self.cached else ()

    @property
    def seconds(self) -> float:
        """How long it took the last time that it ran."""
        return round(self.ended - self.began, 2)


class Events:
    """Turns the stream of events into steps; feed it text as it arrives."""

    def __init__(self, heard: Callable[[BuildStep], None] | None = None) -> None:
        self.steps: dict[str, BuildStep] = {}
        self.other: deque[str] = deque(maxlen=_KEPT_LINES)
        """The last lines that are no events."""
        self._heard = heard
        self._lines: dict[str, deque[str]] = {}
        self._open: dict[str, str] = {}
        self._text = ""
        self._began = 0.0
        self._decoder = json.JSONDecoder()

    def feed(self, text: str) -> None:
        """Take the next piece of the stream."""
        self._text += text
        while self._text:
            start = self._text.lstrip()
            if not start.startswith("{"):
                line, feed, rest = start.partition("\n")
                if not feed:
                    self._text = start
                    return
                self.other.append(line)
                self._text = rest
                continue
            try:
                event, end = self._decoder.raw_decode(start)
            except ValueError:
                self._text = start  # the rest of it is still to come
                return
            self._text = start[end:]
            self._take_event(event)

    def close(self) -> None:
        """Take what is left as a last line."""
        self.other.extend(self._text.strip().splitlines())
        self._text = ""

    def lines(self, step: BuildStep) -> tuple[str, ...]:
        """Return the last lines that a step wrote."""
        left = self._open.get(step.digest, "")
        return (*self._lines.get(step.digest, ()), *([left] if left else []))

    def failed(self) -> BuildStep | None:
        """Return the step that failed first; those that were cancelled because of it do not count."""
        broken = [step for step in self.steps.values() if step.error]
        own = [step for step in broken if "canceled" not in step.error]
        return next(iter(own or broken), None)

    def _take_event(self, event: dict[str, Any]) -> None:
        for vertex in event.get("vertexes") or ():
            self._take_vertex(vertex)
        for log in event.get("logs") or ():
            self._take_log(log)

    def _take_vertex(self, vertex: dict[str, Any]) -> None:
        digest = vertex["digest"]
        before = self.steps.get(digest) or _named_step(digest, vertex.get("name", ""))
        step = replace(before, cached=before.cached or bool(vertex.get("cached")))
        step = replace(step, error=before.error or vertex.get("error", ""))
        if vertex.get("started") and vertex.get("completed"):
            began, ended = _seconds_since_1970(vertex["started"]), _seconds_since_1970(vertex["completed"])
            self._began = self._began or began
            # What was done before this build began comes from the cache; BuildKit may say so only later.
            cached = step.cached or began < self._began
            earlier = before.earlier
            if before.done and began != before.began:
                earlier = (*earlier, (before.began, before.ended))
            step = replace(step, done=True, cached=cached, began=began, ended=ended, earlier=earlier)
        self.steps[digest] = step
        if self._heard is not None and step != before:
            self._heard(step)

    def _take_log(self, log: dict[str, Any]) -> None:
        try:
            text = base64.b64decode(log.get("data") or "").decode("utf-8", "replace")
        except binascii.Error:
            return
        digest = log["vertex"]
        *whole, last = (self._open.get(digest, "") + text).split("\n")
        self._open[digest] = last
        self._lines.setdefault(digest, deque(maxlen=_KEPT_LINES)).extend(
            line.rpartition("\r")[2] or line.rstrip("\r") for line in whole
        )


def _named_step(digest: str, name: str) -> BuildStep:
    match = _NAME.fullmatch(name)
    if match is None or match["stage"] == "internal":
        return BuildStep(digest=digest, stage="", number=0, total=0, what=name)
    return BuildStep(
        digest=digest,
        stage=match["stage"],
        number=int(match["number"]),
        total=int(match["total"]),
        what=match["what"],
    )


def _seconds_since_1970(stamp: str) -> float:
    """Return the seconds since 1970 of an RFC 3339 stamp, whose fraction may have any number of digits."""
    text = _FRACTION.sub(lambda match: "." + match[1][:6].ljust(6, "0"), stamp.replace("Z", "+00:00"))
    return datetime.fromisoformat(text).timestamp()
