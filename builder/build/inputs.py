"""Build inputs: the locks of one image, its rendered files, and what its build reads of the store."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from builder.build.engines import AnyEngine
from builder.build.request import BuildRequest, build_context
from builder.errors import UsageError
from builder.io import write_atomic
from builder.lockfile import Lock, component_part
from builder.locks import compare_with_recipes, read_locks, select_image
from builder.model import Sha256, Target
from builder.project import Project
from builder.provision import fill_store, first_addresses
from builder.render import OUTPUT, Addresses, Inputs, Rendered, output_stages, render
from builder.selection import Selection

__all__ = ["BuildInputs", "WantedImage", "build_inputs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedImage:
    """What is to be built: one image, or one component of it, and from where its files come."""

    selection: Selection
    inputs: Inputs
    stale: bool = False
    """Whether locks that differ from the recipes are taken nevertheless."""
    component: str = ""
    """Built alone, instead of the image."""
    output: Path | None = None
    """Where results go; without it, the folder of the rendered image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildInputs:
    """One image that can be built: its locks, its files, and its build context."""

    locks: tuple[tuple[Lock, bytes], ...]
    rendered: Rendered
    folder: Path
    """Where results go."""
    context: Path
    inputs: Inputs
    component: str = ""
    """What is built alone, if anything is."""

    @property
    def image(self) -> Path:
        """The file of the image."""
        first = self.locks[0][0]
        alone = next((build for build in first.builds if build.component == self.component), None)
        name = f"{alone.component}-{alone.version}" if alone else f"{first.framework}-{first.release}"
        return self.folder / f"{name}.oci.tar"

    def alone(self, component: str) -> BuildInputs:
        """Return what makes an image of one component alone; UsageError where a lock does not build it."""
        locks = [lock for lock, _ in self.locks]
        dockerfile = self.rendered.dockerfile + output_stages(locks, component)
        return replace(self, rendered=replace(self.rendered, dockerfile=dockerfile), component=component)

    def what(self, target: str) -> dict[str, object]:
        """Return what is built, for a record of it: the component that is alone, or a target of the image."""
        built = {"component": self.component} if self.component else {"target": target}
        return {**built, "inputs": self.inputs.value}

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

    def write_record(self, name: str, record: Mapping[str, object]) -> None:
        """Write what was built, or compared, beside the image: `name` is without `.json`."""
        text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
        write_atomic(self.folder / f"{name}.json", text.encode())

    def describe(self, engine: AnyEngine) -> dict[str, object]:
        """Return by what it was built, and of what, for a record of it."""
        return {
            "engine": engine.describe(),
            "locks": {f"lock/{lock.target.path}": f"sha256:{Sha256.of(data)}" for lock, data in self.locks},
            "source-date-epoch": self.locks[0][0].source_date_epoch,
        }


@contextmanager
def build_inputs(project: Project, wanted: WantedImage, engine: AnyEngine) -> Iterator[BuildInputs]:
    """Render the selected image, write its files, fill the store, and yield it with its build context.

    With a `component` it is what makes this one alone, and only what that reads is brought: UsageError
    where a lock does not build it. LockError for a lock that differs from the recipes beside it,
    unless it may be `stale`.
    """
    component, inputs = wanted.component, wanted.inputs
    selected = select_image(project, wanted.selection)
    targets = _buildable_targets(project, selected, wanted.selection, engine)
    locks = read_locks(project, targets)
    plain = [lock for lock, _ in locks]
    compared = compare_with_recipes(project, plain, stale=wanted.stale)
    addresses = Addresses() if inputs is Inputs.STORE else first_addresses(project, plain)
    rendered = render(locks, inputs=inputs, addresses=addresses, compared=compared)
    first = targets[0]
    folder = wanted.output or project.rendered_folder(first)
    for name, text in rendered.files.items():
        write_atomic(folder / name, text.encode())
    read = [component_part(lock, component) for lock in plain] if component else plain
    needs = fill_store(project, read, inputs)
    with build_context(project.store, needs.digests()) as context:
        whole = BuildInputs(locks=locks, rendered=rendered, folder=folder, context=context, inputs=inputs)
        yield whole.alone(component) if component else whole


def _buildable_targets(
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
