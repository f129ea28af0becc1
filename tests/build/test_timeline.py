"""Seconds count when a step ran, and the shares of a timeline add up to the build."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.build.events import BuildStep, Events
from builder.build.request import Built
from builder.build.timeline import seconds_of_intervals, stage_rows, timeline_rows

DOCKERFILE = """\
# builds: ucx
FROM scratch AS ucx-x86_64
RUN make

# the image
FROM scratch AS runtime-x86_64
COPY --link --from=ucx-x86_64 /a /a
RUN ldconfig
"""


def step(stage: str, number: int, what: str, began: float, ended: float) -> BuildStep:
    name = f"{stage}{number}{what}"
    return BuildStep(
        digest=name, stage=stage, number=number, total=2, what=what, done=True, began=began, ended=ended
    )


# The first COPY of the image needs nothing, its RUN waits for the component.
WAITING = Built(
    seconds=1300.0,
    steps=(
        step("", 0, "load build definition from Dockerfile", 100, 101),
        step("", 0, "[context store] load from client", 101, 121),
        step("runtime-x86_64", 1, "COPY --link a b", 121, 122),
        step("ucx-x86_64", 1, "RUN make", 121, 1221),
        step("runtime-x86_64", 2, "RUN ldconfig", 1221, 1223),
        step("", 0, "exporting to oci image format", 1223, 1393),
        step("of-another-build", 1, "RUN x", 1393, 1394),
    ),
)


def test_a_stage_that_waited_for_another_has_the_seconds_at_which_it_ran() -> None:
    seconds = {row["stage"]: row["seconds"] for row in stage_rows(WAITING, DOCKERFILE)}
    assert seconds == {"runtime-x86_64": 3.0, "ucx-x86_64": 1100.0}


def test_context_and_export_are_rows_and_the_shares_add_up() -> None:
    rows = timeline_rows(WAITING, DOCKERFILE)
    said = [(row["kind"], row["name"], row["seconds"], row["share"]) for row in rows]
    assert said == [
        ("engine", "", 2.0, 2.0),
        ("context transfer", "", 20.0, 20.0),
        ("stage", "runtime-x86_64", 3.0, 2.5),
        ("stage", "ucx-x86_64", 1100.0, 1099.5),
        ("export", "", 170.0, 170.0),
        ("nothing reported", "", 6.0, 6.0),
    ]
    assert [(row["began"], row["ended"]) for row in rows[1:3]] == [(1.0, 21.0), (21.0, 1123.0)]


def test_a_cached_build_is_all_waiting() -> None:
    assert timeline_rows(Built(seconds=2.5, steps=()), DOCKERFILE) == [
        {"kind": "nothing reported", "name": "", "seconds": 2.5, "share": 2.5}
    ]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=12))
def test_shares_add_up_whatever_overlaps(pairs: list[tuple[int, int]]) -> None:
    steps = tuple(
        step(f"stage-{index % 4}", index, "RUN x", min(pair), max(pair)) for index, pair in enumerate(pairs)
    )
    text = "\n\n".join(f"FROM scratch AS stage-{index}\nRUN x" for index in range(4))
    rows = timeline_rows(Built(seconds=60.0, steps=steps), text)
    assert sum(float(str(row["share"])) for row in rows) == pytest.approx(60.0, abs=0.01)
    assert float(str(rows[-1]["share"])) == pytest.approx(
        60.0 - seconds_of_intervals((min(pair), max(pair)) for pair in pairs),
        abs=0.06,
    )


def vertex(began: str, ended: str) -> str:
    row = {"digest": "u", "name": "[ucx-x86_64 1/1] RUN make", "started": began, "completed": ended}
    return json.dumps({"vertexes": [row]})


def test_a_step_that_is_taken_up_again_keeps_the_time_of_its_first_run() -> None:
    events = Events()
    events.feed(vertex("2026-11-22T20:00:00Z", "2026-11-22T20:10:00Z"))
    events.feed(vertex("2026-11-22T20:00:00Z", "2026-11-22T20:10:00Z"))
    events.feed(vertex("2026-11-22T20:15:00Z", "2026-11-22T20:15:01Z"))
    rows = stage_rows(Built(seconds=901.0, steps=tuple(events.steps.values())), DOCKERFILE)
    assert [row["seconds"] for row in rows] == [601.0]
