"""What judging is given and what it answers: what was published, what our locks hold, and verdicts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Protocol

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from builder.align.claims import ImageFact
from builder.index import DistributionFile, IndexProject
from builder.lockfile import RUNTIME, Lock
from builder.matrix import cuda_of
from builder.model import (
    Arch,
    OpenMarkerError,
    exact_version,
    lenient_requirement,
    marker_environment,
    marker_holds,
    normalized_name,
)
from builder.recipe import Component, Library

__all__ = [
    "DYNAMO",
    "DYNAMO_RUNTIME",
    "Asked",
    "Evidence",
    "LockedFacts",
    "Metadata",
    "Published",
    "RepositoryTags",
    "StatedVersion",
    "Status",
    "UnaskedError",
    "Verdict",
    "end_of",
    "held",
    "repository_of",
    "tag_version",
    "version_of",
]


class UnaskedError(Exception):
    """Something could not be asked: its text says what and why. Nothing may be concluded from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What one version of a distribution says of itself."""

    requires: tuple[str, ...]
    extras: tuple[str, ...]
    python: str
    """Requires-Python, or empty."""
    kind: str
    """`wheel`, `sdist`, or `stub`: an sdist that downloads the real wheel (trap T5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryTags:
    """The tags and branches of one repository, and how they are known."""

    tags: tuple[str, ...]
    branches: tuple[str, ...]
    by: str
    all_branches: bool = False
    """Whether `branches` are all of them; a record has only those that are named like a version."""


class Published(Protocol):
    """The questions that judging asks; each raises UnaskedError if nothing can answer it."""

    def project(self, name: str) -> IndexProject | None:
        """Return a project of the index; None where the index has none of this name."""
        ...

    def metadata(self, name: str, version: str) -> Metadata:
        """Return what a version that is on the index says of itself."""
        ...

    def tags(self, url: str) -> RepositoryTags:
        """Return the tags of a git repository."""
        ...


class Status(StrEnum):
    """What is to be thought of a statement or a pin."""

    ALIGNED = "aligned"
    """It agrees with what was published."""
    DRIFT = "drift"
    """It differs from what was published, or moves by itself."""
    IMPOSSIBLE = "impossible"
    """It names something that does not exist."""
    UNKNOWN = "unknown"
    """There is no evidence either way."""

    @property
    def alarming(self) -> bool:
        """Whether it makes the command end in 1."""
        return self in (Status.DRIFT, Status.IMPOSSIBLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A status with its evidence, and the two columns beside the claim."""

    status: Status
    evidence: str
    published: str = ""
    """What the published metadata says about the same thing."""
    lock: str = ""
    """What our lock holds of it."""


DYNAMO = "ai-dynamo"
DYNAMO_RUNTIME = "ai-dynamo-runtime"

_FORGES = ("https://github.com/", "https://gitlab.com/")

_PYTHON = "3.12"
"""Markers are judged for this Python; none of those that matter here depends on it."""

_UPSTREAM = re.compile(r"\bai-dynamo/dynamo\b[^@]*@[0-9a-f]{7,40}\b")
"""How a recipe's evidence cites a commit of the repository whose release it describes."""

_LONGEST = 200
"""No version and no tag is longer, in characters."""

_TAG = re.compile(r"(?:[^\d]*[-_/])?v?(\d+(?:\.\d+)*(?:[-._]?(?:a|b|rc|post|dev)[-._]?\d+)?(?:-\d{1,2})?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One requirement, and who has it."""

    who: str
    requirement: Requirement

    def __str__(self) -> str:
        requirement = Requirement(str(self.requirement))
        requirement.marker = None
        return f"{self.who} requires {requirement}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedVersion:
    """A version of a component, and where upstream states it."""

    version: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The published side, the recipes, the locks, and what is known of images."""

    published: Published
    library: Library
    held: Callable[[str, str], LockedFacts]
    """The locks of a release, of one framework or (an empty text) of all."""
    images: tuple[ImageFact, ...] = ()
    repositories: Mapping[str, str] = field(default_factory=dict)
    """Addresses of known repositories that are no component's, by their last word."""

    @property
    def names(self) -> frozenset[str]:
        """Everything whose versions can be judged: components, roots of releases, known repositories."""
        releases = self.library.releases.values()
        roots = {name for release in releases for table in release.python.values() for name, _ in table}
        return frozenset({*self.library.components, *roots, *self.repositories})

    def distributions(self, name: str) -> tuple[str, ...]:
        """Return the distributions that a name means: its component's, or where there is no such its own."""
        own = str(canonicalize_name(name))
        component = self.library.components.get(own)
        if component is None:
            return () if own in self.repositories else (own,)
        wheels = [*component.python.wheels, *(w for v in component.variants for w in v.wheels)]
        names = (*component.python.family, *(wheel.name for wheel in wheels))
        return tuple(dict.fromkeys(str(canonicalize_name(item)) for item in names))

    def locked(self, release: str, name: str, framework: str = "") -> str:
        """Return the versions of a distribution or component in our locks of a release, as text."""
        names = (*self.distributions(name), str(canonicalize_name(name)))
        return self.held(release, framework).shown(names)

    def upstream_versions(self, release: str, name: str, framework: str = "") -> tuple[StatedVersion, ...]:
        """Return the versions of a component that a recipe copies from upstream's sources, each with where.

        Versions that a recipe chooses itself are left out: they say nothing about what upstream
        released. With `framework` the version of this framework comes first, else that of the release.
        """
        recipe = self.library.releases.get(release)
        if recipe is None:
            return ()
        own = str(canonicalize_name(name))
        tables = [
            (f"framework-components.{key}.", table)
            for key, table in recipe.framework_components.items()
            if framework in ("", key)
        ]
        stated = [
            StatedVersion(version=table.get(own), by=recipe.evidence.get(f"{prefix}{own}"))
            for prefix, table in (("components.", recipe.components), *tables)
        ]
        found = [item for item in stated if item.version and _UPSTREAM.search(item.by)]
        return tuple(reversed(found)) if framework else tuple(found)

    def any_project(self, name: str) -> IndexProject | None:
        """Return the project that a name means, or None where the index has none (UnaskedError)."""
        found = map(self.published.project, self.distributions(name))
        return next((project for project in found if project is not None and project.files), None)

    def project(self, name: str) -> IndexProject:
        """Return the project that a name means; UnaskedError where the index has none."""
        found = self.any_project(name)
        if found is None:
            raise UnaskedError(f"the index has no project {name}")
        return found

    def repository(self, name: str) -> str:
        """Return the git repository of the component of this name, or a known one, or nothing."""
        own = str(canonicalize_name(name))
        component = self.library.components.get(own)
        return (repository_of(component) if component else "") or self.repositories.get(own, "")

    def files(self, name: str, version: str) -> tuple[DistributionFile, ...]:
        """Return the files of a version; UnaskedError where the index has none."""
        project = self.project(name)
        found = project.of(version_of(version))
        if not found:
            raise UnaskedError(f"the index has no {project.name} {version}")
        return found

    def metadata(self, name: str, version: str) -> Metadata:
        """Return what a version says of itself (UnaskedError)."""
        self.files(name, version)
        return self.published.metadata(self.project(name).name, version)

    def uploaded(self, release: str) -> datetime:
        """Return when a Dynamo release was published (UnaskedError)."""
        times = [item.uploaded for item in self.files(DYNAMO, release) if item.uploaded]
        if not times:
            raise UnaskedError(f"the index states no upload time of {DYNAMO} {release}")
        return min(times)

    def requirements(self, name: str, version: str, extras: Iterable[str] | None = None) -> list[Asked]:
        """Return what a version requires: unconditionally and under each of `extras` (all unless given)."""
        metadata = self.metadata(name, version)
        wanted = metadata.extras if extras is None else tuple(str(canonicalize_name(e)) for e in extras)
        found = []
        for text in metadata.requires:
            requirement = lenient_requirement(text)
            for extra in ("", *wanted):
                if _is_active(requirement, extra):
                    who = f"{name} {version}, extra {extra}," if extra else f"{name} {version}"
                    found.append(Asked(who=who, requirement=requirement))
                    if not extra:
                        break  # under an extra it would only be the same again
        return found

    def asked_of(self, release: str, names: Iterable[str], framework: str = "") -> list[Asked]:
        """Return who requires one of `names` in a release: ai-dynamo, else what it binds by `==`.

        With `framework` only that extra of ai-dynamo counts. UnaskedError if
        none was found and some metadata could not be read.
        """
        wanted = frozenset(names)
        direct = self.requirements(DYNAMO, release, (framework,) if framework else None)
        found = [asked for asked in direct if normalized_name(asked.requirement) in wanted]
        if found:
            return found
        unasked = ""
        for asked in self._bound_requirements(direct):
            name, version = normalized_name(asked.requirement), exact_version(asked.requirement.specifier)
            try:
                inner = self.requirements(name, version, asked.requirement.extras)
            except UnaskedError as error:
                unasked = unasked or str(error)
                continue
            found += [item for item in inner if normalized_name(item.requirement) in wanted]
        if unasked and not found:
            raise UnaskedError(unasked)
        return found

    def _bound_requirements(self, direct: list[Asked]) -> Iterator[Asked]:
        seen = set()
        for asked in direct:
            key = str(asked.requirement).partition(";")[0]
            if exact_version(asked.requirement.specifier) and key not in seen:
                seen.add(key)
                yield asked


def repository_of(component: Component) -> str:
    """Return where a component's sources are in git: its recipe's address, else its home page on a forge."""
    stated = next((recipe.git.url for recipe in component.versions.values() if recipe.git), "")
    return stated or (component.homepage if component.homepage.startswith(_FORGES) else "")


def _is_active(requirement: Requirement, extra: str) -> bool:
    if requirement.marker is None:
        return not extra
    try:
        return marker_holds(requirement.marker, marker_environment(Arch.X86_64, _PYTHON), extra)
    except OpenMarkerError as error:
        raise UnaskedError(f"{error.decider} decides on {requirement}") from None


def version_of(text: str) -> Version:
    """Read a version; UnaskedError where it is none, such as a branch."""
    try:
        return Version(text[:_LONGEST])
    except InvalidVersion:
        raise UnaskedError(f"{text[:_LONGEST]!r} is not a version") from None


def tag_version(tag: str) -> Version | None:
    """Return the version that a tag names, such as v1.19.0, 0.7.1 or hwloc-2.12.2."""
    found = _TAG.fullmatch(tag) if len(tag) <= _LONGEST else None
    try:
        return Version(found[1]) if found else None
    except InvalidVersion:
        return None


def end_of(day: str) -> datetime:
    """Return the last moment of a day, UTC."""
    return datetime.combine(date.fromisoformat(day), time.max, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedFacts:
    """One release, locked; empty where there is no lock of it."""

    versions: Mapping[str, tuple[str, ...]]
    """By distribution or component: every version in an image, sorted."""
    pythons: tuple[str, ...]
    arches: tuple[Arch, ...]
    cuda: Mapping[str, tuple[str, ...]]
    """By framework: the CUDA of its libraries."""
    capabilities: tuple[str, ...]
    systems: tuple[str, ...]
    """Distributions, such as `debian-13`."""

    def shown(self, names: Iterable[str]) -> str:
        """Return the versions of the first of `names` that is held, as text."""
        return next((", ".join(self.versions[name]) for name in names if name in self.versions), "")


def held(locks: Iterable[Lock], frameworks: Iterable[str] = ()) -> LockedFacts:
    """Return what `locks`, all of one release, hold; with `frameworks` only those."""
    chosen = frozenset(frameworks)
    versions: dict[str, set[str]] = {}
    cuda: dict[str, set[str]] = {}
    mine = [lock for lock in locks if not chosen or lock.framework in chosen]
    for lock in mine:
        rows = [(row.name, row.version) for row in lock.python if RUNTIME in row.for_]
        rows += [(build.component, build.version) for build in lock.builds]
        for name, version in rows:
            versions.setdefault(name, set()).add(version)
        if found := cuda_of(lock) or lock.environment.cuda:
            cuda.setdefault(lock.framework, set()).add(found)
    return LockedFacts(
        versions={name: tuple(sorted(found)) for name, found in versions.items()},
        pythons=tuple(sorted({lock.environment.python for lock in mine})),
        arches=tuple(sorted({lock.arch for lock in mine})),
        cuda={name: tuple(sorted(found)) for name, found in cuda.items()},
        capabilities=tuple(sorted({arch for lock in mine for arch in lock.environment.gpu_archs})),
        systems=tuple(sorted({lock.environment.os for lock in mine})),
    )
