"""What `build` and `reproduce` share: which architectures, and how a build is told."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import pytest

from builder.build import WantedImage, build_inputs, stage_progress, stage_rows
from builder.build.buildkit import Engine
from builder.build.events import BuildStep
from builder.build.request import BuildRequest, Built
from builder.console import Console
from builder.errors import UsageError
from builder.model.target import Arch
from builder.origins.origins import Origins
from builder.project import Project
from builder.render.fetches import Inputs
from builder.selection import Selection
from builder.store.store import Store

DOCKERFILE = """\
FROM scratch AS wheels-x86_64
COPY --link --from=store a /a
COPY --link --from=store b /b

FROM base.invalid/debian@sha256:00 AS ucx-x86_64
WORKDIR /src
RUN --network=none true

FROM ucx-x86_64 AS unused-x86_64
RUN --network=none false

FROM ucx-x86_64 AS runtime-amd64
COPY --link --from=wheels-x86_64 /a /a
FROM runtime-${TARGETARCH} AS runtime
"""
GOLDEN = Path(__file__).parents[1] / "golden" / "fabric"
ENGINE = Engine(
    argv=("docker",),
    environment={},
    builder="",
    driver="docker",
    buildx="0.13.1",
    buildkit="docker 26.1.5",
    platforms=("linux/amd64",),
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for arch in ("x86_64", "aarch64"):
        file = tmp_path / "lock" / "1.4.2" / "debian-13" / f"dynamo-{arch}.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes((GOLDEN / f"lock-{arch}.toml").read_bytes())
    return Project(
        root=tmp_path,
        store=Store(tmp_path / "store"),
        origins=Origins(),
        console=Console(io.StringIO(), io.StringIO()),
    )


def step(stage: str, number: int, what: str, began: float, ended: float, **rest: object) -> BuildStep:
    values = {"digest": f"{stage}{number}{what}", "stage": stage, "number": number, "total": 9, "what": what}
    return dataclasses.replace(
        BuildStep(**values, done=True, began=began, ended=ended),  # type: ignore[arg-type]
        **rest,  # type: ignore[arg-type]
    )


STEPS = (
    step("wheels-x86_64", 1, "COPY a", 0, 10),
    step("wheels-x86_64", 1, "COPY a (merge)", 10, 11),
    step("wheels-x86_64", 2, "COPY b", 1, 12),
    step("ucx-x86_64", 1, "FROM base", 0, 1, cached=True),
    step("ucx-x86_64", 2, "WORKDIR", 1, 1, cached=True),
    step("ucx-x86_64", 3, "RUN true", 12, 15.5),
    step("of-another-build", 1, "RUN x", 0, 99),
    step("runtime-amd64", 1, "COPY a", 20, 20, cached=True),
)


def test_a_stage_is_told_when_all_its_instructions_are_done_and_once() -> None:
    said = io.StringIO()
    project = Project(
        root=Path("/nowhere"),
        store=Store(Path("/nowhere")),
        origins=Origins(),
        console=Console(io.StringIO(), said),
    )
    request = BuildRequest(
        dockerfile=DOCKERFILE,
        policy="",
        context=Path("/nowhere"),
        platforms=("linux/amd64",),
        target="runtime",
        source_date_epoch=1,
    )
    with stage_progress(project, request, "building") as heard:
        for one in (*STEPS, *STEPS):
            heard(one)
    assert said.getvalue().splitlines() == [
        *("wheels-x86_64: 12.0 s", "ucx-x86_64: 3.5 s", "runtime-amd64: cached")
    ]


def test_the_record_counts_what_was_run_and_not_cached() -> None:
    assert stage_rows(Built(seconds=20.0, steps=STEPS), DOCKERFILE) == [
        {"stage": "wheels-x86_64", "steps": 2, "ran": 0, "seconds": 12.0},
        {"stage": "ucx-x86_64", "steps": 3, "ran": 1, "seconds": 3.5},
        {"stage": "runtime-amd64", "steps": 1, "ran": 0, "seconds": 0.0},
    ]


def test_an_architecture_that_was_asked_for_must_be_possible(project: Project) -> None:
    selection = Selection(releases=("1.4.2",), arches=(Arch.AARCH64,))
    with (
        pytest.raises(UsageError, match="cannot run linux/arm64") as caught,
        build_inputs(project, WantedImage(selection=selection, inputs=Inputs.STORE), ENGINE),
    ):
        pass
    assert "emulation" in caught.value.hint


def test_what_the_engine_cannot_run_is_left_out_when_nobody_asked_for_it(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FilledError(Exception):
        """The store would be filled now, from the network."""

    def fill(*_: object) -> None:
        raise FilledError

    monkeypatch.setattr("builder.build.inputs.fill_store", fill)
    said = io.StringIO()
    project = dataclasses.replace(project, console=Console(io.StringIO(), said))
    lock = project.locks / "1.4.2" / "debian-13" / "dynamo-x86_64.toml"
    with (
        pytest.raises(FilledError),
        build_inputs(
            project, WantedImage(selection=Selection(releases=("1.4.2",)), inputs=Inputs.STORE), ENGINE
        ),
    ):
        pass  # what matters was said and written before
    assert "left out, because this engine cannot run it: linux/arm64" in said.getvalue()
    text = (project.root / "rendered" / "1.4.2" / "debian-13" / "dynamo" / "Dockerfile").read_text()
    assert "aarch64.toml" not in text
    assert lock.name in text
