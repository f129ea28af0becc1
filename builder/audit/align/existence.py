"""Whether a version exists, and what exists near it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from packaging.version import Version

from builder.audit.align.evidence import Evidence, tag_version, version_of
from builder.audit.align.published import UnaskedError

__all__ = ["Existence", "existence", "nearest"]

_NEAR = 2
"""How many versions are named on each side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Existence:
    """Whether a version exists, in a sentence, and when it was uploaded."""

    exists: bool
    said: str
    uploaded: datetime | None = None


def existence(evidence: Evidence, name: str, version: str) -> Existence:
    """Look for a version on the index, then among the tags of its component (UnaskedError)."""
    wanted = version_of(version)
    places, known, unasked = [], set(), []
    try:
        project = evidence.project(name)
        files = project.of(wanted)
        if files:
            first = min((item.uploaded for item in files if item.uploaded), default=None)
            day = f" since {first:%Y-%m-%d}" if first else ""
            yanked = ", yanked" if all(item.yanked for item in files) else ""
            return Existence(exists=True, said=f"on the index{day}{yanked}", uploaded=first)
        places.append(f"project {project.name} of the index")
        known |= set(project.versions())
    except UnaskedError as error:
        unasked.append(str(error))
    if url := evidence.repository(name):
        try:
            tags = evidence.published.tags(url)
        except UnaskedError as error:
            unasked.append(str(error))
        else:
            versions = {found for tag in tags.tags if (found := tag_version(tag))}
            if wanted in versions:
                return Existence(exists=True, said=f"a tag of {url} ({tags.by})")
            if versions and wanted > max(versions):
                raise UnaskedError(f"{name} {version} is newer than every tag of {url} ({tags.by})")
            places.append(f"{url} ({tags.by})")
            known |= versions
    if not places:
        raise UnaskedError("; ".join(unasked))
    where = (
        f"neither {' nor '.join(places)} has it" if len(places) > 1 else f"{places[0]} has no such version"
    )
    said = f"{name} {version} never existed: {where}; nearest: {nearest(wanted, known)}"
    return Existence(exists=False, said=said)


def nearest(wanted: Version, known: Iterable[Version]) -> str:
    """Return the existing versions around `wanted`, as text."""
    ordered = sorted(known)
    below = [str(item) for item in ordered if item < wanted][-_NEAR:]
    above = [str(item) for item in ordered if item > wanted][:_NEAR]
    return ", ".join((*below, *above)) or "none"
