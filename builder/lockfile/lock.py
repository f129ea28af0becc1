"""The lock: every byte that enters an image, by hash, and every step that is taken with it.

A lock names bytes, never places: a row is identity (name, version, file name,
size, digest), and `origin` is the name of a place that configuration binds.
Its canonical form has one order of rows and the digest of its inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter
from typing import Any, Literal

from builder.model import Arch, Evidence, GitOid, ImageDigest, Sha256, SourceLine, Table, Target

__all__ = [
    "BASE",
    "FORMAT",
    "GPU",
    "INSTALLER",
    "LINKER_FILE",
    "PROGRAMS_FOLDER",
    "RECIPE",
    "REQUIRED",
    "ROOTS",
    "RUNTIME",
    "Archive",
    "Build",
    "CatalogueUse",
    "Check",
    "DownloadedRow",
    "Environment",
    "GitSource",
    "Image",
    "Lock",
    "OsPackage",
    "Patch",
    "PythonPackage",
    "Repository",
    "Runtime",
    "Submodule",
    "catalogue_digest",
    "catalogue_key",
    "check_programs",
    "downloaded_rows",
    "first_difference",
    "row_key",
    "summary_digest",
]


RECIPE = "recipe"
"""Stands in `via` for the recipes: the row is asked for by name."""

GPU = "gpu"
"""Stands in `needs` of a check that only a machine with an accelerator can run."""

ROOTS = "{roots}"
"""In the command of a recipe's check: every root and every wheel that a build makes, each `name==version`."""

PROGRAMS_FOLDER = "/checks"
"""Where checks see the programs that they run."""

REQUIRED = "required"
"""Stands in `via` for the distribution, which calls the package essential or required."""

FORMAT = 1
"""The version of the lock's format that this code reads and writes."""

RUNTIME = "runtime"
"""The environment that ends up in the image; every other one is named after the build that uses it."""

BASE = "base"
"""The environment of an assembled base image's own packages."""

INSTALLER = "installer"
"""The environment of the program that installs wheels (pip, run out of its own wheel); never in the image."""

LINKER_FILE = "/etc/ld.so.conf.d/00-components.conf"
"""The file of the image that tells the dynamic linker the folders of `library-path`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What the target is, beyond its name."""

    family: str
    """How OS packages are installed: `debian` or `rpm`."""
    os: str
    """Distribution and version, such as `debian-13`."""
    glibc: str
    python: str
    """The interpreter's minor version, such as `3.13`."""
    interpreter: str = ""
    """The build whose prefix has the interpreter; empty means that an OS package brings it."""
    python_prefix: str = "/opt/dynamo/venv"
    """The folder of the image's Python environment; a lock made before this key existed means the default."""
    cuda: str = ""
    """The CUDA version, or empty for an image without an accelerator."""
    gpu_archs: tuple[str, ...] = ()
    """Compute capabilities without the dot, such as `90`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A base image: published (name and digest) or assembled from locked packages (tar)."""

    roles: tuple[str, ...]
    """`build`, `runtime`, or both."""
    name: str
    evidence: Evidence
    tag: str = ""
    digest: ImageDigest | None = None
    """The manifest of this architecture."""
    index_digest: ImageDigest | None = None
    tar: Sha256 | None = None
    """The canonical tar of an assembled base; it comes from the store."""
    by: str = ""
    """Who published the digest, for evidence `declared`."""
    inventory: tuple[str, ...] = ()
    """OS packages in a published image, each `name=version`, sorted."""
    inventory_by: str = ""
    python: tuple[str, ...] = ()
    """Python distributions in a runtime image that are used as they are, each `name==version`, sorted."""
    python_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """One suite of an archive, or one RPM repository, as it was signed at one moment."""

    origin: str
    suite: str
    components: tuple[str, ...] = ()
    path: str = ""
    """RPM: the folder below the origin that has `repodata`."""
    date: str = ""
    """The signed date of its InRelease, or of the newest file that repomd.xml lists, as RFC 3339 in UTC."""
    revision: str = ""
    snapshot: str = ""
    """The snapshot service's time stamp at which the rows are to be found, such as 20261122T000000Z."""
    inrelease: Sha256 | None = None
    repomd: Sha256 | None = None
    signature: Sha256 | None = None  # of repomd.xml.asc
    indexes: tuple[Sha256, ...] = ()
    """The package indexes: one a component, in their order; for RPM primary and filelists."""
    signed_by: tuple[str, ...] = ()
    """Fingerprints of the certificates whose signature on InRelease or repomd.xml was good, sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submodule:
    """A submodule at the commit that the outer tree names."""

    path: str
    git: str
    commit: GitOid
    tree: GitOid


@dataclass(frozen=True, slots=True, kw_only=True)
class GitSource:
    """Sources from git, identified by commit, tree and the canonical tar made of them."""

    component: str
    version: str
    git: str
    commit: GitOid
    tree: GitOid
    sha256: Sha256
    """Of the canonical tar."""
    evidence: Evidence
    tag: str = ""
    reason: str = ""
    """Why there is no tag."""
    submodules: tuple[Submodule, ...] = ()
    omitted: tuple[str, ...] = ()
    """Paths that are left out on purpose: submodules, files, folders."""

    @property
    def file(self) -> str:
        """The name under which builds see the tar."""
        return f"{self.component}-{self.version}.tar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """One downloaded file that a build reads."""

    component: str
    version: str
    file: str
    sha256: Sha256
    origin: str
    evidence: Evidence
    path: str = ""
    """The folder below the origin's base."""
    size: int | None = None
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonPackage:
    """One Python distribution: a wheel by hash, or the outcome of a build."""

    name: str
    """Normalised."""
    version: str
    for_: tuple[str, ...]
    """The environments that install it: `runtime`, or the names of builds."""
    evidence: Evidence | None = None
    file: str = ""
    sha256: Sha256 | None = None
    size: int | None = None
    origin: str = ""
    path: str = ""
    build: str = ""
    """The build that makes its wheel; such a row has no file."""
    extras: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    """The distributions and roots that ask for it; a root is written `recipe`."""
    license: str = ""
    """SPDX expression of the wheel's own metadata; empty where that leaves a doubt."""
    by: str = ""
    """Who published the digest, for evidence `declared`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OsPackage:
    """One OS package."""

    name: str
    version: str
    arch: str
    """The distribution's own word, such as `amd64` or `all`, `x86_64` or `noarch`."""
    file: str
    """The path below the archive's base."""
    size: int
    sha256: Sha256
    origin: str
    for_: tuple[str, ...]
    """`base` for an assembled base, `runtime`, or the names of builds."""
    via: tuple[str, ...] = ()
    """The packages that need it, `recipe` where it is asked for, `required` where the distribution does."""

    @property
    def basename(self) -> str:
        """The file name alone."""
        return self.file.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A command that must succeed in the image and print what is expected."""

    run: tuple[str, ...]
    expect: str = ""
    """A text that the output must contain; empty accepts any output.

    In a framework's recipe `{cuda:torch}` stands for the CUDA that torch is built for, as its rows tell.
    """
    program: str = ""
    """A program of the recipes that the command runs: its path below the recipe folder.

    In a recipe `{program}` in `run` stands for the place where the check sees it.
    """
    sha256: Sha256 | None = None
    """Of the program; locks have it, recipes do not."""
    needs: str = ""
    """`gpu` for a check that `check --gpu` runs; empty for one that needs no accelerator."""
    seconds: int = 0
    """How long it may run; 0 leaves it to who runs it."""

    @property
    def program_file(self) -> str:
        """The name of the program's file."""
        return self.program.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A change of a build's sources: applied before the first step, with `patch --strip=1 --fuzz=0`."""

    file: str
    """Its path below the recipes' folder `patches`, such as `libfabric/cudart-soname.patch`."""
    sha256: Sha256
    """Of the file, which is `lines` with a line feed after each."""
    lines: tuple[SourceLine, ...]

    @property
    def data(self) -> bytes:
        """The bytes of the file."""
        return "".join(f"{line}\n" for line in self.lines).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How one component comes into being; all values are final, nothing is computed later."""

    component: str
    version: str
    license: str
    """SPDX expression."""
    system: str
    prefix: str = ""
    """What it installs; empty for one that only makes wheels."""
    runtime: bool = False
    """Whether the prefix is copied to the runtime image."""
    needs: tuple[str, ...] = ()
    """Builds whose prefix must be present."""
    archives: tuple[str, ...] = ()
    """File names of archive rows, in the folder that the steps see as /inputs."""
    wheels: tuple[str, ...] = ()
    """Distributions whose wheels it leaves in /wheels."""
    gpu_archs: tuple[str, ...] = ()
    """Compute capabilities that it compiles machine code for; empty if it has no device code."""
    ptx: str = ""
    """The compute capability whose PTX it has, which newer GPUs compile when they load it; empty for none."""
    env: Table = field(default_factory=Table)
    patches: tuple[Patch, ...] = ()
    """Applied in order, before the steps."""
    steps: tuple[tuple[str, ...], ...] = ()
    """Commands in order, each a list of arguments; `{jobs}` stands for the number of processors."""
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What the image is told at run time."""

    env: Table = field(default_factory=Table)
    library_path: tuple[str, ...] = ()
    """Folders for the dynamic linker's configuration, in order."""
    user: str = ""
    """The numbers of user and group that the image runs as, such as `1000:0`; empty means root."""
    home: str = ""
    """The user's home, its working folder; the last part of the path is the user's name."""
    writable: tuple[str, ...] = ()
    """Folders of the user and its group, for volumes; nothing else needs writing but /tmp."""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    downloads: tuple[str, ...] = ()
    """What the software may still download or compile at run time, each a sentence (trap T9)."""
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueUse:
    """What a lock took from the recipes that the package brings."""

    version: str
    """Of the package, for people: it is compared with nothing."""
    digest: ImageDigest
    """Of what its files gave, each of which has a digest of its own among `inputs`.

    An update of the package that changes nothing of it leaves the lock as it is.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Everything that one image of one architecture is made of."""

    format: Literal[1]
    release: str
    framework: str
    arch: Arch
    platform: str
    recipe_digest: ImageDigest
    source_date_epoch: int
    exclude_newer: str
    resolver: str
    environment: Environment
    runtime: Runtime
    inputs: Table
    """Key paths of the effective recipe, each with the first 16 digits of its digest."""
    catalogue: CatalogueUse | None = None
    """In a project that uses the package's catalogue; absent from locks of a project that stands alone."""
    images: tuple[Image, ...]
    repositories: tuple[Repository, ...] = ()
    sources: tuple[GitSource, ...] = ()
    archives: tuple[Archive, ...] = ()
    python: tuple[PythonPackage, ...] = ()
    os_packages: tuple[OsPackage, ...] = ()
    builds: tuple[Build, ...] = ()

    @property
    def environments(self) -> frozenset[str]:
        """What rows can be for: the image, each build, the installer, and the base of an assembled image."""
        builds = (build.component for build in self.builds)
        base = (BASE,) if any(image.tar for image in self.images) else ()
        return frozenset((RUNTIME, INSTALLER, *builds, *base))

    @property
    def target(self) -> Target:
        """What this is the lock of."""
        return Target(release=self.release, platform=self.platform, framework=self.framework, arch=self.arch)


DownloadedRow = PythonPackage | Archive | OsPackage
"""A row with a file, its SHA-256 and its origin."""


def downloaded_rows(lock: Lock) -> Iterator[DownloadedRow]:
    """Yield the rows whose files a build of `lock` downloads, in the order of the lock.

    Left out: distributions that a build makes, and OS packages that only an
    assembled base needs, because its tar contains them.
    """
    yield from (row for row in lock.python if row.sha256 is not None)
    yield from lock.archives
    yield from (row for row in lock.os_packages if set(row.for_) != {BASE})


def check_programs(lock: Lock) -> dict[str, Sha256]:
    """Return the programs that the checks of `lock` run, path below the recipe folder to SHA-256."""
    checks = (*lock.runtime.checks, *(check for build in lock.builds for check in build.checks))
    return {check.program: check.sha256 for check in checks if check.sha256 is not None}


def summary_digest(inputs: Iterable[tuple[str, str]]) -> ImageDigest:
    """Return the digest of a table of input digests."""
    text = "".join(f"{key} {value}\n" for key, value in sorted(inputs))
    return ImageDigest(f"sha256:{Sha256.of(text.encode())}")


_CATALOGUE_KEY = "catalogue."


def catalogue_key(path: str) -> str:
    """Return the key that a file of the catalogue has among a lock's inputs."""
    return f"{_CATALOGUE_KEY}{path}"


def catalogue_digest(inputs: Table) -> ImageDigest | None:
    """Return the digest of what files of the catalogue gave, or None if no input is of one."""
    given = [pair for pair in inputs if pair[0].startswith(_CATALOGUE_KEY)]
    return summary_digest(given) if given else None


def row_key(row: Any) -> tuple[str, ...]:
    """Return what a row is identified and ordered by."""
    kind: Any = type(row)
    parts = _key_parts(kind)(row)
    return tuple(part if type(part) is str else _key_text(part) for part in parts)


def _key_text(part: object) -> str:
    return " ".join(part) if isinstance(part, tuple) else str(part)


@cache
def _key_parts(kind: type) -> Callable[[Any], tuple[Any, ...]]:
    """Return what takes the identity out of rows of a kind: each kind has two of these fields or more."""
    names = ("component", "name", "suite", "version", "arch", "file", "origin", "build", "for_")
    return attrgetter(*(name for name in names if hasattr(kind, name)))


def first_difference(canonical: bytes, found: bytes) -> int:
    """Return the number of the first line that is not the same, from 1."""
    lines = zip(canonical.split(b"\n"), found.split(b"\n"), strict=False)
    for number, (left, right) in enumerate(lines, start=1):
        if left != right:
            return number
    return min(canonical.count(b"\n"), found.count(b"\n")) + 1
