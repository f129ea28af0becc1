"""buildah: where it is, what it can build, one build by it, and what it writes while it builds.

It announces each instruction on a line, `[4/8] STEP 3/3: RUN …`, and writes
what the instruction says below it. Stages are made one after another, but one
that an instruction reads from is made when it is asked for: the instruction
that was announced goes on after it.
"""

from __future__ import annotations

import os
import re
import resource
import secrets
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from builder.build.events import BuildStep
from builder.build.request import BuildRequest, Built, arriving, hint_for, step_failure, with_lines
from builder.build.stage_graph import instruction_lines, is_counted, read_graph
from builder.errors import ToolError, UsageError
from builder.io import NO_HOME, clean_environment, locked, run, stream, user_cache_folder
from builder.json_text import parse_json

__all__ = ["Buildah", "BuildahEvents", "build", "find_buildah", "without_link"]


_OLDEST = (1, 39)  # the oldest that was tried and can; 1.28 refuses here-documents
_PASSED_ON = ("CONTAINERS_STORAGE_CONF", "HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")
# containers.conf may give every step variables, mounts and more.
_FIXED = {"CONTAINERS_CONF": "/dev/null"}
_TIMEOUT = 120.0  # seconds
_INSTALL = "install buildah 1.39 or newer, with netavark, or bring up the lab: scripts/lab up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Buildah:
    """One buildah, with the place where it keeps images. There is no daemon."""

    environment: Mapping[str, str]
    version: str
    runtime: str
    """The program that runs steps, such as runc."""
    storage: str
    """The driver that keeps files, such as overlay."""
    platforms: tuple[str, ...]
    processors: int | None = None

    def describe(self) -> dict[str, str]:
        """Return what a digest has to be read with."""
        return {"buildah": self.version, "runtime": self.runtime, "storage": self.storage}

    @property
    def otherwise(self) -> str:
        """What to do for a platform that it does not have."""
        return "build on a machine of that architecture, or by emulation with --engine buildkit"


def find_buildah(*, environ: Mapping[str, str] | None = None) -> Buildah:
    """Return the buildah of PATH; neither its variables nor its configuration change an image.

    ToolError where it is missing, too old, or cannot work here.
    """
    source = os.environ if environ is None else environ
    passed = {name: source[name] for name in _PASSED_ON if source.get(name)}
    env = clean_environment({**passed, **_FIXED}, base=source)
    version = _buildah_version(env)
    info = _buildah_info(env)
    host, store = info.get("host", {}), info.get("store", {})
    processors = host.get("cpus")
    return Buildah(
        environment=env,
        version=version,
        runtime=os.path.basename(host.get("OCIRuntime", "unknown")),  # noqa: PTH119 - a string, not a path
        storage=store.get("GraphDriverName", "unknown"),
        platforms=(f"{host.get('os', 'linux')}/{host.get('arch', 'unknown')}",),
        processors=processors if isinstance(processors, int) else None,
    )


def _buildah_version(env: Mapping[str, str]) -> str:
    try:
        text = run(("buildah", "--version"), env=env, timeout=_TIMEOUT).output
    except ToolError as cause:
        raise ToolError(cause.cause, place=cause.place, hint=_INSTALL) from None
    found = re.search(r"\bversion ((\d+)\.(\d+)[0-9A-Za-z.+~-]*)", text)
    if found is None:
        raise ToolError(f"prints no version: {text.strip()[:80]!r}", place="buildah --version", hint=_INSTALL)
    if (int(found[2]), int(found[3])) < _OLDEST:
        raise ToolError(f"{found[1]} is too old", place="buildah", hint=_INSTALL)
    return found[1]


def _buildah_info(env: Mapping[str, str]) -> dict[str, Any]:
    text = run(("buildah", "info"), env=env, timeout=_TIMEOUT).output
    try:
        found = parse_json(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ToolError(f"is not a JSON object: {text.strip()[:80]!r}", place="buildah info")
    return found


_STEP = re.compile(r"(?:\[(?P<stage>\d+)/\d+\] )?STEP (?P<number>\d+)/\d+: (?P<what>[A-Z]+ .*)")
_NAMED = re.compile(r"FROM \S+ AS (?P<name>\S+)")
_FAILED = re.compile(r'Error: building at STEP "(?P<what>.*)": (?P<error>.*)')
_KEPT_LINES = 40


class BuildahEvents:
    """Turns the text into steps; feed it text as it arrives."""

    def __init__(self, dockerfile: str, heard: Callable[[BuildStep], None] | None = None) -> None:
        self.steps: dict[str, BuildStep] = {}
        self.lines: deque[str] = deque(maxlen=_KEPT_LINES)
        """The last lines that announce no step."""
        self._graph = read_graph(dockerfile)
        self._heard = heard
        self._names: dict[int, str] = {}
        self._counts: dict[int, int] = {}
        self._open: list[tuple[int, BuildStep]] = []
        self._text = ""

    def feed(self, text: str) -> None:
        """Take the next piece of the text."""
        *whole, self._text = (self._text + text).split("\n")
        for line in whole:
            self._take_line(line)

    def close(self, *, done: bool) -> None:
        """Take what is left; `done` says whether the build ended well."""
        if self._text:
            self._take_line(self._text)
            self._text = ""
        if done:
            self._end_earlier_steps(None)

    def failed(self) -> BuildStep | None:
        """Return the step that failed, with its error."""
        return next((step for step in self.steps.values() if step.error), None)

    def _take_line(self, line: str) -> None:
        found = _STEP.search(line)
        if found:
            self._step_announced(int(found["stage"] or 1), found["what"])
            return
        failed = _FAILED.search(line)
        if failed:
            self._mark_failed_step(failed["what"], failed["error"])
            return
        self.lines.append(line.rpartition("\r")[2] or line.rstrip("\r"))

    def _step_announced(self, stage: int, what: str) -> None:
        self._end_earlier_steps(stage)
        named = _NAMED.match(what)
        if named:
            self._names[stage] = named["name"]
        node = self._graph.get(self._names.get(stage, ""))
        if node is None or not (is_counted(what) or (named and "@" in node.base)):
            return
        self.lines.clear()
        self._counts[stage] = self._counts.get(stage, 0) + 1
        step = BuildStep(
            digest=f"{node.name}:{self._counts[stage]}",
            stage=node.name,
            number=self._counts[stage],
            total=node.steps,
            what=what,
            began=time.time(),
        )
        self._open.append((stage, step))
        self._tell_step(step)

    def _end_earlier_steps(self, stage: int | None) -> None:
        """End the steps that are over when `stage` goes on; later stages wait for an earlier one."""
        while self._open and (stage is None or self._open[-1][0] <= stage):
            self._tell_step(replace(self._open.pop()[1], done=True, ended=time.time()))

    def _mark_failed_step(self, what: str, error: str) -> None:
        """Find the step of a message, which has no stage and other spaces: the last that is not over."""
        for _, step in reversed(self._open):
            if _without_colors(step.what).startswith(_without_colors(what)):
                self._tell_step(replace(step, error=error, ended=time.time()))
                return
        self.lines.append(f"{what}: {error}")

    def _tell_step(self, step: BuildStep) -> None:
        self.steps[step.digest] = step
        if self._heard is not None:
            self._heard(step)


def _without_colors(text: str) -> str:
    return " ".join(text.split())


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
        locked(_buildah_lock()),
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


def _buildah_lock() -> Path:
    caches = user_cache_folder()
    if caches is None:
        hint = "set HOME: builds wait for each other at a file below it"
        raise UsageError(NO_HOME, place="buildah", hint=hint)
    return caches / "buildah.lock"


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
