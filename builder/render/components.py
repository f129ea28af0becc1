"""Stages that build: one toolchain a set of OS packages, one stage a component.

What one component makes is also had as an image of its own: stages that stand
after a rendered Dockerfile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from builder.errors import BuilderError, LockError
from builder.lockfile import Build, Lock, component_build
from builder.model import Table
from builder.render.fetches import Fetches, verify
from builder.render.installing import clean_bytecode, fill_environment, install_os_packages, interpreter_copy
from builder.render.instructions import SCRATCH, Copy, Env, File, Instruction, Mount, Run, Workdir
from builder.render.quoting import Command, check_step, refuse_placeholder, relative_path, shown
from builder.render.stages import EPOCH, WHEELS, Stage, build_stage, by_platform, patch_stage

__all__ = ["OUTPUT", "build_stages", "output_stages", "patch_stages", "toolchains"]


_BUILD_ENVIRONMENT = "/opt/build-env"
_SOURCES, _INPUTS, _PATCHES = "/sources", "/inputs", "/patches"
_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")


def toolchains(lock: Lock, fetches: Fetches, base: str) -> tuple[tuple[Stage, ...], dict[str, str]]:
    """Return the toolchain stages, and the name of the one that each build stands on."""
    users: dict[tuple[str, ...], list[str]] = {}
    for build in lock.builds:
        stages = tuple(s.name for g in fetches.os_packages if build.component in g.uses for s in g.stages)
        users.setdefault(stages, []).append(build.component)
    made, standing = [], {}
    for stages, names in users.items():
        name = f"toolchain-{min(names)}-{lock.arch}" if stages else base
        standing.update(dict.fromkeys(names, name))
        if stages:
            note = f"os-packages for the builds of {', '.join(sorted(names))}"
            made.append(
                Stage(name=name, base=base, notes=(note,), body=(EPOCH, install_os_packages(lock, stages)))
            )
    return tuple(made), standing


def build_stages(lock: Lock, fetches: Fetches, standing: dict[str, str]) -> tuple[Stage, ...]:
    """Return one stage a build, in the lock's order (LockError naming the build)."""
    return tuple(
        _component_stage(_BuildSite(lock=lock, fetches=fetches, build=build), standing)
        for build in lock.builds
    )


def patch_stages(lock: Lock) -> tuple[Stage, ...]:
    """Return the stages that hold the patches of builds, one stage a patched build."""
    return tuple(
        Stage(
            name=patch_stage(build.component, lock.arch),
            base=SCRATCH,
            notes=(f"patches of {build.component}",),
            body=tuple(
                File(lines=patch.lines, target=f"/{relative_path(patch.file)}", source=True)
                for patch in build.patches
            ),
        )
        for build in lock.builds
        if build.patches
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _BuildSite:
    """One build and the rows around it."""

    lock: Lock
    fetches: Fetches
    build: Build


def _component_stage(site: _BuildSite, standing: dict[str, str]) -> Stage:
    build = site.build
    try:
        environment = fill_environment(site.lock, site.fetches, build.component, _BUILD_ENVIRONMENT)
        first = interpreter_copy(site.lock) if environment else ()
        body = (
            EPOCH,
            *first,
            *environment,
            *_build_variables(build.env, with_environment=bool(environment)),
            *(copy for copy in _needed_prefixes(site) if copy not in first),
            Workdir(path=f"/src/{build.component}"),
            _build_steps_run(site),
            *_own_checks(build),
        )
    except BuilderError as error:
        raise error.within(f"builds: {shown(build.component)}") from None
    notes = (f"builds: {build.component} {build.version} ({build.license}), {build.system}",)
    return Stage(
        name=build_stage(build.component, site.lock.arch),
        base=standing[build.component],
        notes=notes,
        body=body,
    )


def _build_variables(env: Table, *, with_environment: bool) -> tuple[Instruction, ...]:
    """Return the variables of a build; its Python environment comes first in PATH, unless it is there."""
    for name, value in env:
        refuse_placeholder(f"{name}={value}")
    path = f"{_BUILD_ENVIRONMENT}/bin"
    given = env.get("PATH")
    if not with_environment or path in given.split(":"):
        return tuple(Env(name=name, value=value) for name, value in env)
    first = Env(name="PATH", value=f"{path}:{given}" if given else path, before=not given)
    return (first, *(Env(name=name, value=value) for name, value in env if name != "PATH"))


def _needed_prefixes(site: _BuildSite) -> list[Copy]:
    """Copy in the prefixes of what the build needs: exactly those that the lock lists."""
    prefixes = {build.component: build.prefix for build in site.lock.builds}
    copies = []
    for need in site.build.needs:
        if need not in prefixes:
            raise LockError(f"it needs {shown(need)}, which is not built")
        if prefixes[need]:
            stage = build_stage(need, site.lock.arch)
            copies.append(Copy(stage=stage, source=prefixes[need], target=prefixes[need]))
    return copies


def _build_steps_run(site: _BuildSite) -> Run:
    build = site.build
    mounted: list[Mount] = []
    commands: list[Command] = []
    for table, folder in ((site.fetches.sources, _SOURCES), (site.fetches.archives, _INPUTS)):
        stages = dict(table).get(build.component)
        if stages:
            mounted.append(Mount(stage=stages[-1].name, target=folder))
            commands.append(verify(folder))
    commands += _unpack_source(site)
    if build.patches:
        mounted.append(Mount(stage=patch_stage(build.component, site.lock.arch), target=_PATCHES))
        commands += (_patch_command(f"{_PATCHES}/{patch.file}") for patch in build.patches)
    if build.wheels:
        commands.append(("mkdir", "-p", WHEELS))
    commands += map(check_step, build.steps)
    if build.prefix:
        commands.append(clean_bytecode(build.prefix))
    if not commands:
        raise LockError("it has neither inputs nor steps")
    return Run(commands=tuple(commands), mounts=tuple(mounted))


def _unpack_source(site: _BuildSite) -> list[Command]:
    """Unpack the source, without its top folder: the git tar, else the only archive if it is a tar."""
    build = site.build
    for row in site.lock.sources:
        if row.component == build.component:
            return [_untar_command(f"{_SOURCES}/{row.file}")]
    archives = [row.file for row in site.lock.archives if row.component == build.component]
    if len(archives) == 1 and archives[0].endswith(_TARS):
        return [_untar_command(f"{_INPUTS}/{archives[0]}")]
    return []


def _untar_command(file: str) -> Command:
    return ("tar", "--extract", f"--file={file}", "--strip-components=1", "--no-same-owner")


def _patch_command(file: str) -> Command:
    # No fuzz: where the context differs, somebody must look. No questions, and no copies of what it changes.
    return (
        "patch",
        "--strip=1",
        "--fuzz=0",
        "--batch",
        "--forward",
        "--no-backup-if-mismatch",
        f"--input={file}",
    )


def _own_checks(build: Build) -> tuple[Run, ...]:
    """Return the checks of what does not reach the image: they run where it was built."""
    if build.runtime or build.wheels or not build.checks:
        return ()
    return tuple(Run(commands=(check_step(check.run),)) for check in build.checks)


OUTPUT = "output"
"""The stage that holds what a component makes."""


def output_stages(locks: Sequence[Lock], component: str) -> str:
    """Return stages whose last is an image of a component's prefix and wheels, and nothing else.

    UsageError where a lock does not build it.
    """
    stages = [_output_stage(lock, component) for lock in locks]
    stages += by_platform(OUTPUT, [lock.arch for lock in locks], f"What {component} makes")
    return "\n\n".join(["", *(stage.text() for stage in stages)]) + "\n"


def _output_stage(lock: Lock, component: str) -> Stage:
    build = component_build(lock, component)
    folders = [*([build.prefix] if build.prefix else []), *([WHEELS] if build.wheels else [])]
    stage = build_stage(component, lock.arch)
    return Stage(
        name=f"{OUTPUT}-{lock.arch}",
        base=SCRATCH,
        notes=(f"{component} {build.version} alone",),
        body=tuple(Copy(stage=stage, source=folder, target=folder) for folder in folders),
    )
