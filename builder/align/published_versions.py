"""Whether a version exists, and what exists near it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from packaging.version import Version

from builder.align.evidence import Evidence, RepositoryTags, UnaskedError, tag_version, version_of
from builder.index import DistributionFile, IndexProject

__all__ = ["Existence", "existence", "existence_anywhere", "nearest"]

_NEAR = 2
"""How many versions are named on each side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Existence:
    """Whether a version exists, in a sentence, and when it was uploaded."""

    exists: bool
    said: str
    uploaded: datetime | None = None


def existence(evidence: Evidence, name: str, version: str) -> Existence:
    """Look for a version on the index, then among the tags of its component (UnaskedError).

    If the index has the project, its answer is enough; a project that it lacks is judged by tags alone.
    """
    wanted = version_of(version)
    unasked: UnaskedError | None = None
    project: IndexProject | None = None
    try:
        project = evidence.any_project(name)
    except UnaskedError as error:
        unasked = error
    if project and (files := project.of(wanted)):
        return _on_the_index(files)
    tags: RepositoryTags | None = None
    try:
        tags = _component_tags(evidence, name, wanted)
    except UnaskedError as error:
        unasked = unasked or error
    if tags and wanted in _tagged_versions(tags):
        return Existence(exists=True, said=f"a tag of {evidence.repository(name)} ({tags.by})")
    if unasked and project is None:
        raise unasked
    if not project and not tags:
        raise UnaskedError(f"the index has no project {name}, and no recipe knows its repository")
    places = [f"project {project.name} of the index"] if project else []
    places += [f"{evidence.repository(name)} ({tags.by})"] if tags else []
    where = f"neither {' nor '.join(places)} has it" if len(places) > 1 else f"{places[0]} lacks it"
    known = {*(project.versions() if project else ()), *(_tagged_versions(tags) if tags else ())}
    said = f"{name} {wanted} never existed: {where}; nearest: {nearest(wanted, known)}"
    return Existence(exists=False, said=said)


def existence_anywhere(evidence: Evidence, name: str, version: str) -> Existence:
    """Look for a version like `existence`; a local label such as +cu130 is that of a build on another index.

    The default index has no such builds, so of these it is asked whether it has the version.
    """
    wanted = version_of(version)
    found = existence(evidence, name, wanted.public)
    if not wanted.local or not found.exists:
        return found
    said = f"{found.said} without +{wanted.local}, which is the label of another index's build"
    return Existence(exists=True, said=said, uploaded=found.uploaded)


def _component_tags(evidence: Evidence, name: str, wanted: Version) -> RepositoryTags | None:
    """Return the tags of a component, or None without a known repository (UnaskedError if newer than all)."""
    url = evidence.repository(name)
    if not url:
        return None
    tags = evidence.published.tags(url)
    versions = _tagged_versions(tags)
    if versions and wanted > max(versions):
        raise UnaskedError(f"{name} {wanted} is newer than every tag of {url} ({tags.by})")
    return tags


def _tagged_versions(tags: RepositoryTags) -> frozenset[Version]:
    """Return the versions that tags name; v2.27.5-1, a packaging of 2.27.5, counts for both."""
    found = {version for tag in tags.tags if (version := tag_version(tag))}
    return frozenset(
        found | {Version(v.base_version) for v in found if v.is_postrelease and not v.is_prerelease}
    )


def _on_the_index(files: Sequence[DistributionFile]) -> Existence:
    first = min((item.uploaded for item in files if item.uploaded), default=None)
    day = f" since {first:%Y-%m-%d}" if first else ""
    yanked = ", yanked" if all(item.yanked for item in files) else ""
    return Existence(exists=True, said=f"on the index{day}{yanked}", uploaded=first)


def nearest(wanted: Version, known: Iterable[Version] | Mapping[Version, str]) -> str:
    """Return the existing versions around `wanted`, as text; a mapping says how each is spelled."""
    spelled = known if isinstance(known, Mapping) else {version: str(version) for version in known}
    ordered = sorted(spelled)
    below = [version for version in ordered if version <= wanted][-_NEAR:]
    above = [version for version in ordered if version > wanted][:_NEAR]
    return ", ".join(spelled[version] for version in (*below, *above)) or "none"
