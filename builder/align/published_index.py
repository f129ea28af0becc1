"""The published side as it really is: the Python index and git, asked once, kept, and asked again offline."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from packaging.version import Version

from builder.align.evidence import Metadata, RepositoryTags, UnaskedError
from builder.errors import BuilderError, FetchError
from builder.index import (
    CandidateWheel,
    DistributionFile,
    IndexProject,
    IndexServices,
    inspect_sdist,
    parse_rfc3339,
    read_index_project,
    read_wheel_facts,
)
from builder.io import write_atomic
from builder.json_text import parse_json

__all__ = ["Index"]

_AGE = timedelta(minutes=10)
"""For so long a kept page counts as current: the age that the default index itself allows."""


class Index:
    """Answers from the index and from git; what was answered is kept below `cache` and used where offline.

    `oldest` is the age of the oldest kept page that was used offline.
    """

    def __init__(self, services: IndexServices, cache: Path, refs: Callable[[str], RepositoryTags]) -> None:
        self._services = services
        self._cache = cache / hashlib.sha256(services.index_url.encode()).hexdigest()[:16]
        self._refs = refs
        self._projects: dict[str, IndexProject | None] = {}
        self._mutex = threading.Lock()
        self.oldest: datetime | None = None

    def project(self, name: str) -> IndexProject | None:
        """Return a project of the index; None where it has none of this name (UnaskedError)."""
        if name not in self._projects:
            self._projects[name] = self._ask_index(name)
        return self._projects[name]

    def _ask_index(self, name: str) -> IndexProject | None:
        path = self._cache / f"{name}.json"
        kept = _kept_page(path)
        if kept is not None and (self._services.offline or datetime.now(UTC) - kept[0] < _AGE):
            if self._services.offline and (self.oldest is None or kept[0] < self.oldest):
                self.oldest = kept[0]
            return kept[1]
        try:
            found = read_index_project(self._services.client, self._services.index_url, name)
        except FetchError as error:
            raise UnaskedError(f"project {name} could not be asked: {error}") from None
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, json.dumps(_page_table(found)).encode())
        return found

    def metadata(self, name: str, version: str) -> Metadata:
        """Return what a version says of itself: its best known wheel, else its sdist (UnaskedError)."""
        project = self.project(name)
        files = project.of(Version(version)) if project else ()
        wheels = sorted((item for item in files if item.wheel), key=lambda item: item.file)
        try:
            return self._of_wheel(name, wheels[-1]) if wheels else self._of_sdist(name, version, files)
        except BuilderError as error:
            raise UnaskedError(f"the metadata of {name} {version} could not be read: {error}") from None

    def _of_wheel(self, name: str, item: DistributionFile) -> Metadata:
        wheel = CandidateWheel(file=item.file, url=item.url, sha256=item.sha256)
        facts = read_wheel_facts([(name, wheel)], self._services)[name]
        return Metadata(
            requires=facts.requires, extras=facts.extras, python=item.requires_python, kind="wheel"
        )

    def _of_sdist(self, name: str, version: str, files: tuple[DistributionFile, ...]) -> Metadata:
        if not files:
            raise UnaskedError(f"the index has no {name} {version}")
        item = files[0]
        path = self._cache / f"{item.sha256 or item.file}.sdist.json"
        known = _read_kept(path)
        if known is None:
            facts = None if self._services.offline else inspect_sdist(item, self._services.client)
            if facts is None:
                raise UnaskedError(f"{item.file} could not be read")
            known = {"requires": list(facts.requires), "stub": facts.stub}
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, json.dumps(known).encode())
        return Metadata(
            requires=tuple(known["requires"]),
            extras=(),
            python=item.requires_python,
            kind="stub" if known["stub"] else "sdist",
        )

    def tags(self, url: str) -> RepositoryTags:
        """Return the tags and branches of a repository (UnaskedError)."""
        return self._refs(url)


def _read_kept(path: Path) -> Any:
    try:
        return parse_json(path.read_bytes())
    except (OSError, ValueError):
        return None


def _page_table(project: IndexProject | None) -> dict[str, Any]:
    files = project.files if project else ()
    return {
        "asked": datetime.now(UTC).isoformat(),
        "exists": project is not None,
        "name": project.name if project else "",
        "files": [
            [
                f.file,
                f.url,
                str(f.version),
                f.wheel,
                f.sha256,
                f.uploaded.isoformat() if f.uploaded else "",
                f.yanked,
                f.requires_python,
            ]
            for f in files
        ],
    }


def _kept_page(path: Path) -> tuple[datetime, IndexProject | None] | None:
    """Return a kept page and when it was asked for; None if it is missing or damaged."""
    page: Mapping[str, Any] | None = _read_kept(path)
    if page is None:
        return None
    try:
        files = tuple(
            DistributionFile(
                file=row[0],
                url=row[1],
                version=Version(row[2]),
                wheel=row[3],
                sha256=row[4],
                uploaded=parse_rfc3339(row[5]) if row[5] else None,
                yanked=row[6],
                requires_python=row[7],
            )
            for row in page["files"]
        )
        project = IndexProject(name=page["name"], files=files) if page["exists"] else None
        return parse_rfc3339(page["asked"]), project
    except (ValueError, KeyError, TypeError, IndexError):
        return None
