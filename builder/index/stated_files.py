"""What an index's page says of the files of one version: hashes, withdrawal, Requires-Python.

uv's answer has none of it but the wheel's own hash. A page is asked once for each
version and kept for the time for which the run counts pages as current.
"""

from __future__ import annotations

import hashlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from builder.index.project_page import read_index_project
from builder.io import write_atomic
from builder.json_text import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from builder.index.project_page import CandidateWheel
    from builder.index.services import IndexServices

__all__ = ["VersionPage", "with_stated_files"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPage:
    """Which page is asked for the wheels of one version."""

    index_url: str
    name: str
    version: str
    wheels: tuple[CandidateWheel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _StatedFile:
    """What a page says of one file; empty where it says nothing."""

    file: str
    sha256: str
    metadata_sha256: str
    withdrawn: str | None
    requires_python: str


def with_stated_files(
    pages: Iterable[VersionPage], services: IndexServices
) -> tuple[tuple[CandidateWheel, ...], ...]:
    """Return the wheels of each page with what the page says of them; pages are asked for in parallel.

    FetchError when a page cannot be read. A wheel that its page does not list stays as it is.
    """
    with ThreadPoolExecutor(max_workers=services.workers) as pool:
        return tuple(pool.map(lambda page: _described_wheels(page, services), pages))


def _described_wheels(page: VersionPage, services: IndexServices) -> tuple[CandidateWheel, ...]:
    place = services.metadata / "pages" / f"{_page_key(page)}.json"
    stated = _kept_files(place, services)
    # A kept page may be older than uv's answer, which then lists files that this page does not have yet.
    if stated is None or not all(wheel.file in stated for wheel in page.wheels):
        stated = _ask_page(page, services)
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(place, json.dumps([asdict(item) for item in stated.values()]).encode())
    return tuple(_described_wheel(wheel, stated.get(wheel.file)) for wheel in page.wheels)


def _page_key(page: VersionPage) -> str:
    text = json.dumps([page.index_url, page.name, page.version])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _kept_files(place: Path, services: IndexServices) -> dict[str, _StatedFile] | None:
    """Return what was kept, None where there is nothing, it is damaged, or older than a page may be."""
    try:
        if not services.offline and time.time() - place.stat().st_mtime > services.max_age:
            return None
        rows: list[dict[str, Any]] = parse_json(place.read_bytes())
        return {row["file"]: _StatedFile(**row) for row in rows}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _ask_page(page: VersionPage, services: IndexServices) -> dict[str, _StatedFile]:
    project = read_index_project(services.client, page.index_url, page.name, wheels_of=page.version)
    return {
        item.file: _StatedFile(
            file=item.file,
            sha256=item.sha256,
            metadata_sha256=item.metadata_sha256,
            withdrawn=item.yanked_reason if item.yanked else None,
            requires_python=item.requires_python,
        )
        for item in (project.files if project is not None else ())
    }


def _described_wheel(wheel: CandidateWheel, stated: _StatedFile | None) -> CandidateWheel:
    if stated is None:
        return wheel
    # uv hashes what an index gives without a hash, and its answer does not say so.
    same = bool(stated.sha256) and stated.sha256 == wheel.sha256
    return replace(
        wheel,
        hash_stated=same,
        # A page that promises other bytes under this name speaks of another file's metadata.
        metadata_sha256=stated.metadata_sha256 if same else "",
        withdrawn=stated.withdrawn,
        page_python=stated.requires_python,
    )
