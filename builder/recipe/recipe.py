"""Recipes: what people write. Four kinds of file, all strict TOML.

A component is one thing that is built or fetched ready-made, a framework says
what an image contains, a platform what it stands on, a release which versions
belong together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from builder.lockfile import Check
from builder.model import Arch, Evidence, ImageDigest, Sha256, Table, Target
from builder.recipe.component import (
    ArchiveRecipe,
    Component,
    Conditions,
    GitRecipe,
    OsNeeds,
    PythonSide,
    Variant,
    VersionRecipe,
    Wheel,
)
from builder.recipe.published import Published

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
    "RepomdRecipe",
    "RepositoryRecipe",
    "TargetSet",
    "Unfit",
    "Variant",
    "VersionRecipe",
    "Wheel",
]


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
    indexes: tuple[PythonIndex, ...] = ()
    declared: tuple[DeclaredWheel, ...] = ()
    checks: tuple[Check, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """Where a framework is not offered, whatever the release: what holds for it there, and what to take."""

    when: Conditions
    reason: str


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
    """Distributions that must be CUDA builds, on a platform with CUDA for its major version (trap T3)."""
    accelerated_hint: str = ""
    """Where CUDA builds of them are to be had, for the message."""
    pythons: tuple[str, ...] = ()
    """The interpreters that its engine supports, such as `3.12`; empty means any."""
    env: Table = field(default_factory=Table)
    packages: Mapping[str, OsNeeds] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    downloads: tuple[str, ...] = ()
    """What it may still download or compile at run time, each a sentence (trap T9)."""
    checks: tuple[Check, ...] = ()
    variants: tuple[FrameworkVariant, ...] = ()
    refused: tuple[Unfit, ...] = ()


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
    python: tuple[str, ...] = ()
    """Python distributions that it holds, each `name==version`: counted on, and never installed again."""
    python_by: str = ""
    """Who published the list of them."""
    roles: tuple[str, ...] = ("build", "runtime")


@dataclass(frozen=True, slots=True, kw_only=True)
class RepomdRecipe:
    """The signed metadata of an RPM repository for one architecture; filled in by `scripts/pin`."""

    arch: Arch
    sha256: Sha256
    """Of repomd.xml."""
    signature: Sha256
    """Of repomd.xml.asc."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryRecipe:
    """One suite of an OS package archive, pinned as it was signed at one moment."""

    origin: str
    suite: str
    """The suite, such as `trixie`; for RPM the name of the repository, such as `baseos`."""
    keys: tuple[str, ...]
    """Files below recipes/keys that hold the signing certificates."""
    components: tuple[str, ...] = ()
    """Debian: the components to read, such as `main`."""
    path: str = ""
    """RPM: the folder below the origin that has `repodata`; `{arch:rpm}` stands for the architecture."""
    priority: int = 99
    """RPM: where several repositories have a package, those of the lowest number are used, as in dnf."""
    inrelease: Sha256 | None = None
    """Debian: of the InRelease file; filled in by `scripts/pin`."""
    repomd: tuple[RepomdRecipe, ...] = ()
    """RPM: the signed metadata of each architecture; filled in by `scripts/pin`."""
    at: str = ""
    """The moment it was pinned, RFC 3339 in UTC: signed metadata must be valid at it."""


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
    base: tuple[str, ...] = ("apt",)
    """What an assembled base holds besides the packages that the distribution calls required."""
    repositories: tuple[RepositoryRecipe, ...] = ()
    packages: OsNeeds = field(default_factory=OsNeeds)
    """OS packages of every build stage, and of the runtime image."""
    provides: tuple[str, ...] = ()
    """Components that the base image brings along, such as `cuda` in NVIDIA's images."""
    components: tuple[str, ...] = ()
    """Components that every image on it contains."""
    interpreter: str = ""
    """The component that brings Python; empty means the distribution's own package."""
    image_python: bool = False
    """Whether the runtime image's own Python distributions are used: then it must list them."""
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
    reason: str
    platforms: tuple[str, ...] = ()
    """Empty means every platform, also those to come."""
    arches: tuple[Arch, ...] = ()
    """Empty means both."""
    trap: str = ""
    unreached: bool = False
    """A place could not be reached when locks were made: `lock` tries, and says whether it still is so."""

    def holds(self, target: Target) -> bool:
        """Say whether it is about `target`, whose release is its own."""
        return (
            target.framework == self.framework
            and (not self.platforms or target.platform in self.platforms)
            and (not self.arches or target.arch in self.arches)
        )


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
    framework_components: Mapping[str, Table] = field(default_factory=dict)
    """By framework: component versions that hold for it instead of those of `components`."""
    python: Mapping[str, Table]
    """By framework, or `all`, or `installer` (pip): distribution to exact version."""
    default: bool = False
    targets: tuple[TargetSet, ...] = ()
    refused: tuple[Refusal, ...] = ()
    published: tuple[Published, ...] = ()
    """What upstream published as this release, each with its digest or why there is none."""
    evidence: Table = field(default_factory=Table)
    """Where each claim comes from, by key."""
