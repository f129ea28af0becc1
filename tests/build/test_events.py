"""BuildKit's stream of events, in any pieces, becomes steps."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from builder.build.events import BuildStep, Events

NAMES = {
    "d": "[internal] load build definition from Dockerfile",
    "b": "[base-x86_64 1/1] FROM example.invalid/debian@sha256:00",
    "u": "[ucx-x86_64 2/2] RUN --network=none <<'EOF' (set -eu...)",
    "a": "[linux/arm64 nixl-aarch64 10/12] COPY --link a b",
}


def vertex(digest: str, start: str = "", end: str = "", **rest: Any) -> dict[str, Any]:
    stamps = {key: value for key, value in (("started", start), ("completed", end)) if value}
    return {"vertexes": [{"digest": digest, "name": NAMES[digest], **stamps, **rest}]}


def log(digest: str, text: str) -> dict[str, Any]:
    return {"logs": [{"vertex": digest, "stream": 1, "data": base64.b64encode(text.encode()).decode()}]}


STREAM = [
    vertex("d", "2026-11-22T20:00:00.1Z", "2026-11-22T20:00:00.123456789Z"),
    vertex("b", "2026-11-22T19:00:00Z", "2026-11-22T19:00:01Z"),
    vertex("u"),
    vertex("u", "2026-11-22T20:00:01Z"),
    log("u", "configure: one\nhalf a"),
    log("u", " line\r\nlast"),
    vertex("u", "2026-11-22T20:00:01Z", "2026-11-22T20:01:31.5Z", error="exit code: 2"),
    vertex("a", "2026-11-22T20:00:02Z", "2026-11-22T20:00:03Z", error="context canceled"),
]
TEXT = "".join(json.dumps(event, indent=2) + "\n" for event in STREAM) + "ERROR: failed to solve\nat the end"


@pytest.mark.parametrize("size", [1, 7, 1000, 10**6])
def test_steps_from_pieces_of_any_size(size: int) -> None:
    heard: list[BuildStep] = []
    events = Events(heard.append)
    for start in range(0, len(TEXT), size):
        events.feed(TEXT[start : start + size])
    events.close()
    ucx, nixl = events.steps["u"], events.steps["a"]
    assert (ucx.stage, ucx.number, ucx.total, ucx.seconds, ucx.done) == ("ucx-x86_64", 2, 2, 90.5, True)
    assert (nixl.stage, nixl.number, nixl.total) == ("nixl-aarch64", 10, 12)
    assert events.steps["d"].stage == ""
    assert events.lines(ucx) == ("configure: one", "half a line", "last")
    assert events.failed() == ucx
    assert list(events.other) == ["ERROR: failed to solve", "at the end"]
    assert heard[-1] == nixl


def test_what_was_done_before_the_build_began_is_cached() -> None:
    events = Events()
    events.feed(TEXT)
    assert events.steps["b"].cached
    assert not events.steps["u"].cached


def test_the_cached_flag_stays() -> None:
    events = Events()
    events.feed(json.dumps(vertex("u", cached=True)))
    events.feed(json.dumps(vertex("u", "2026-11-22T20:00:01Z", "2026-11-22T20:00:01Z")))
    assert events.steps["u"].cached


def test_a_cancelled_step_is_only_named_when_no_other_failed() -> None:
    events = Events()
    events.feed(json.dumps(STREAM[-1]))
    failed = events.failed()
    assert failed is not None
    assert failed.stage == "nixl-aarch64"


def test_nothing_failed() -> None:
    assert Events().failed() is None


def test_only_the_last_lines_are_kept() -> None:
    events = Events()
    events.feed(json.dumps(vertex("u")))
    events.feed(json.dumps(log("u", "".join(f"{number}\n" for number in range(100_000)))))
    lines = events.lines(events.steps["u"])
    assert lines[-1] == "99999"
    assert len(lines) <= 40
