"""What a wheel's own metadata says, fetched once and kept by the wheel's SHA-256."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from packaging.metadata import parse_email
from packaging.utils import canonicalize_name

from builder.errors import FetchError
from builder.index.remote_wheel import RemoteFile, read_metadata_member
from builder.io import NoRangesError, NotFoundError, redacted, write_atomic
from builder.model import LicenseStatement

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from builder.index.project_page import CandidateWheel
    from builder.index.services import IndexServices

__all__ = ["WheelFacts", "parse_metadata", "read_wheel_facts", "with_sha256"]

_WHOLE_FILE = 8 * 2**30  # bytes; where ranges are not served the whole wheel is read


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelFacts:
    """The part of a wheel's metadata that a lock depends on."""

    name: str
    version: str
    requires: tuple[str, ...]
    extras: tuple[str, ...]
    size: int
    """Of the wheel, in bytes."""
    license: LicenseStatement


def read_wheel_facts(
    wheels: Iterable[tuple[str, CandidateWheel]], services: IndexServices
) -> dict[str, WheelFacts]:
    """Return the facts of each (distribution, wheel) by distribution; what is new is fetched in parallel."""
    known: dict[str, WheelFacts] = {}
    new = []
    for name, wheel in wheels:
        facts = _kept_facts(services.metadata / f"{wheel.sha256}.json")
        if facts is None:
            new.append((name, wheel))
        else:
            known[name] = facts
    if new:
        with ThreadPoolExecutor(max_workers=services.workers) as pool:
            found = pool.map(lambda item: _fetch_facts(item[0], item[1], services), new)
            known.update(zip((name for name, _ in new), found, strict=True))
    return known


def with_sha256(wheel: CandidateWheel, services: IndexServices) -> CandidateWheel:
    """Return `wheel` with its SHA-256: a wheel for which neither index nor uv gave one is fetched."""
    if wheel.sha256:
        return wheel
    with tempfile.TemporaryFile() as sink:
        return replace(wheel, sha256=services.client.download(wheel.url, sink, limit=_WHOLE_FILE))


def parse_metadata(data: bytes, *, name: str, size: int, place: str) -> WheelFacts:
    """Read METADATA; FetchError when it is not that of distribution `name`."""
    raw, _ = parse_email(data)
    stated = raw.get("name", "")
    if canonicalize_name(stated) != name or "version" not in raw:
        raise FetchError(
            f"its metadata is of {stated or 'nothing'!r}, not of {name!r}", place=redacted(place)
        )
    return WheelFacts(
        name=name,
        version=raw["version"],
        requires=tuple(raw.get("requires_dist", ())),
        extras=tuple(sorted(str(canonicalize_name(extra)) for extra in raw.get("provides_extra", ()))),
        size=size,
        license=LicenseStatement.of(
            expression=raw.get("license_expression", ""),
            text=raw.get("license", ""),
            classifiers=tuple(raw.get("classifiers", ())),
        ),
    )


def _kept_facts(path: Path) -> WheelFacts | None:
    """Return what is kept at `path`; None when there is nothing or it is damaged."""
    try:
        data: dict[str, Any] = json.loads(path.read_bytes())
        return WheelFacts(
            name=data["name"],
            version=data["version"],
            requires=tuple(data["requires"]),
            extras=tuple(data["extras"]),
            size=data["size"],
            license=LicenseStatement(
                expression=data["license"]["expression"],
                text=data["license"]["text"],
                classifiers=tuple(data["license"]["classifiers"]),
            ),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _fetch_facts(name: str, wheel: CandidateWheel, services: IndexServices) -> WheelFacts:
    size = wheel.size if wheel.size is not None else services.client.head(wheel.url).size
    data = _metadata_file(wheel, services)
    if data is None and size is not None:
        data = _metadata_by_ranges(name, wheel, size, services)
    if data is None or size is None:
        data, size = _metadata_by_download(name, wheel, services)
    facts = parse_metadata(data, name=name, size=size, place=wheel.url)
    _keep_facts(facts, services.metadata / f"{wheel.sha256}.json")
    return facts


def _metadata_file(wheel: CandidateWheel, services: IndexServices) -> bytes | None:
    """Ask for the wheel's separate METADATA (PEP 658); a place that has none is asked once."""
    base = wheel.url.partition("://")[2].partition("/")[0]
    if base in services.without_metadata_files:
        return None
    try:
        return services.client.get_bytes(f"{wheel.url}.metadata")
    except NotFoundError:
        with services.lock:
            services.without_metadata_files.add(base)
        return None


def _metadata_by_ranges(name: str, wheel: CandidateWheel, size: int, services: IndexServices) -> bytes | None:
    remote = RemoteFile(size, lambda start, end: services.client.get_range(wheel.url, start, end))
    with contextlib.suppress(NoRangesError):
        return read_metadata_member(remote, name=name, place=wheel.url)
    return None


def _metadata_by_download(name: str, wheel: CandidateWheel, services: IndexServices) -> tuple[bytes, int]:
    with tempfile.TemporaryFile() as whole:
        services.client.download(wheel.url, whole, sha256=wheel.sha256, limit=_WHOLE_FILE)
        size = whole.seek(0, os.SEEK_END)
        return read_metadata_member(whole, name=name, place=wheel.url), size


def _keep_facts(facts: WheelFacts, path: Path) -> None:
    content = {
        "name": facts.name,
        "version": facts.version,
        "requires": facts.requires,
        "extras": facts.extras,
        "size": facts.size,
        "license": asdict(facts.license),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps(content, ensure_ascii=False).encode())
