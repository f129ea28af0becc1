"""Real builds by buildah: `scripts/lab up`, then pytest --lab."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from builder.build.buildah import Buildah, build
from builder.build.request import BuildRequest, build_context
from builder.errors import ToolError
from builder.io.process import run
from builder.oci.images import open_images
from builder.store.store import Store
from tests.build.samples_root import write_root

pytestmark = pytest.mark.lab

DOCKERFILE = """\
FROM scratch AS store

# images: the machine's own programs
FROM scratch AS base-x86_64
ADD --link {root} /

# python for runtime
FROM scratch AS files-x86_64
COPY --link --chmod=644 <<'EOF' /text
{text}
EOF

# builds: thing 1.0 (MIT), make
FROM base-x86_64 AS thing-x86_64
ARG SOURCE_DATE_EPOCH
RUN --network=none \\
    --mount=type=bind,from=files-x86_64,target=/files <<'EOF'
set -eu
mkdir /out
{script}
EOF

FROM base-x86_64 AS runtime
COPY --link --from=thing-x86_64 /out /out
COPY --link --from=files-x86_64 /text /text
"""
EPOCH = 1787875200
Asking = Callable[..., BuildRequest]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture
def asking(store: Store, buildah: Buildah, tmp_path: Path) -> Iterator[Asking]:
    write_root(tmp_path / "root.tar")
    root = store.add_bytes((tmp_path / "root.tar").read_bytes())
    with build_context(store, [root]) as context:

        def ask(script: str, text: str = "text", output: Path | None = None) -> BuildRequest:
            place = f"sha256/{root[:2]}/{root[2:]}"
            return BuildRequest(
                dockerfile=DOCKERFILE.format(root=place, text=text, script=script),
                policy="",
                context=context,
                platforms=buildah.platforms,
                target="runtime",
                source_date_epoch=EPOCH,
                output=output,
            )

        yield ask


def contents(image: Path) -> dict[str, bytes]:
    with open_images(image) as layout:
        (one,) = layout.images()
        found: dict[str, bytes] = {}
        for layer in one.layers:
            with layout.opened(layer) as files:
                found |= {path: content.read() for path, content in files}
        return found


def test_two_builds_are_one_image_and_nothing_stays_behind(
    buildah: Buildah, asking: Asking, tmp_path: Path
) -> None:
    places = {"graphroot": tmp_path / "images", "runroot": tmp_path / "run"}
    rows = [f'{name} = "{path}"' for name, path in places.items()]
    (tmp_path / "storage.conf").write_text("\n".join(["[storage]", 'driver = "overlay"', *rows, ""]))
    own = {**buildah.environment, "CONTAINERS_STORAGE_CONF": str(tmp_path / "storage.conf")}
    digests = []
    for name in ("first.tar", "second.tar"):
        script = 'echo "$SOURCE_DATE_EPOCH" >/out/epoch; cat /files/text >/out/copy'
        build(dataclasses.replace(buildah, environment=own), asking(script, output=tmp_path / name))
        with open_images(tmp_path / name) as layout:
            digests.append(layout.digest)
            (image,) = layout.images()
            times = {entry.mtime for layer in image.layers for entry in layout.entries(layer)}
        assert times == {EPOCH}
    assert digests[0] == digests[1]
    found = contents(tmp_path / "first.tar")
    assert (found["out/epoch"], found["out/copy"], found["text"]) == (b"%d\n" % EPOCH, b"text\n", b"text\n")
    assert (tmp_path / "images" / "overlay-images").is_dir(), "this is where they were made"
    assert run(("buildah", "images", "--all", "--quiet"), env=own).output == ""
    assert run(("buildah", "containers", "--quiet"), env=own).output == ""


def test_a_step_that_reads_another_stage_is_run_again(
    buildah: Buildah, asking: Asking, tmp_path: Path
) -> None:
    """buildah's own cache takes the third of these for the first."""
    for text in ("one", "two", "two"):
        build(buildah, asking("cat /files/text >/out/copy", text, tmp_path / text))
        assert contents(tmp_path / text)["out/copy"] == f"{text}\n".encode()


def test_a_step_has_no_network_and_no_proxy(buildah: Buildah, asking: Asking) -> None:
    behind = {**buildah.environment, "http_proxy": "http://127.0.0.1:9"}
    interfaces = 'while read -r name _; do case "$name" in lo:|Inter-*|face*) ;; *) exit 9 ;; esac; done'
    build(
        dataclasses.replace(buildah, environment=behind),
        asking(f'[ -z "${{http_proxy-}}" ]\n{interfaces} </proc/net/dev'),
    )


def test_a_failure_names_its_stage_rows_and_last_lines(
    buildah: Buildah, asking: Asking, tmp_path: Path
) -> None:
    script = "for i in 1 2 3 4 5; do for j in 1 2 3 4 5 6 7 8 9; do echo line $i$j; done; done; exit 3"
    with pytest.raises(ToolError) as caught:
        build(buildah, asking(script, output=tmp_path / "image.tar"))
    text = str(caught.value)
    assert text.startswith("stage thing-x86_64: step 1 of 1 failed: exit status 3\n")
    assert "of builds: thing 1.0 (MIT), make" in text
    assert text.endswith("  | line 59")
    assert "line 31" not in text
    assert not (tmp_path / "image.tar").exists()
