"""Real builds: `scripts/lab up`, then pytest --lab."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from builder.engine.buildkit import Built, Request, build
from builder.engine.compare import DIFFERENT, IDENTICAL
from builder.engine.context import build_context
from builder.engine.docker import Engine, find_engine
from builder.engine.events import Step
from builder.engine.images import open_images
from builder.engine.reproduce import Reproduction, Variation, reproduce
from builder.errors import ToolError
from builder.fetch.store import Store
from tests.engine.samples_root import write_root

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


Asking = Callable[..., Request]


@pytest.fixture
def asking(store: Store, root: str, engine: Engine, tmp_path: Path) -> Iterator[Asking]:
    with build_context(store, [root]) as context:

        def ask(*stages: tuple[str, str], more: str = "", **options: Any) -> Request:
            text = HEAD.format(root=f"sha256/{root[:2]}/{root[2:]}")
            text += "".join(STAGE.format(name=name, script=script) for name, script in stages)
            return Request(
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
def unwatched(_title: str) -> Iterator[Callable[[Step], None]]:
    yield lambda _step: None


def twice(engine: Engine, request: Request, tmp_path: Path, **variation: Any) -> Reproduction:
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
    base = [("one", "echo 1 >/1"), ("two", "echo 2 >/2")]
    joined = ("all", "echo all >/all")
    more = "COPY --link --from=one-x86_64 /1 /1\nCOPY --link --from=two-x86_64 /2 /2\n"
    build(engine, asking(*base, joined, more=more, output=None))
    changed = [base[0], ("two", "echo 22 >/2")]
    again = build(engine, asking(*changed, joined, more=more, output=None))
    assert "two-x86_64" in ran(again)
    assert "one-x86_64" not in ran(again)
    same = build(engine, asking(*changed, joined, more=more, output=None))
    assert ran(same) == []
