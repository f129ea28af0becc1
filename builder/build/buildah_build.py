"""One build by buildah: a Dockerfile, the store as build context, an image in OCI layout."""

from __future__ import annotations

__all__ = ["build", "without_link"]

import os
import resource
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

from builder.build.buildah import Buildah
from builder.build.buildah_events import BuildahEvents
from builder.build.events import BuildStep
from builder.build.request import BuildRequest, Built, arriving, hint_for, step_failure, with_lines
from builder.build.stage_graph import instruction_lines
from builder.errors import ToolError, UsageError
from builder.io import locked, run, stream

_HINTS = (
    ("image not known", "get the base first, because buildah pulls nothing here: `buildah pull NAME@DIGEST`"),
    ("no space left", "free space where buildah keeps its data: buildah rm --all; buildah rmi --prune"),
    ("netavark", "install netavark: buildah requires it, although no step has a network"),
)
_LIMITS = (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC))
_MOST = 2**20
"""buildah's own limit for both."""
_TEMPORARY = "/var/tmp"  # noqa: S108 - nothing is made there under a name that could be known
_LINKED = ("ADD --link ", "COPY --link ")


def build(engine: Buildah, request: BuildRequest, heard: Callable[[BuildStep], None] | None = None) -> Built:
    """Build, and leave the image in `request.output`, which is replaced as a whole or not at all.

    Every step is run, whatever `request.cache` says; another build of the same
    user is waited for. ToolError names the stage that failed, its rows of the
    lock, and its last lines.
    """
    if len(request.platforms) != 1:
        raise UsageError(
            f"buildah builds one architecture, not {', '.join(request.platforms)}",
            place="--arch",
            hint="name one --arch",
        )
    events = BuildahEvents(request.dockerfile, heard)
    began = time.monotonic()
    # Two builds at a time that come to the same layer fail: one removes what the other still uses.
    with (
        locked(user_cache_path("lockwright") / "buildah.lock"),
        tempfile.TemporaryDirectory(prefix="lockwright-", dir=_roomy_temporary_folder(engine)) as name,
    ):
        # buildah writes every here-document to one file of its temporary folder: two builds that
        # share the folder read each other's.
        env = {**engine.environment, "TMPDIR": name}
        with _built_image(request, events, Path(name), env) as image:
            if request.output is not None:
                with arriving(request.output, ":,") as half:
                    # buildah's own `--tag oci-archive:…` writes the file and then fails, looking for it.
                    run(("buildah", "push", "--quiet", image, f"oci-archive:{half}"), env=env)
    return Built(seconds=round(time.monotonic() - began, 1), steps=tuple(events.steps.values()))


def without_link(dockerfile: str) -> str:
    """Return a rendered Dockerfile without `--link`, which buildah 1.39 refuses.

    The option says how a layer is made, not what is in it.
    """
    lines = []
    for line, instruction in instruction_lines(dockerfile):
        linked = instruction and line.startswith(_LINKED)
        lines.append(line.replace(" --link ", " ", 1) if linked else line)
    return "\n".join(lines) + "\n"


def _roomy_temporary_folder(engine: Buildah) -> str | None:
    """Return the folder in which buildah itself would put temporary files: /tmp is often in memory."""
    return engine.environment.get("TMPDIR") or (_TEMPORARY if os.access(_TEMPORARY, os.W_OK) else None)


@contextmanager
def _built_image(
    request: BuildRequest, events: BuildahEvents, folder: Path, env: Mapping[str, str]
) -> Iterator[str]:
    """Give the name of the image that was built, and leave nothing of it where buildah keeps images.

    The name is this build's own: another user of the same storage may have made the same image.
    """
    image = f"localhost/lockwright-{secrets.token_hex(8)}"
    (folder / "Dockerfile").write_text(without_link(request.dockerfile), "utf-8")
    code = stream(_buildah_arguments(request, folder, image), env=env, heard=events.feed, cwd=folder)
    events.close(done=code == 0)
    if code != 0:
        raise _build_failure(events, request, code)
    try:
        yield image
    finally:
        run(("buildah", "rmi", image), env=env, accept=(0, 1, 125))


def _buildah_arguments(request: BuildRequest, folder: Path, image: str) -> tuple[str, ...]:
    context = str(request.context.absolute())
    return (
        "buildah",
        "--default-mounts-file=/dev/null",  # a distribution's mounts.conf puts secrets into steps
        "build",
        f"--file={folder / 'Dockerfile'}",
        f"--tag={image}",
        f"--build-context=store={context}",
        f"--target={request.target}",
        f"--platform={request.platforms[0]}",
        "--format=oci",
        f"--timestamp={request.source_date_epoch}",
        f"--build-arg=SOURCE_DATE_EPOCH={request.source_date_epoch}",
        # buildah's cache takes a RUN for the same though the stage that it mounts is another.
        "--no-cache",
        "--layers=false",
        # Stages made at a time would read each other's here-documents, as builds would.
        "--jobs=1",
        "--pull=never",
        "--network=none",
        "--http-proxy=false",
        "--identity-label=false",
        "--no-hostname",
        "--force-rm",
        *(f"--ulimit={name}={_hard_limits(which)}" for name, which in _LIMITS),
        *([f"--cgroup-parent={request.cgroup_parent}"] if request.cgroup_parent else []),
        context,
    )


def _hard_limits(which: int) -> str:
    """Return this process's own hard limit, soft and hard: buildah's could be more than it may have."""
    hard = resource.getrlimit(which)[1]
    most = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    return f"{most}:{most}"


def _build_failure(events: BuildahEvents, request: BuildRequest, code: int) -> ToolError:
    lines = [line for line in events.lines if line.strip()]
    step = events.failed()
    if step is None:
        cause = f"buildah build ended with exit code {code}"
        return ToolError(with_lines(cause, lines), place="buildah", hint=hint_for(lines, _HINTS))
    hint = hint_for([step.error, *lines], _HINTS)
    ending = step.error.removeprefix("while running runtime: ")
    return step_failure(request.dockerfile, step, ending, lines, hint)
