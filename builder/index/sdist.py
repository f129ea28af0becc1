"""What an sdist says of itself without being run: a stub, or something that a recipe can build."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from builder.errors import BuilderError, FetchError
from builder.index.metadata import read_core_metadata
from builder.model import normalized_name, recipe_requirement, toml
from builder.tars import TarBounds, UnreadableError, open_unpacked, open_zip, read_tar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from builder.index.index_client import IndexClient
    from builder.index.project_page import DistributionFile

__all__ = ["SdistFacts", "inspect_sdist", "read_sdist"]

_LIMIT = 64 * 2**20  # bytes of an sdist that is worth reading for a message
_MEMBER = 4 * 2**20  # bytes of one of its files
_MOST = 200_000  # members; the largest sdists of this field have 20,000
_UNPACKED = 2**30  # bytes of all of it
_STUB_BACKEND = "wheel_stub"
_WANTED = ("PKG-INFO", "pyproject.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class SdistFacts:
    """Read from PKG-INFO and pyproject.toml."""

    stub: bool
    """Whether building it downloads the real wheel."""
    bytes_at: str
    """For a stub, where it says that the real wheel is; empty when it does not."""
    static: bool
    """Whether its requirements are static metadata (PEP 643), so that nothing need be executed."""
    requires: tuple[str, ...]


def inspect_sdist(item: DistributionFile, client: IndexClient) -> SdistFacts | None:
    """Fetch an sdist and read its facts; None when it cannot be had or read: a message does without."""
    try:
        data = client.get_bytes(item.url, limit=_LIMIT)
        return read_sdist(item.file, data)
    except BuilderError:
        return None


def read_sdist(file: str, data: bytes) -> SdistFacts:
    """Return the facts of an sdist (FetchError when it is none)."""
    try:
        found = dict(_wanted_members(file, data))
    except UnreadableError as cause:
        raise FetchError(f"is not a readable sdist: {cause}", place=file) from cause
    raw = read_core_metadata(found.get("PKG-INFO", b""), place=f"{file}: PKG-INFO")
    project = toml.loads(found.get("pyproject.toml", b""), place=f"{file}: pyproject.toml", error=FetchError)
    build = _table_of(project, "build-system")
    requires = build.get("requires")
    texts = [text for text in requires if isinstance(text, str)] if isinstance(requires, list) else []
    needed = {normalized_name(recipe_requirement(text)) for text in texts}
    stub = str(build.get("build-backend", "")).startswith(_STUB_BACKEND) or "wheel-stub" in needed
    settings = _table_of(_table_of(project, "tool"), _STUB_BACKEND)
    dynamic = {field.lower() for field in raw.get("dynamic", ())}
    return SdistFacts(
        stub=stub,
        bytes_at=str(settings.get("index_url", "")) if stub else "",
        static=not stub and raw.get("metadata_version", "0") >= "2.2" and "requires-dist" not in dynamic,
        requires=tuple(raw.get("requires_dist", ())),
    )


def _table_of(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the table at `key`; an empty one when nothing, or something else, stands there."""
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def _wanted_members(file: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the wanted files of an sdist's top folder, read in memory and never unpacked."""
    bounds = TarBounds(members=_MOST, unpacked=_UNPACKED)
    if file.endswith(".zip"):
        with open_zip(io.BytesIO(data), bounds) as archive:
            for entry in archive.members:
                if _is_wanted(entry.filename) and entry.file_size <= _MEMBER:
                    yield entry.filename.rpartition("/")[2], archive.read(entry, _MEMBER)
        return
    with open_unpacked(io.BytesIO(data)) as stream:
        for member, content in read_tar(stream, bounds):
            if member.kind == "file" and _is_wanted(member.name) and member.size <= _MEMBER:
                yield member.name.rpartition("/")[2], content.read()


def _is_wanted(path: str) -> bool:
    folder, _, name = path.removeprefix("./").partition("/")
    return bool(folder) and name in _WANTED
