"""Component recipes: one thing that is built from source or fetched ready-made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from builder.lockfile import Check, Submodule
from builder.model import Arch, Evidence, GitOid, Sha256, Table

__all__ = [
    "ArchiveRecipe",
    "BuiltWheel",
    "Component",
    "ComponentVariant",
    "DeviceCode",
    "GitRecipe",
    "OsNeeds",
    "PatchRecipe",
    "PythonSide",
    "TargetConditions",
    "VersionRecipe",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class GitRecipe:
    """Where a version's sources are in git; pins are filled in by `pin`."""

    url: str
    """The public clone address, https."""
    commit: GitOid
    tag: str = ""
    """The tag that names the commit; without one a reason is needed."""
    reason: str = ""
    """Why a bare commit is used."""
    tree: GitOid | None = None
    sha256: Sha256 | None = None
    """Of the canonical tar."""
    evidence: Evidence = Evidence.OBSERVED
    submodules: tuple[Submodule, ...] = ()
    omitted: tuple[str, ...] = ()
    """Paths that are left out on purpose: submodules, files, folders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveRecipe:
    """A file that a build reads: the source itself, or something that goes with it."""

    file: str
    origin: str
    """The name of a place in origins.toml, or `pypi` for the default Python index."""
    sha256: Sha256
    evidence: Evidence
    path: str = ""
    """The folder below the origin's base."""
    size: int | None = None
    by: str = ""
    """Who published the digest, for evidence `declared`."""
    arches: tuple[Arch, ...] = ()
    """The architectures that need it; empty means all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRecipe:
    """One version of a component: from git, from archives, or as a published wheel."""

    git: GitRecipe | None = None
    archives: tuple[ArchiveRecipe, ...] = ()
    wheels: bool = False
    """No source is used: the component is made from the wheels of its build environment."""
    published: bool = False
    """No source is used: the distribution comes as a wheel from the Python index."""
    reason: str = ""
    """Why it is `published`."""
    source_when: TargetConditions | None = None
    """Where it is built from `git` or `archives` nevertheless; everywhere else it is `published`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OsNeeds:
    """OS packages by name, as the distribution spells them."""

    build: tuple[str, ...] = ()
    run: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltWheel:
    """A Python distribution that a build makes, with its static metadata."""

    name: str
    requires: tuple[str, ...] = ()
    """Requirement strings, as its metadata will state them."""
    extras: tuple[str, ...] = ()
    """Names of extras that its metadata offers."""
    version: str = "{version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonSide:
    """What a component has to do with Python."""

    wheels: tuple[BuiltWheel, ...] = ()
    build_requires: tuple[str, ...] = ()
    """Requirements of the build environment; resolved and locked like everything else."""
    family: tuple[str, ...] = ()
    """Distributions that always have the component's version (trap T2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchRecipe:
    """A patch file that lies beside the recipes, by its hash."""

    file: str
    """Its path below recipes/patches."""
    sha256: Sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCode:
    """For which GPUs a component compiles: those of the platform, cut by what its source supports."""

    supported: tuple[str, ...] = ()
    """Compute capabilities that the source has kernels for, such as `90`; empty means any."""
    ptx: bool = True
    """Whether it also carries the PTX of the newest one, for GPUs that are newer still."""
    reason: str = ""
    """Why it is cut, or has no PTX."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetConditions:
    """When a variant applies; every condition that is given must hold."""

    cuda: bool | None = None
    arch: Arch | None = None
    family: str | None = None
    os: str | None = None
    framework: str | None = None
    system_python: bool | None = None
    """Whether the Python interpreter is the distribution's own, not a component."""
    versions: str | None = None
    """A version specifier for the component, such as `>=1.20`; in a framework for the release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentVariant:
    """What is added, in order, when its conditions hold; env replaces key by key, steps as a whole."""

    when: TargetConditions
    prefix: str | None = None
    """Instead of the component's; empty where nothing but wheels is made."""
    needs: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    env: Table = field(default_factory=Table)
    patches: tuple[PatchRecipe, ...] = ()
    device_code: DeviceCode | None = None
    before: tuple[tuple[str, ...], ...] = ()
    steps: tuple[tuple[str, ...], ...] = ()
    after: tuple[tuple[str, ...], ...] = ()
    checks: tuple[Check, ...] = ()
    packages: Mapping[str, OsNeeds] = field(default_factory=dict)
    wheels: tuple[BuiltWheel, ...] = ()
    build_requires: tuple[str, ...] = ()
    library_path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One thing built from source or fetched ready-made."""

    name: str
    summary: str
    homepage: str
    license: str
    """SPDX expression."""
    system: str
    """autotools, cmake, meson, make, python-wheel, or prebuilt."""
    versions: Mapping[str, VersionRecipe]
    replaces: bool = False
    """In a project: whether this file takes the place of the catalogue's file of the same name."""
    prefix: str = ""
    runtime: bool = True
    """Whether the prefix is part of the image."""
    needs: tuple[str, ...] = ()
    """Components whose prefix must be there while building; optional features are switched by flags."""
    flags: tuple[str, ...] = ()
    env: Table = field(default_factory=Table)
    patches: tuple[PatchRecipe, ...] = ()
    """Changes of its sources, applied in order before all steps."""
    device_code: DeviceCode | None = None
    """For which GPUs it compiles; absent if nothing in it runs on a GPU."""
    before: tuple[tuple[str, ...], ...] = ()
    """Steps before those of the build system, such as autogen."""
    steps: tuple[tuple[str, ...], ...] = ()
    """Steps instead of those of the build system; an argument with `{flags}` in it stands for one a flag."""
    after: tuple[tuple[str, ...], ...] = ()
    library_path: tuple[str, ...] = ()
    """Folders of shared libraries that the image's dynamic linker must know."""
    packages: Mapping[str, OsNeeds] = field(default_factory=dict)
    """OS packages by platform family."""
    python: PythonSide = field(default_factory=PythonSide)
    checks: tuple[Check, ...] = ()
    variants: tuple[ComponentVariant, ...] = ()
