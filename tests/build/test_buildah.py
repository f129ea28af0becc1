"""buildah's words, its versions and its refusals, without buildah."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from builder.build import engines
from builder.build.buildah import Buildah, BuildahEvents, build, find_buildah, without_link
from builder.build.events import BuildStep
from builder.build.request import BuildRequest
from builder.errors import ToolError, UsageError
from builder.render.fetches import Inputs

SCRIPT = """#!/bin/sh
case "$*" in
  --version) echo "buildah version {version} (image-spec 1.1.0, runtime-spec 1.2.0)" ;;
  info) echo '{info}' ;;
  *) cat "{said}"; exit {code} ;;
esac
"""
INFO = """{"host": {"OCIRuntime": "/usr/bin/runc", "arch": "amd64", "os": "linux", "cpus": 2},
  "store": {"GraphDriverName": "overlay"}}"""
DOCKERFILE = """\
FROM scratch AS store

# images: debian
FROM example.invalid/debian@sha256:00 AS base-x86_64

FROM scratch AS files-x86_64
COPY --link --chmod=644 <<'EOF' /trap
COPY --link --from=trap a b
EOF
ADD --link root.tar /

# builds: ucx 1.21.0 (BSD-3-Clause), autotools
FROM base-x86_64 AS ucx-x86_64
ARG SOURCE_DATE_EPOCH
WORKDIR /src
RUN --network=none <<'EOF'
make
EOF

FROM base-x86_64 AS runtime-x86_64
RUN --network=none --mount=type=bind,from=ucx-x86_64,target=/ucx <<'EOF'
true
EOF
"""
SAID = """\
[2/5] STEP 1/1: FROM example.invalid/debian@sha256:00 AS base-x86_64
[3/5] STEP 1/3: FROM scratch AS files-x86_64
[3/5] STEP 2/3: COPY --chmod=644 <<'EOF' /trap (COPY --link --from=trap a b)
[3/5] STEP 3/3: ADD root.tar /
[5/5] STEP 1/2: FROM aa11 AS runtime-x86_64
[5/5] STEP 2/2: RUN --network=none     --mount=type=bind,from=ucx-x86_64,target=/ucx <<'EOF' (set -eu...)
[4/5] STEP 1/4: FROM aa11 AS ucx-x86_64
[4/5] STEP 2/4: ARG SOURCE_DATE_EPOCH
[4/5] STEP 3/4: WORKDIR /src
[4/5] STEP 4/4: RUN --network=none <<'EOF' (set -eu...)
"""
RAN = [
    *("base-x86_64 1/1", "files-x86_64 1/2", "files-x86_64 2/2", "ucx-x86_64 1/2"),
    *("ucx-x86_64 2/2", "runtime-x86_64 1/1"),
]


def environment(
    folder: Path, *, version: str = "1.39.3", info: str = INFO, said: str = "", code: int = 0
) -> dict[str, str]:
    program = folder / "buildah"
    (folder / "said").write_text(said)
    program.write_text(SCRIPT.format(version=version, info=info, said=folder / "said", code=code))
    program.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder)}


def test_buildah_describes_itself(tmp_path: Path) -> None:
    found = find_buildah(environ=environment(tmp_path))
    assert found.describe() == {"buildah": "1.39.3", "runtime": "runc", "storage": "overlay"}
    assert found.platforms == ("linux/amd64",)


def test_neither_variables_nor_configuration_of_buildah_pass(tmp_path: Path) -> None:
    own = {"BUILDAH_ISOLATION": "chroot", "BUILDAH_LAYERS": "true", "CONTAINERS_CONF": "/etc/other.conf"}
    found = find_buildah(environ={**environment(tmp_path), **own})
    assert not [name for name in found.environment if name.startswith("BUILDAH")]
    assert found.environment["CONTAINERS_CONF"] == "/dev/null"


def test_no_buildah(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="not installed") as caught:
        find_buildah(environ={"PATH": str(tmp_path)})
    assert "scripts/lab" in caught.value.hint


def test_an_old_buildah(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"1\.28\.2 is too old"):
        find_buildah(environ=environment(tmp_path, version="1.28.2"))


def test_a_buildah_that_tells_nothing(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="not a JSON object"):
        find_buildah(environ=environment(tmp_path, info="[]"))


def test_only_the_store_form_is_built() -> None:
    with pytest.raises(UsageError, match="no source policy") as caught:
        engines.find(engines.BUILDAH, "", Inputs.REMOTE)
    assert "--inputs store" in caught.value.hint
    with pytest.raises(UsageError, match="no builders"):
        engines.find(engines.BUILDAH, "other", Inputs.STORE)


def test_link_is_left_out_of_instructions_alone() -> None:
    text = without_link(DOCKERFILE)
    assert "COPY --chmod=644 <<'EOF' /trap\nCOPY --link --from=trap a b\nEOF\nADD root.tar /\n" in text
    assert text.count("\n") == DOCKERFILE.count("\n")


@pytest.mark.parametrize("name", ["fabric", "assembled"])
def test_golden_dockerfiles_lose_link_and_nothing_else(name: str) -> None:
    text = (Path(__file__).parents[1] / "golden" / name / "store.Dockerfile").read_text("utf-8")
    assert "\nCOPY --link " in text
    assert without_link(text) == text.replace("\nCOPY --link ", "\nCOPY ").replace("\nADD --link ", "\nADD ")


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_step_goes_on_after_the_stage_that_it_reads(size: int) -> None:
    heard: list[BuildStep] = []
    events = BuildahEvents(DOCKERFILE, heard.append)
    for start in range(0, len(SAID), size):
        events.feed(SAID[start : start + size])
    events.close(done=True)
    assert [f"{step.stage} {step.number}/{step.total}" for step in heard if step.done] == RAN
    assert all(step.ended >= step.began > 0 for step in events.steps.values() if step.done)


def request(folder: Path, output: Path | None = None) -> BuildRequest:
    return BuildRequest(
        dockerfile=DOCKERFILE,
        policy="",
        context=folder,
        platforms=("linux/amd64",),
        target="runtime-x86_64",
        source_date_epoch=0,
        output=output,
    )


def failing(folder: Path, said: str) -> ToolError:
    engine = find_buildah(environ=environment(folder, said=said, code=125))
    with pytest.raises(ToolError) as caught:
        build(engine, request(folder, folder / "image.tar"))
    assert not list(folder.glob("*image.tar*")), "no half-written image is left"
    return caught.value


def test_a_failure_names_the_step_that_was_running(tmp_path: Path) -> None:
    """The message has no stage in it; another step waits for this one."""
    last = (
        "make: *** no rule\nError: building at STEP \"RUN --network=none <<'EOF'\": while running runtime: "
    )
    error = failing(tmp_path, f"{SAID}{last}exit status 2\n")
    assert error.place == "stage ucx-x86_64"
    assert error.cause.startswith("step 2 of 2 failed: exit status 2\n  of builds: ucx 1.21.0")
    assert error.cause.endswith("\n  | make: *** no rule")


def test_a_failure_is_found_however_its_instruction_is_spaced(tmp_path: Path) -> None:
    said = SAID[: SAID.index("[4/5]")]
    what = "RUN --network=none --mount=type=bind,from=ucx-x86_64,target=/ucx <<'EOF'"
    error = failing(
        tmp_path, f'{said}Error: building at STEP "{what}": while running runtime: exit status 3\n'
    )
    assert error.place == "stage runtime-x86_64"
    assert error.cause.startswith("step 1 of 1 failed: exit status 3\n")


def test_a_failure_of_no_step_shows_what_was_said(tmp_path: Path) -> None:
    error = failing(tmp_path, "Error: creating build container: example.invalid/debian: image not known\n")
    assert error.place == "buildah"
    assert "exit code 125" in error.cause
    assert "buildah pull" in error.hint


def test_two_architectures_are_refused(tmp_path: Path) -> None:
    engine = Buildah(environment={}, version="1.39.3", runtime="runc", storage="overlay", platforms=())
    both = BuildRequest(
        dockerfile="",
        policy="",
        context=tmp_path,
        platforms=("linux/amd64", "linux/arm64"),
        target="runtime",
        source_date_epoch=0,
    )
    with pytest.raises(UsageError, match="one architecture"):
        build(engine, both)
