"""Platform recipes: what an image stands on, its base images and its OS package archives. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from builder.model import Arch, Evidence, ImageDigest, Sha256, Table
from builder.recipe.component import OsNeeds

__all__ = ["ImageRecipe", "Platform", "RepomdRecipe", "RepositoryRecipe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecipe:
    """A published image of one architecture."""

    name: str
    tag: str
    digest: ImageDigest | None = None
    """The manifest of this architecture; absent until `pin image` has followed the tag."""
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
    """The signed metadata of an RPM repository for one architecture; filled in by `pin`."""

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
    """Debian: of the InRelease file; filled in by `pin`."""
    repomd: tuple[RepomdRecipe, ...] = ()
    """RPM: the signed metadata of each architecture; filled in by `pin`."""
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
    replaces: bool = False
    """In a project: whether this file takes the place of the catalogue's file of the same name."""
    cuda: str = ""
    gpu_archs: tuple[str, ...] = ()
    images: Mapping[Arch, tuple[ImageRecipe, ...]] = field(default_factory=dict)
    assembled: Mapping[Arch, Sha256] = field(default_factory=dict)
    """Digest of the canonical tar of our own base, by architecture; excludes `images`."""
    base: tuple[str, ...] = ("apt",)
    """What an assembled base holds in addition to the packages that the distribution calls required."""
    repositories: tuple[RepositoryRecipe, ...] = ()
    packages: OsNeeds = field(default_factory=OsNeeds)
    """OS packages of every build stage, and of the runtime image."""
    provides: tuple[str, ...] = ()
    """Components that the base image brings along, such as `cuda` in NVIDIA's images."""
    components: tuple[str, ...] = ()
    """Components that every image on it contains."""
    interpreter: str = ""
    """The component that brings Python; empty means the distribution's own package."""
    python_prefix: str = "/opt/venv"
    """The folder of the image's Python environment. With one value for all, equal wheels install equally."""
    user: str = "1000:0"
    """The numbers of user and group that images run as; group 0 lets a cluster choose the user's number."""
    home: str = "/home/app"
    """The user's home and working folder; the last part of the path is the user's name."""
    image_python: bool = False
    """Whether the runtime image's own Python distributions are used: then it must list them."""
    versions: Table = field(default_factory=Table)
    """Component versions that the platform decides, not the release."""
