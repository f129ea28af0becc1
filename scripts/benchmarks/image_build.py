"""The two sides of the comparison: one build each, bounded in time, with what it did as a record."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builder.build import BuildStep, Engine, Events
from builder.errors import ToolError
from builder.io import redacted, stream
from builder.lockfile import Lock, dump_lock
from builder.render import build_stage
from scripts.benchmarks.conventional import BASE, BUILDER, Conventional

__all__ = ["Conventionally", "Ours"]

ROOT = Path(__file__).resolve().parents[2]
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
_LINES = 20
_TIMED_OUT = 124  # timeout(1)
_ASK = (
    "export LC_ALL=C",
    "good=",
    ": >/found/missing",
    "fits() {",
    '  said=$(apt-get install -s -y --no-install-recommends "$@" 2>&1) || return 1',
    '  ! echo "$said" | grep -q DOWNGRADED',
    "}",
    'ask() { if fits "$1"; then good="$good $1"; else echo "${1%%=*}" >>/found/missing; fi; }',
)
"""Asks apt for one pinned package after the other, without installing any."""
_ASK_ALL = (
    "if ! fits $good $(cat /found/missing); then",
    '  for pin in $good; do echo "${pin%%=*}"; done >>/found/missing',
    "fi",
)
"""Asks for all of them together; where that does not do, none is pinned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """`python -m builder build`, with a store that holds nothing at first."""

    engine: Engine
    source: Path
    """The project whose places are used."""
    work: Path
    minutes: int

    @property
    def image(self) -> Path:
        """Where the image of the last build is."""
        return self.work / "ours.oci.tar"

    def build(self, lock: Lock, *, cache: bool) -> dict[str, Any]:
        """Build the lock; return seconds, and the components that were built."""
        project, output = self.work / "project", self.work / "built"
        _write_project(self.source, project, lock)
        target = lock.target
        argv = [sys.executable, "-m", "builder", "build", f"--project={project}", "--inputs=remote"]
        argv += [f"--store={self.work / 'store'}", f"--output={output}", "--format=json", "--quiet"]
        argv += [f"--release={target.release}", f"--platform={target.platform}", f"--arch={target.arch}"]
        argv += [
            f"--framework={target.framework}",
            *self.engine.arguments(),
            *([] if cache else ["--no-cache"]),
        ]
        said: list[str] = []
        began = time.monotonic()
        _run_within_minutes(argv, os.environ | {"PYTHONPATH": str(ROOT)}, said.append, self.minutes, said)
        seconds = round(time.monotonic() - began, 1)
        record = json.loads((output / "runtime.json").read_text("utf-8"))
        Path(record["image"]).replace(self.image)
        stages = {row["stage"]: row for row in record["stages"]}
        names = [build.component for build in lock.builds]
        own = {name: stages.get(build_stage(name, lock.arch), {}) for name in names}
        return {
            "seconds": seconds,
            "engine-seconds": record["seconds"],
            "components": {name: row["seconds"] for name, row in own.items() if row.get("ran")},
            "stages-run": sorted(name for name, row in stages.items() if row["ran"]),
        }


def _write_project(source: Path, project: Path, lock: Lock) -> None:
    """Write a project of one lock, without recipes: the places of `source` are its places."""
    shutil.rmtree(project, ignore_errors=True)
    file = project / "lock" / lock.target.path
    file.parent.mkdir(parents=True)
    file.write_bytes(dump_lock(lock))
    for name in ("recipes/origins.toml", "origins.toml"):
        if (source / name).is_file():
            (project / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(source / name, project / name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conventionally:
    """`docker buildx build` of the conventional Dockerfile, its network open."""

    engine: Engine
    base: str
    platform: str
    secrets: Mapping[str, Path]
    work: Path
    minutes: int

    @property
    def image(self) -> Path:
        """Where the image of the last build is."""
        return self.work / "conventional.oci.tar"

    def build(self, form: Conventional, *, cache: bool) -> dict[str, Any]:
        """Build the image; return seconds, and the components that were built."""
        output = f"type=oci,dest={self.image}"
        seconds, steps = self._run_buildx(form, "runtime", output, cache=cache)
        return {"seconds": seconds, **_by_component(form, steps)}

    def check(self, form: Conventional) -> None:
        """Run the lock's checks in the image, from the cache of the build before."""
        self._run_buildx(form, "check", "type=cacheonly", cache=True)

    def missing(self, pins: tuple[tuple[str, str], ...]) -> frozenset[str]:
        """Return the OS packages that can be installed in their locked version no more.

        The archive has dropped it, or the base image has newer packages that it does not fit.
        """
        lines = (
            f"ARG {BASE}",
            f"FROM ${{{BASE}}} AS asked",
            "RUN mkdir /found && apt-get update && sh -u <<'EOF'",
            *_ASK,
            *(f"ask {name}={version}" for name, version in pins),
            *_ASK_ALL,
            "EOF",
            "FROM scratch AS answer",
            "COPY --from=asked /found /",
        )
        text = "".join(f"{line}\n" for line in lines)
        form = Conventional(dockerfile=text, requirements="", steps=())
        folder = self.work / "asked"
        self._run_buildx(form, "answer", f"type=local,dest={folder}", cache=False)
        found = (folder / "missing").read_text("utf-8").split()
        shutil.rmtree(folder)
        return frozenset(found)

    def _run_buildx(
        self, form: Conventional, target: str, output: str, *, cache: bool
    ) -> tuple[float, list[BuildStep]]:
        context = self.work / "context"
        shutil.rmtree(context, ignore_errors=True)
        context.mkdir(parents=True)
        (context / "Dockerfile").write_text(form.dockerfile, "utf-8")
        (context / "requirements.txt").write_text(form.requirements, "utf-8")
        remote = [] if self.engine.driver == "docker" else ["--allow=network.host"]
        argv = [
            *self.engine.argv,
            "build",
            *self.engine.arguments(),
            "--progress=rawjson",
            "--provenance=false",
        ]
        argv += [
            "--sbom=false",
            "--network=host",
            *remote,
            f"--target={target}",
            f"--platform={self.platform}",
        ]
        argv += [f"--output={output}", f"--build-arg={BASE}={self.base}", *([] if cache else ["--no-cache"])]
        argv += [f"--build-arg={name}={os.environ[name]}" for name in _PROXIES if os.environ.get(name)]
        argv += [f"--secret=id={name},src={file}" for name, file in self.secrets.items()]
        events = Events()
        env = {**self.engine.environment, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
        began = time.monotonic()
        try:
            _run_within_minutes([*argv, str(context)], env, events.feed, self.minutes, events.other)
        except ToolError as error:
            raise _with_step(error, events) from error
        return round(time.monotonic() - began, 1), list(events.steps.values())


def _by_component(form: Conventional, steps: list[BuildStep]) -> dict[str, Any]:
    """Return the seconds of what was run in the builder stage, components apart from the rest."""
    seconds: dict[str, float] = {}
    for step in steps:
        if step.stage == BUILDER and step.what.startswith("RUN") and not step.cached:
            name = form.steps[step.number - 1]
            seconds[name] = round(seconds.get(name, 0) + step.seconds, 2)
    others = {"OS packages", "Python packages"}
    run = {f"{step.stage} {step.number}/{step.total}" for step in steps if step.stage and not step.cached}
    return {
        "components": {name: spent for name, spent in seconds.items() if name not in others},
        "others": {name: spent for name, spent in seconds.items() if name in others},
        "steps-run": sorted(run),
    }


def _with_step(error: ToolError, events: Events) -> ToolError:
    """Say which step failed, and what it said last."""
    step = events.failed()
    if step is None:
        return error
    lines = "".join(f"\n  | {redacted(line)}" for line in list(events.lines(step))[-_LINES:])
    what = step.what.partition("\n")[0]
    cause = f"step {step.number} of {step.total} failed: {what[:100]}{lines}\n  {error.cause}"
    return ToolError(cause, place=f"conventional Dockerfile, stage {step.stage}", hint=error.hint)


def _run_within_minutes(
    argv: list[str], env: Mapping[str, str], heard: Callable[[str], None], minutes: int, said: Iterable[str]
) -> None:
    """Run a program for so many minutes at most; ToolError with its last lines."""
    bounded = ("timeout", "--signal=INT", "--kill-after=60", str(60 * minutes), *argv)
    code = stream(bounded, env=env, heard=heard)
    if code == _TIMED_OUT:
        hint = "allow more: --minutes N; what is done already is not repeated with --resume"
        raise ToolError(f"did not end within {minutes} minutes", place=argv[0], hint=hint)
    if code:
        lines = "".join(said).splitlines()[-_LINES:]
        text = "".join(f"\n  | {redacted(line)}" for line in lines)
        raise ToolError(f"ended with exit code {code}{text}", place=" ".join(argv[:4]))
