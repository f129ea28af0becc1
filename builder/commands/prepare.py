"""What `build` and `reproduce` share: locks to something that an engine can build, and its progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from builder.build import AnyEngine, BuildRequest, BuildStep, Built, build_context, read_graph, stages_for
from builder.commands.render import FILES
from builder.console import Steps
from builder.errors import UsageError
from builder.io import write_atomic
from builder.lockfile import Lock
from builder.locks import read_locks, select_image
from builder.model import Sha256, Target
from builder.project import Project
from builder.provision import fill_store, first_addresses
from builder.render import OUTPUT, Addresses, Inputs, Rendered, output_stages, render
from builder.selection import Selection

__all__ = ["Prepared", "prepared", "progress", "stage_rows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """One image that can be built: its locks, its files, and its build context."""

    locks: tuple[tuple[Lock, bytes], ...]
    rendered: Rendered
    folder: Path
    """Where results go."""
    context: Path
    component: str = ""
    """What is built alone, if anything is."""

    @property
    def image(self) -> Path:
        """The file of the image."""
        first = self.locks[0][0]
        alone = next((build for build in first.builds if build.component == self.component), None)
        name = f"{alone.component}-{alone.version}" if alone else f"{first.framework}-{first.release}"
        return self.folder / f"{name}.oci.tar"

    def alone(self, component: str) -> Prepared:
        """Return what makes an image of one component alone; UsageError where a lock does not build it."""
        locks = [lock for lock, _ in self.locks]
        dockerfile = self.rendered.dockerfile + output_stages(locks, component)
        return replace(self, rendered=replace(self.rendered, dockerfile=dockerfile), component=component)

    def what(self, target: str) -> dict[str, object]:
        """Return what is built, for a record of it: the component that is alone, or a target of the image."""
        return {"component": self.component} if self.component else {"target": target}

    def request(self, target: str, output: Path | None) -> BuildRequest:
        """Return the request to build a target of it."""
        return BuildRequest(
            dockerfile=self.rendered.dockerfile,
            policy=self.rendered.policy,
            context=self.context,
            platforms=tuple(lock.arch.oci for lock, _ in self.locks),
            target=OUTPUT if self.component else target,
            source_date_epoch=self.locks[0][0].source_date_epoch,
            output=output,
        )

    def describe(self) -> dict[str, object]:
        """Return what was built of what, for a record of it."""
        return {
            "locks": {f"lock/{lock.target.path}": f"sha256:{Sha256.of(data)}" for lock, data in self.locks},
            "source-date-epoch": self.locks[0][0].source_date_epoch,
        }


@contextmanager
def prepared(
    project: Project, selection: Selection, inputs: Inputs, engine: AnyEngine, output: Path | None
) -> Iterator[Prepared]:
    """Render the selected image, write its files, fill the store, and yield it with its build context."""
    targets = _buildable(project, select_image(project, selection), selection, engine)
    locks = read_locks(project, targets)
    plain = [lock for lock, _ in locks]
    addresses = Addresses() if inputs is Inputs.STORE else first_addresses(project, plain)
    rendered = render(locks, inputs=inputs, addresses=addresses)
    first = targets[0]
    folder = output or project.root / "rendered" / first.release / first.platform / first.framework
    for name, text in zip(FILES, (rendered.dockerfile, rendered.policy, rendered.bake), strict=True):
        write_atomic(folder / name, text.encode())
    wanted = fill_store(project, plain, inputs)
    with build_context(project.store, wanted.digests()) as context:
        yield Prepared(locks=locks, rendered=rendered, folder=folder, context=context)


def _buildable(
    project: Project, targets: Sequence[Target], selection: Selection, engine: AnyEngine
) -> tuple[Target, ...]:
    """Return the targets that the engine can run; one that was asked for by name and cannot is an error."""
    able = tuple(target for target in targets if target.arch.oci in engine.platforms)
    unable = ", ".join(target.arch.oci for target in targets if target not in able)
    if not unable:
        return able
    if selection.arches or not able:
        raise UsageError(
            f"this engine cannot run {unable}; it has {', '.join(engine.platforms) or 'no platform'}",
            place="--arch",
            hint=engine.otherwise,
        )
    project.console.status(f"left out, because this engine cannot run it: {unable}")
    return able


@contextmanager
def progress(project: Project, request: BuildRequest, title: str) -> Iterator[Callable[[BuildStep], None]]:
    """Show progress in stages while the engine builds."""
    graph = read_graph(request.dockerfile)
    arches = tuple(platform.partition("/")[2] for platform in request.platforms)
    expected = {
        name: graph[name].steps for name in stages_for(graph, request.target, arches) if graph[name].steps
    }
    with project.console.steps(title, len(expected)) as steps:
        yield _Stages(steps, expected).heard


class _Stages:
    """Notices when a stage is complete. BuildKit counts the parts of one instruction under one number."""

    def __init__(self, steps: Steps, expected: dict[str, int]) -> None:
        self._steps = steps
        self._expected = expected
        self._done: dict[str, dict[str, BuildStep]] = {}
        self._said: set[str] = set()

    def heard(self, step: BuildStep) -> None:
        """Take a step's news; say when it was the last of its stage."""
        if not step.done or step.error or step.stage not in self._expected or step.stage in self._said:
            return
        done = self._done.setdefault(step.stage, {})
        done[step.digest] = step
        if len({one.number for one in done.values()}) == self._expected[step.stage]:
            self._said.add(step.stage)
            seconds = _span(list(done.values()))
            self._steps.done(f"{step.stage}: {f'{seconds:.1f} s' if seconds >= 0.1 else 'cached'}")


def stage_rows(built: Built, dockerfile: str) -> list[dict[str, object]]:
    """Return each stage: its instructions, how many of its RUN were run and not cached, and its seconds."""
    graph = read_graph(dockerfile)  # what several builds share, BuildKit may call by another build's name
    stages: dict[str, list[BuildStep]] = {}
    for step in built.steps:
        if step.stage in graph:
            stages.setdefault(step.stage, []).append(step)
    return [
        {
            "stage": name,
            "steps": graph[name].steps,
            "ran": len({one.number for one in steps if one.what.startswith("RUN") and not one.cached}),
            "seconds": _span(steps),
        }
        for name, steps in stages.items()
    ]


def _span(steps: list[BuildStep]) -> float:
    """Return the seconds from the first beginning to the last end of what was not cached."""
    made = [step for step in steps if step.done and not step.cached]
    return round(max(step.ended for step in made) - min(step.began for step in made), 2) if made else 0.0
