"""Recipes: what people write. Four kinds of file, all strict TOML.

A component is one thing that is built or fetched ready-made, a framework says
what an image contains, a platform what it stands on, a release which versions
belong together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from builder.model.digest import Evidence, GitOid, ImageDigest, Sha256
from builder.model.lock import Check, Submodule
from builder.model.table import Table
from builder.model.target import Arch

__all__ = [
    "ArchiveRecipe",
    "Component",
    "Conditions",
    "DeclaredWheel",
    "Framework",
    "FrameworkVariant",
    "GitRecipe",
    "ImageRecipe",
    "OsNeeds",
    "Platform",
    "PythonIndex",
    "PythonSide",
    "Refusal",
    "Release",
    "RepositoryRecipe",
    "TargetSet",
    "Variant",
    "VersionRecipe",
    "Wheel",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class GitRecipe:
    """Where a version's sources are in git; pins are filled in by `scripts/pin`."""

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
    """Paths of submodules that are left out on purpose."""


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
    published: bool = False
    """No source is used: the distribution comes as a wheel from the Python index."""
    reason: str = ""
    """Why it is `published`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OsNeeds:
    """OS packages by name, as the distribution spells them."""

    build: tuple[str, ...] = ()
    run: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
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

    wheels: tuple[Wheel, ...] = ()
    build_requires: tuple[str, ...] = ()
    """Requirements of the build environment; resolved and locked like everything else."""
    family: tuple[str, ...] = ()
    """Distributions that always have the component's version (trap T2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """When a variant applies; every condition that is given must hold."""

    cuda: bool | None = None
    arch: Arch | None = None
    family: str | None = None
    os: str | None = None
    framework: str | None = None
    versions: str | None = None
    """A version specifier for the component, such as `>=1.20`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What is added, in order, when its conditions hold; env replaces key by key, steps as a whole."""

    when: Conditions
    needs: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    env: Table = field(default_factory=Table)
    before: tuple[tuple[str, ...], ...] = ()
    steps: tuple[tuple[str, ...], ...] = ()
    after: tuple[tuple[str, ...], ...] = ()
    checks: tuple[Check, ...] = ()
    packages: Mapping[str, OsNeeds] = field(default_factory=dict)
    wheels: tuple[Wheel, ...] = ()
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
    prefix: str = ""
    runtime: bool = True
    """Whether the prefix is part of the image."""
    needs: tuple[str, ...] = ()
    """Components whose prefix must be there while building; optional features are switched by flags."""
    flags: tuple[str, ...] = ()
    env: Table = field(default_factory=Table)
    before: tuple[tuple[str, ...], ...] = ()
    """Steps before those of the build system, such as autogen."""
    steps: tuple[tuple[str, ...], ...] = ()
    """Steps instead of those of the build system; an argument `{flags}` stands for all flags."""
    after: tuple[tuple[str, ...], ...] = ()
    library_path: tuple[str, ...] = ()
    """Folders of shared libraries that the image's dynamic linker must know."""
    packages: Mapping[str, OsNeeds] = field(default_factory=dict)
    """OS packages by platform family."""
    python: PythonSide = field(default_factory=PythonSide)
    checks: tuple[Check, ...] = ()
    variants: tuple[Variant, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonIndex:
    """An extra package index, used for the distributions it names and for no other (trap T10)."""

    name: str
    url: str
    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredWheel:
    """A wheel that may be out of reach, with published hash and static metadata."""

    name: str
    version: str
    file: str
    sha256: Sha256
    origin: str
    by: str
    path: str = ""
    requires: tuple[str, ...] = ()
    arch: Arch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkVariant:
    """What is added to a framework when its conditions hold."""

    when: Conditions
    components: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    env: Table = field(default_factory=Table)
    packages: Mapping[str, OsNeeds] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """What an image contains."""

    name: str
    summary: str
    license: str
    roots: tuple[str, ...]
    """Python distributions, with extras but without versions: those are the release's."""
    components: tuple[str, ...] = ()
    indexes: tuple[PythonIndex, ...] = ()
    declared: tuple[DeclaredWheel, ...] = ()
    accelerated: tuple[str, ...] = ()
    """Distributions that must be CUDA builds on a CUDA platform (trap T3)."""
    env: Table = field(default_factory=Table)
    packages: Mapping[str, OsNeeds] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    downloads: tuple[str, ...] = ()
    """What it may still download or compile at run time, each a sentence (trap T9)."""
    checks: tuple[Check, ...] = ()
    variants: tuple[FrameworkVariant, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecipe:
    """A published image of one architecture."""

    name: str
    tag: str
    digest: ImageDigest
    index_digest: ImageDigest | None = None
    evidence: Evidence = Evidence.DECLARED
    by: str = ""
    inventory: tuple[str, ...] = ()
    """OS packages it holds, each `name=version`."""
    inventory_by: str = ""
    roles: tuple[str, ...] = ("build", "runtime")


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryRecipe:
    """One suite of an OS package archive, pinned as it was signed at one moment."""

    origin: str
    suite: str
    components: tuple[str, ...]
    keys: tuple[str, ...]
    """Files below recipes/keys that hold the signing certificates."""
    inrelease: Sha256 | None = None
    """Of the InRelease file; filled in by `scripts/pin`."""
    at: str = ""
    """The moment it was pinned, RFC 3339 in UTC: its validity window must contain it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What an image stands on."""

    name: str
    summary: str
    family: str
    os: str
    glibc: str
    python: str
    status: str = "supported"
    """supported or experimental."""
    extends: str = ""
    """Another platform whose keys hold where this one has none."""
    cuda: str = ""
    gpu_archs: tuple[str, ...] = ()
    images: Mapping[Arch, tuple[ImageRecipe, ...]] = field(default_factory=dict)
    assembled: Mapping[Arch, Sha256] = field(default_factory=dict)
    """Digest of the canonical tar of our own base, by architecture; excludes `images`."""
    repositories: tuple[RepositoryRecipe, ...] = ()
    packages: OsNeeds = field(default_factory=OsNeeds)
    """OS packages of every build stage, and of the runtime image."""
    provides: tuple[str, ...] = ()
    """Components that the base image brings along, such as `cuda` in NVIDIA's images."""
    components: tuple[str, ...] = ()
    """Components that every image on it contains."""
    versions: Table = field(default_factory=Table)
    """Component versions that the platform decides, not the release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSet:
    """Targets that a release is locked for."""

    framework: str
    platforms: tuple[str, ...]
    arches: tuple[Arch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Targets that cannot be, and why, in one line."""

    framework: str
    platforms: tuple[str, ...]
    arches: tuple[Arch, ...]
    reason: str
    trap: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One Dynamo release as a bill of versions."""

    version: str
    date: str
    """The day of the release, such as 2026-08-28."""
    exclude_newer: str
    """RFC 3339 in UTC: no Python file and no tag after it counts."""
    components: Table
    """Component to version."""
    python: Mapping[str, Table]
    """By framework, or `all`, or `installer` (pip): distribution to exact version."""
    default: bool = False
    targets: tuple[TargetSet, ...] = ()
    refused: tuple[Refusal, ...] = ()
    evidence: Table = field(default_factory=Table)
    """Where each claim comes from, by key."""
