"""Locks to a Dockerfile: the graph of stages, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from builder.errors import BuilderError, LockError, UsageError
from builder.lockfile import Lock
from builder.model import Arch, Sha256
from builder.render.bases import base_stages
from builder.render.components import build_stages, patch_stages, toolchains
from builder.render.fetches import Form, Inputs, fetches
from builder.render.images import check_stage, runtime_stages
from builder.render.installing import rpm_stages
from builder.render.instructions import SCRATCH, Comment
from builder.render.quoting import file_name, shown
from builder.render.stages import STORE, Dockerfile, Stage, by_platform

__all__ = ["CHECK_TARGET", "IMAGE_TARGETS", "RUNTIME_TARGET", "plan"]

RUNTIME_TARGET, CHECK_TARGET = "runtime", "check"
IMAGE_TARGETS = (RUNTIME_TARGET, CHECK_TARGET)
"""The last stages of a Dockerfile, which can be built: the image, and the image with its checks passed."""


def plan(locks: Sequence[tuple[Lock, bytes]], form: Form) -> Dockerfile:
    """Return the Dockerfile of `locks`, one an architecture.

    LockError for an incomplete lock, or locks that do not belong together;
    UsageError for an origin without a place.
    """
    listed = sorted(locks, key=lambda pair: list(Arch).index(Arch(pair[0].arch)))
    _check_together([lock for lock, _ in listed])
    stages = [
        _store_stage(),
        *(stage for lock, data in listed for stage in _architecture_stages(lock, data, form)),
    ]
    arches = [Arch(lock.arch) for lock, _ in listed]
    stages += by_platform(CHECK_TARGET, arches, "The image with its checks passed")
    stages += by_platform(RUNTIME_TARGET, arches, "The image, of the platform that is built")
    return Dockerfile(header=_header_comment(listed, form), stages=tuple(stages))


def _check_together(locks: Sequence[Lock]) -> None:
    if not locks:
        raise UsageError("no lock to render")
    for key in ("release", "platform", "framework", "source_date_epoch"):
        values = sorted({str(getattr(lock, key)) for lock in locks})
        if len(values) > 1:
            raise LockError(
                f"the locks differ in {key.replace('_', '-')}: {shown(' and '.join(values))}",
                hint="render the others separately: one Dockerfile holds one lock per architecture",
            )
    for name in (locks[0].framework, locks[0].release, locks[0].platform):
        file_name(name)
    arches = [lock.arch for lock in locks]
    for arch in arches:
        if arches.count(arch) > 1:
            raise LockError(f"there are two locks for {arch}")


def _architecture_stages(lock: Lock, data: bytes, form: Form) -> Iterator[Stage]:
    try:
        fetched = fetches(lock, form)
        bases, roles = base_stages(lock, form.addresses)
        tools, standing = toolchains(lock, fetched, roles["build"])
        yield from (*bases, *fetched.stages(), *rpm_stages(lock), *tools, *patch_stages(lock))
        yield from build_stages(lock, fetched, standing)
        yield from runtime_stages(lock, Sha256.of(data), fetched, roles["runtime"])
        yield check_stage(lock, fetched)
    except BuilderError as error:
        raise error.within(str(lock.target)) from None


def _store_stage() -> Stage:
    note = "Replaced by the build context of this name; empty without it, so that nothing is pulled."
    return Stage(name=STORE, base=SCRATCH, notes=(note,))


def _header_comment(locks: Sequence[tuple[Lock, bytes]], form: Form) -> Comment:
    first = locks[0][0]
    options = f"--framework {first.framework} --release {first.release} --platform {first.platform}"
    names = tuple(f"  lock/{lock.target.path} sha256:{Sha256.of(data)}" for lock, data in locks)
    return Comment(
        lines=(
            "Rendered by lockwright: change the recipes and locks, not this file.",  # no value may come first
            *names,
            *((form.compared.value,) if form.compared.value else ()),
            "",
            "To build it so that everyone gets the same digest, after `python -m builder fetch`:",
            f"  python -m builder build {options}",
            "or, with docker-bake.json beside this file and the store's folder in STORE:",
            "  STORE=… docker buildx bake",
            "A bare `docker build --build-context store=DIR` works too, but its digest is its own: it lacks",
            "SOURCE_DATE_EPOCH and the exporter's rewrite-timestamp. The target `check` runs the checks.",
            *(("Every input comes from the store.",) if form.inputs is Inputs.STORE else ()),
        )
    )
