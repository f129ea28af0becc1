"""The stages of a rendered Dockerfile, read back from its text."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.build.stage_graph import StageNode, other_order, read_graph, stages_for

TEXT = """\
# Rendered by lockwright
#
# more

# Replaced by the build context of this name.
FROM scratch AS store

# images: debian,
# for build and runtime
FROM example.invalid/debian@sha256:00 AS base-x86_64

FROM scratch AS debs-x86_64
ADD --link --checksum=sha256:00 http://example.invalid/a /a
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
FROM nothing AS trap
EOF

# builds: ucx 1.21.0 (BSD-3-Clause), autotools
FROM base-x86_64 AS ucx-x86_64
ARG SOURCE_DATE_EPOCH
WORKDIR /src/ucx
RUN --network=none \\
    --mount=type=bind,from=debs-x86_64,target=/debs/0 \\
    --mount=type=bind,from=store,target=/store <<'EOF2'
# builds: not a comment of Docker
EOF
EOF2
ENV A="1"

FROM base-x86_64 AS runtime-x86_64
COPY --link --from=ucx-x86_64 /opt/ucx /opt/ucx

FROM runtime-x86_64 AS runtime-amd64
FROM runtime-${TARGETARCH} AS runtime
"""


def test_stages_with_their_notes_and_uses() -> None:
    nodes = read_graph(TEXT)
    assert list(nodes) == [
        *("store", "base-x86_64", "debs-x86_64", "ucx-x86_64", "runtime-x86_64", "runtime-amd64", "runtime")
    ]
    assert nodes["base-x86_64"].note == "images: debian, for build and runtime"
    assert nodes["ucx-x86_64"] == StageNode(
        name="ucx-x86_64",
        base="base-x86_64",
        note="builds: ucx 1.21.0 (BSD-3-Clause), autotools",
        uses=("debs-x86_64", "store"),
        steps=2,
    )
    assert nodes["debs-x86_64"].note == ""
    assert {name: node.steps for name, node in nodes.items() if node.steps} == {
        "base-x86_64": 1,
        "debs-x86_64": 2,
        "ucx-x86_64": 2,
        "runtime-x86_64": 1,
    }


def test_what_a_target_needs() -> None:
    nodes = read_graph(TEXT)
    assert set(stages_for(nodes, "runtime", ("amd64",))) == set(nodes)
    assert stages_for(nodes, "runtime", ("arm64",)) == ("runtime",)
    assert stages_for(nodes, "ucx-x86_64", ()) == ("base-x86_64", "debs-x86_64", "store", "ucx-x86_64")


@pytest.mark.parametrize("case", ["fabric", "two-bases", "assembled"])
def test_golden_dockerfiles_are_read_whole(case: str) -> None:
    paths = sorted((Path(__file__).parents[1] / "golden" / case).glob("[rs]*.Dockerfile"))
    assert len(paths) == 2
    for path in paths:
        text = path.read_text("utf-8")
        nodes = read_graph(text)
        assert len(nodes) == sum(line.startswith("FROM ") for line in text.splitlines())
        assert set(stages_for(nodes, "check", ("amd64", "arm64"))) <= set(nodes)
        for node in nodes.values():
            assert {*node.uses} <= set(nodes), node


COMPONENTS = """\
# builds: a 1 (MIT), make
FROM scratch AS a-x86_64
# builds: a 1 (MIT), make
FROM scratch AS a-aarch64
# builds: b 1 (MIT), make
FROM scratch AS b-x86_64
# builds: c 1 (MIT), make, on a
FROM scratch AS c-x86_64
COPY --from=a-x86_64 / /
# builds: d 1 (MIT), make
FROM scratch AS d-x86_64
# builds: unused 1 (MIT), make
FROM scratch AS unused-x86_64
FROM c-x86_64 AS runtime-amd64
COPY --from=d-x86_64 / /
COPY --from=b-x86_64 / /
FROM runtime-${TARGETARCH} AS runtime
"""


def test_the_other_order_turns_round_what_does_not_depend_on_each_other() -> None:
    order = other_order(read_graph(COMPONENTS), "runtime", ("amd64",))
    assert order == ("d-x86_64", "b-x86_64", "a-x86_64", "c-x86_64")
