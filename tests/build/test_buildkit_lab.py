"""Real builds: `scripts/lab up`, then pytest --lab."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from builder.build.buildkit import Engine, build, find_engine
from builder.build.events import BuildStep
from builder.build.request import BuildRequest, Built, build_context
from builder.errors import ToolError
from builder.oci.images import open_images
from builder.reproduce.builds import Reproduction, Variation, reproduce
from builder.reproduce.comparison import DIFFERENT, IDENTICAL
from builder.store.store import Store
from tests.build.samples_root import write_root

pytestmark = pytest.mark.lab

POLICY = json.dumps(
    {
        "rules": [
            {"action": "DENY", "selector": {"identifier": "*"}},
            {"action": "ALLOW", "selector": {"identifier": "local://*"}},
        ]
    }
)
HEAD = """\
FROM scratch AS store

# images: the machine's own programs
FROM scratch AS base-x86_64
ADD --link {root} /
"""
STAGE = """
# builds: {name} 1.0 (MIT), make
FROM base-x86_64 AS {name}-x86_64
ARG SOURCE_DATE_EPOCH
RUN --network=none <<'EOF'
set -eu
{script}
EOF
"""


@pytest.fixture(scope="module")
def engine() -> Engine:
    return find_engine()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def root(store: Store, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("root") / "root.tar"
    write_root(file)
    return store.add_bytes(file.read_bytes())


Asking = Callable[..., BuildRequest]


@pytest.fixture
def asking(store: Store, root: str, engine: Engine, tmp_path: Path) -> Iterator[Asking]:
    with build_context(store, [root]) as context:

        def ask(*stages: tuple[str, str], more: str = "", **options: Any) -> BuildRequest:
            text = HEAD.format(root=f"sha256/{root[:2]}/{root[2:]}")
            text += "".join(STAGE.format(name=name, script=script) for name, script in stages)
            return BuildRequest(
                dockerfile=text + more,
                policy=POLICY,
                context=context,
                platforms=(engine.platforms[0],),
                target=f"{stages[-1][0]}-x86_64",
                source_date_epoch=1787875200,
                **{"output": tmp_path / "image.oci.tar", **options},
            )

        yield ask


@contextmanager
def unwatched(_title: str) -> Iterator[Callable[[BuildStep], None]]:
    yield lambda _step: None


def twice(engine: Engine, request: BuildRequest, tmp_path: Path, **variation: Any) -> Reproduction:
    return reproduce(engine, request, tmp_path / "second.oci.tar", Variation(**variation), unwatched)


def ran(built: Built) -> list[str]:
    return sorted({step.stage for step in built.steps if step.stage and not step.cached})


def test_a_deterministic_build_has_one_digest(engine: Engine, asking: Asking, tmp_path: Path) -> None:
    request = asking(("thing", "mkdir /opt; printf 'fixed\\n' >/opt/file"))
    found = twice(engine, request, tmp_path, pause=1.5)
    assert found.comparison.verdict == IDENTICAL
    assert all("thing-x86_64" in ran(built) for built in found.builds), "neither came from the cache"
    assert request.output is not None
    with open_images(request.output) as layout:
        (image,) = layout.images()
        entries = {entry.path: entry for entry in layout.entries(image.layers[-1])}
    assert entries["opt/file"].sha256 == hashlib.sha256(b"fixed\n").hexdigest()
    assert entries["opt/file"].mtime == request.source_date_epoch


def test_another_order_makes_each_stage_once_and_anew(engine: Engine, asking: Asking, tmp_path: Path) -> None:
    stages = [("one", "echo 1 >/1"), ("two", "date +%s >/2")]
    more = "COPY --link --from=one-x86_64 /1 /1\nCOPY --link --from=two-x86_64 /2 /2\n"
    request = asking(*stages, ("all", "echo all >/all"), more=more)
    order = ("two-x86_64", "one-x86_64")
    found = twice(engine, request, tmp_path, pause=1.5, order=order)
    for built in found.builds:
        made = [step.stage for step in built.steps if step.what.startswith("RUN") and not step.cached]
        assert sorted(made) == ["all-x86_64", "one-x86_64", "two-x86_64"]
    second = [step.stage for step in found.builds[1].steps if step.what.startswith("RUN") and not step.cached]
    assert second == [*order, "all-x86_64"]
    assert [finding.path for finding in found.comparison.findings] == ["2"], (
        "the second build is the newer one"
    )


PLANTED = """\
mkdir -p /opt/__pycache__ /var/log /var/cache/ldconfig
case "$(hostname)" in another-*) second=1 ;; *) second=0 ;; esac
date >/opt/built
printf '\\177ELF %s' "$(date)" >/opt/binary
hostname >/opt/host
date +%s >/var/log/thing.log
date +%s >/var/cache/ldconfig/aux-cache
date +%s >/opt/__pycache__/x.cpython-313.pyc
echo x >/opt/old; touch -d "@$(($(date +%s) - 900000000))" /opt/old
echo x >/opt/x; echo y >/opt/y; touch /opt/x; touch -d @0 /opt/y
tar -C /opt -cf /opt/times.tar x
if [ $second = 0 ]; then order="x y"; mask=022; job=2; else order="y x"; mask=002; job=1; fi
tar -C /opt --mtime=@0 -cf /opt/order.tar $order
(umask $mask; echo x >/opt/umask)
echo "flags: make -j$job" >/opt/flags
for part in $order; do echo "linked $part"; done | cat - /dev/null >/opt/parallel
printf 'Bear\\nZebra\\nant\\n' >/opt/names
[ $second = 0 ] || printf 'ant\\nBear\\nZebra\\n' >/opt/names
if [ $second = 0 ]; then echo '{"a": 1, "b": 2}'; else echo '{"b": 2, "a": 1}'; fi >/opt/keys.json
mktemp /tmp/ccXXXXXX >/opt/temporary; rm /tmp/cc*"""
CAUSES = {
    "opt/__pycache__/x.cpython-313.pyc": "bytecode",
    "opt/binary": "build-time",
    "opt/built": "build-time",
    "opt/flags": "processors",
    "opt/host": "hostname",
    "opt/keys.json": "key-order",
    "opt/names": "locale-order",
    "opt/old": "mtime",
    "opt/order.tar": "archive-order",
    "opt/parallel": "line-order",
    "opt/temporary": "temporary-name",
    "opt/times.tar": "archive-metadata",
    "opt/umask": "umask",
    "var/cache/ldconfig/aux-cache": "cache",
    "var/log/thing.log": "log",
}


def test_what_two_builds_differ_in_is_named(engine: Engine, asking: Asking, tmp_path: Path) -> None:
    other = (engine.processors or 2) - 1
    script = PLANTED.replace("job=2", f"job={engine.processors or 2}").replace("job=1", f"job={other}")
    request = asking(("thing", script))
    found = twice(engine, request, tmp_path, pause=1.5, processors=other).comparison
    assert {finding.path: finding.causes for finding in found.findings} == {
        path: (cause,) for path, cause in CAUSES.items()
    }
    assert len(set(CAUSES.values())) >= 10
    assert found.verdict == DIFFERENT, "umask is no harmless cause"


def test_a_failure_names_its_stage_rows_and_last_lines(
    engine: Engine, asking: Asking, tmp_path: Path
) -> None:
    script = "for i in 1 2 3 4 5; do for j in 1 2 3 4 5 6 7 8 9; do echo line $i$j; done; done; exit 3"
    with pytest.raises(ToolError) as caught:
        build(engine, asking(("good", ":"), ("ucx", script)))
    text = str(caught.value)
    assert text.startswith("stage ucx-x86_64: step 1 of 1 failed: exit code: 3\n")
    assert "of builds: ucx 1.0 (MIT), make" in text
    assert text.endswith("  | line 59")
    assert "line 31" not in text
    assert not list(tmp_path.iterdir()), "no half-written image is left"


def test_the_policy_denies_what_is_not_in_the_lock(engine: Engine, asking: Asking) -> None:
    more = f"ADD --checksum=sha256:{'0' * 64} http://127.0.0.1:9/unlisted /x\n"
    with pytest.raises(ToolError, match="denied by policy") as caught:
        build(engine, asking(("thing", ":"), more=more))
    assert "not in the lock" in caught.value.hint


def test_a_step_has_no_network(engine: Engine, asking: Asking) -> None:
    """Only loopback is there: the kernel lists no other interface."""
    script = 'while read -r name _; do case "$name" in lo:|Inter-*|face*) ;; *) exit 9 ;; esac; done </proc/net/dev'
    build(engine, asking(("thing", script), output=None))


def test_only_what_changed_is_built_again(engine: Engine, asking: Asking) -> None:
    run = uuid.uuid4().hex  # the engine remembers earlier runs of this test
    base = [("one", f"echo {run} >/1"), ("two", f"echo {run} >/2")]
    joined = ("all", "echo all >/all")
    more = "COPY --link --from=one-x86_64 /1 /1\nCOPY --link --from=two-x86_64 /2 /2\n"
    build(engine, asking(*base, joined, more=more, output=None))
    changed = [base[0], ("two", f"echo 2{run} >/2")]
    again = build(engine, asking(*changed, joined, more=more, output=None))
    assert "two-x86_64" in ran(again)
    assert "one-x86_64" not in ran(again)
    same = build(engine, asking(*changed, joined, more=more, output=None))
    assert ran(same) == []


def check_script() -> str:
    """The part of a rendered Dockerfile that brings in the script of the checks stage."""
    text = (Path(__file__).parents[1] / "golden" / "fabric" / "store.Dockerfile").read_text("utf-8")
    start = text.index("COPY --link --chmod=755 <<'EOF' /check\n")
    return text[start : text.index("\nEOF\n", start) + 5]


@pytest.mark.parametrize("version", ["1.21.0", "1.21.1"])
def test_the_checks_stage_fails_for_a_wrong_version(engine: Engine, asking: Asking, version: str) -> None:
    more = f"""
# checks of builds and runtime: each must succeed and print what is expected
FROM ucx-x86_64 AS check-x86_64
{check_script()}
RUN --network=none <<'EOF'
set -eu
/check 'Library version: {version}' /ucx_info
EOF
"""
    script = "printf '#!/bin/sh\\necho \"# Library version: 1.21.0\"\\n' >/ucx_info; chmod 755 /ucx_info"
    request = asking(("ucx", script), more=more, output=None)
    request = dataclasses.replace(request, target="check-x86_64")
    if version == "1.21.0":
        assert "check-x86_64" in {step.stage for step in build(engine, request).steps}
        return
    with pytest.raises(ToolError) as caught:
        build(engine, request)
    text = str(caught.value)
    assert text.startswith("stage check-x86_64: ")
    assert "of checks of builds and runtime" in text
    assert text.endswith(f"  | # Library version: 1.21.0\n  | not in this output: Library version: {version}")
