"""What a wheel's own metadata says, from bytes with a known hash, kept by the wheel's SHA-256.

A server that answers `FILE.metadata` with something else could change what a lock
holds and, if that were kept, what later locks hold. So these bytes count only with
the hash that the index's page states (PEP 714), and otherwise the wheel itself is read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from packaging.metadata import RawMetadata, parse_email
from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name

from builder.errors import FetchError
from builder.index.remote_wheel import RemoteFile, read_metadata_member
from builder.io import NoRangesError, NotFoundError, redacted, write_atomic
from builder.json_text import parse_json
from builder.model import LicenseStatement, counted, lenient_requirement, parsed_requirement

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from builder.index.project_page import CandidateWheel
    from builder.index.services import IndexServices

__all__ = [
    "WheelFacts",
    "digest_folder",
    "parse_metadata",
    "read_core_metadata",
    "read_wheel_facts",
    "with_sha256",
]

_WHOLE_FILE = 8 * 2**30  # bytes; where ranges are not served the whole wheel is read
# A larger wheel is read by ranges where nothing states a hash of its metadata. Of 294 wheels for vLLM,
# 259 are smaller, together 338 MiB; up to 64 MiB each it would be 1,030 MiB.
_LARGEST_READ_WHOLE = 16 * 2**20
_SHOWN_UNHASHED = 3
_FOLDER_DIGEST = 32  # bytes of the digest in a "warehouse" path


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelFacts:
    """The part of a wheel's metadata that a lock depends on."""

    name: str
    version: str
    requires: tuple[str, ...]
    extras: tuple[str, ...]
    requires_python: str = ""
    """`Requires-Python`, or empty."""
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
        facts = _kept_facts(wheel, services)
        if facts is None:
            new.append((name, wheel))
        else:
            known[name] = facts
    if new:
        with ThreadPoolExecutor(max_workers=services.workers) as pool:
            found = pool.map(lambda item: _fetch_facts(item[0], item[1], services), new)
            known.update(zip((name for name, _ in new), found, strict=True))
        _warn_of_unhashed([wheel.file for _, wheel in new], services)
    return known


def _warn_of_unhashed(files: list[str], services: IndexServices) -> None:
    """Say of which of `files` no hash covers the metadata, each once in a run."""
    with services.lock:
        unhashed = sorted(services.unhashed_metadata.intersection(files) - services.warned_of)
        services.warned_of.update(unhashed)
    if unhashed:
        shown = ", ".join(unhashed[:_SHOWN_UNHASHED]) + (", …" if len(unhashed) > _SHOWN_UNHASHED else "")
        services.warn(
            f"no hash covers the metadata of {counted(len(unhashed), 'wheel')} ({shown}): the index states "
            "none, so it was read from parts of the wheel; `verify --store` reads the whole wheel"
        )


def with_sha256(wheel: CandidateWheel, services: IndexServices) -> CandidateWheel:
    """Return `wheel` with its SHA-256: a wheel for which neither index nor uv gave one is fetched."""
    if wheel.sha256:
        return wheel
    with tempfile.TemporaryFile() as sink:
        return replace(wheel, sha256=services.client.download(wheel.url, sink, limit=_WHOLE_FILE))


def digest_folder(wheel: CandidateWheel, services: IndexServices) -> str:
    """Return the folder in which the default index keeps a file, by the BLAKE2b digest of its bytes.

    For a mirror with folders of its own. The bytes are fetched and checked once, and the digest is kept.
    """
    kept = services.metadata / f"{wheel.sha256}.blake2b"
    with contextlib.suppress(OSError):
        digest = kept.read_text()
        if len(digest) == 2 * _FOLDER_DIGEST:
            return _digest_path(digest)
    with tempfile.TemporaryFile() as whole:
        services.client.download(wheel.url, whole, sha256=wheel.sha256, limit=_WHOLE_FILE)
        whole.seek(0)
        digest = hashlib.file_digest(whole, partial(hashlib.blake2b, digest_size=_FOLDER_DIGEST)).hexdigest()
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(kept, digest.encode())
    return _digest_path(digest)


def _digest_path(digest: str) -> str:
    return f"{digest[:2]}/{digest[2:4]}/{digest[4:]}"


def read_core_metadata(data: bytes, *, place: str) -> RawMetadata:
    """Read core metadata (METADATA, PKG-INFO) without judging it (FetchError for what no parser reads)."""
    try:
        raw, _ = parse_email(data)
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError) as cause:
        raise FetchError(
            f"its metadata cannot be read: {str(cause)[:200] or type(cause).__name__}",
            place=redacted(place),
            hint="pin another version",
        ) from cause
    return raw


def _check_versions(version: str, requires_python: str, place: str) -> None:
    """Raise FetchError for versions with numbers that no Python reads."""
    for field, text in (("Version", f"=={version}"), ("Requires-Python", requires_python)):
        try:
            parsed_requirement(f"x{text}")
        except InvalidRequirement as error:
            if "thousand digits" in str(error):
                raise FetchError(
                    f"its metadata has a {field} of {text[:40]}…: {error}",
                    place=redacted(place),
                    hint="pin another version",
                ) from None


def parse_metadata(data: bytes, *, name: str, size: int, place: str) -> WheelFacts:
    """Read METADATA; FetchError when it is not that of distribution `name`."""
    raw = read_core_metadata(data, place=place)
    stated = raw.get("name", "")
    if canonicalize_name(stated) != name or "version" not in raw:
        raise FetchError(
            f"its metadata is of {stated or 'nothing'!r}, not of {name!r}", place=redacted(place)
        )
    _check_versions(raw["version"], raw.get("requires_python", ""), place)
    for text in raw.get("requires_dist", ()):
        try:
            lenient_requirement(text)
        except InvalidRequirement:
            raise FetchError(
                f"its metadata has Requires-Dist {text[:80]!r}, which is not a requirement",
                place=redacted(place),
                hint="pin another version",
            ) from None
    return WheelFacts(
        name=name,
        version=raw["version"],
        requires=tuple(raw.get("requires_dist", ())),
        extras=tuple(sorted(str(canonicalize_name(extra)) for extra in raw.get("provides_extra", ()))),
        requires_python=raw.get("requires_python", ""),
        size=size,
        license=LicenseStatement.of(
            expression=raw.get("license_expression", ""),
            text=raw.get("license", ""),
            classifiers=tuple(raw.get("classifiers", ())),
        ),
    )


def _kept_facts(wheel: CandidateWheel, services: IndexServices) -> WheelFacts | None:
    """Return what is kept of `wheel`; None when there is nothing or it is damaged."""
    try:
        data: dict[str, Any] = parse_json(_facts_file(wheel, services).read_bytes())
        kept = WheelFacts(
            name=data["name"],
            version=data["version"],
            requires=tuple(data["requires"]),
            extras=tuple(data["extras"]),
            requires_python=data["requires_python"],
            size=0,
            license=LicenseStatement(
                expression=data["license"]["expression"],
                text=data["license"]["text"],
                classifiers=tuple(data["license"]["classifiers"]),
            ),
        )
        size = data["size"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return replace(kept, size=_known_size(wheel, size, services))


def _facts_file(wheel: CandidateWheel, services: IndexServices) -> Path:
    # Without `checked`, the name would be that of facts that an earlier version kept unchecked.
    return services.metadata / f"{wheel.sha256}.checked.json"


def _fetch_facts(name: str, wheel: CandidateWheel, services: IndexServices) -> WheelFacts:
    """Read the metadata of `wheel`, from checked bytes where that is possible; only these are kept.

    In this order: the separate METADATA, if the index's page states its hash; the whole wheel, if it is
    small or the server serves no ranges; else parts of the wheel, which no hash covers (a warning says so).
    """
    size = wheel.size
    data = _metadata_file(wheel, services) if wheel.metadata_sha256 else None
    if data is not None:
        facts = _facts_of(data, name, wheel, size, services)
        _keep_facts(facts, wheel, kept_size=size, services=services)
        return facts
    if size is None:
        size = services.client.head(wheel.url).size
    if size is not None and size > _LARGEST_READ_WHOLE:
        data = _metadata_by_ranges(name, wheel, size, services)
        if data is not None:
            with services.lock:
                services.unhashed_metadata.add(wheel.file)
            return _facts_of(data, name, wheel, size, services)
    data, size = _metadata_by_download(name, wheel, services)
    facts = _facts_of(data, name, wheel, size, services)
    _keep_facts(facts, wheel, kept_size=size, services=services)
    return facts


def _facts_of(
    data: bytes, name: str, wheel: CandidateWheel, size: int | None, services: IndexServices
) -> WheelFacts:
    """Parse METADATA; a size that the index did not state is asked for."""
    return parse_metadata(data, name=name, size=_known_size(wheel, size, services), place=wheel.url)


def _known_size(wheel: CandidateWheel, size: int | None, services: IndexServices) -> int:
    found = services.client.head(wheel.url).size if size is None else size
    if found is None:
        with tempfile.TemporaryFile() as whole:
            services.client.download(wheel.url, whole, sha256=wheel.sha256, limit=_WHOLE_FILE)
            found = whole.seek(0, os.SEEK_END)
    return found


def _metadata_file(wheel: CandidateWheel, services: IndexServices) -> bytes | None:
    """Return the wheel's separate METADATA (PEP 658), which must have the hash that the index's page states.

    None where the place does not have it after all; DigestMismatchError for other bytes.
    """
    try:
        return services.client.get_bytes(f"{wheel.url}.metadata", sha256=wheel.metadata_sha256)
    except NotFoundError:
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


def _keep_facts(
    facts: WheelFacts, wheel: CandidateWheel, *, kept_size: int | None, services: IndexServices
) -> None:
    """Keep facts from checked bytes; a size that only a server's header states is not among them."""
    content = {
        "name": facts.name,
        "version": facts.version,
        "requires": facts.requires,
        "extras": facts.extras,
        "requires_python": facts.requires_python,
        "size": kept_size,
        "license": asdict(facts.license),
    }
    place = _facts_file(wheel, services)
    place.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(place, json.dumps(content, ensure_ascii=False).encode())
