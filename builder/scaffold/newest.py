"""The newest version of a distribution that a platform can install as a wheel, as an index lists it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag
from packaging.version import Version

from builder.errors import NoSolutionError
from builder.index import DistributionFile, IndexProject, IndexServices, read_index_project
from builder.model import Arch, target_tags, wheel_rank

__all__ = ["PinRequest", "newest_pins", "newest_version"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PinRequest:
    """For what a version is looked up."""

    before: datetime
    """Only files uploaded before it count."""
    pythons: frozenset[tuple[Arch, str, str]]
    """Architecture, glibc and Python, such as `3.13`, of each target: a wheel must fit all of them."""
    prereleases: bool = False
    """Whether alpha, beta and candidate versions count too."""


def newest_pins(
    names: Iterable[str],
    request: PinRequest,
    services: IndexServices,
    *,
    index_of: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the newest version of each distribution; NoSolutionError for one that has none.

    `index_of` are the addresses of indexes other than the default one, by distribution.
    """
    found = {}
    for name in names:
        url = (index_of or {}).get(name, services.index_url)
        project = read_index_project(services.client, url, name)
        if project is None or not project.files:
            raise NoSolutionError(
                f"the index has no distribution {name!r}",
                place=f"--root {name}",
                hint="check its name, or give its version: --pin NAME==VERSION",
            )
        version = newest_version(project, request)
        if version is None:
            raise NoSolutionError(
                f"no version of {name} until {request.before:%Y-%m-%d} has a wheel for every target",
                place=f"--root {name}",
                hint=_what_there_is(project, request),
            )
        found[name] = str(version)
    return found


def newest_version(project: IndexProject, request: PinRequest) -> Version | None:
    """Return the newest version, final unless asked otherwise, whose wheels fit every target, or None."""
    targets = [(target_tags(arch, glibc, python), python) for arch, glibc, python in request.pythons]
    for version in reversed(project.versions(request.before)):
        if version.is_prerelease and not request.prereleases:
            continue
        files = [item for item in project.of(version, request.before) if item.wheel and not item.yanked]
        if all(any(_fits_python(item, tags, python) for item in files) for tags, python in targets):
            return version
    return None


def _fits_python(item: DistributionFile, tags: dict[Tag, int], python: str) -> bool:
    if wheel_rank(item.file, tags) is None:
        return False
    try:
        return SpecifierSet(item.requires_python).contains(f"{python}.0", prereleases=True)
    except InvalidSpecifier:
        return True  # the resolver says what it thinks of it


def _what_there_is(project: IndexProject, request: PinRequest) -> str:
    versions: Sequence[Version] = project.versions()
    late = [version for version in versions if version not in project.versions(request.before)]
    if late and len(late) == len(versions):
        return f"its first version, {late[0]}, is newer: give a later --until DAY"
    return f"its newest versions are {', '.join(map(str, versions[-3:]))}: give one with --pin NAME==VERSION"
