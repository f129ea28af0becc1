"""What a simple index says of a project: its files with their hashes, upload times and withdrawals.

An index may answer JSON or HTML whatever it is asked for; everything is read from both.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from builder.errors import FetchError
from builder.io import NotFoundError, redacted
from builder.json_text import parse_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pypi_simple import DistributionPackage, Link

    from builder.index.index_client import IndexClient
    from builder.io import Answer

__all__ = [
    "CandidateWheel",
    "DistributionFile",
    "IndexProject",
    "parse_project_page",
    "parse_rfc3339",
    "passed_on_page",
    "read_index_project",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateWheel:
    """A wheel that uv found usable."""

    file: str
    url: str
    sha256: str = ""
    size: int | None = None
    uploaded: str = ""
    """RFC 3339, or empty where the index does not say."""
    hash_stated: bool = False
    """Whether the index's page states this SHA-256; otherwise it was seen in fetched bytes only."""
    metadata_sha256: str = ""
    """Of the file's separate METADATA (PEP 658, PEP 714), or empty where the page states none."""
    withdrawn: str | None = None
    """Why the index withdrew (yanked) this file, often an empty text; None where it did not."""
    page_python: str = ""
    """The Requires-Python that the index's page states: pip passes over a file whose page excludes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionFile:
    """One wheel or sdist."""

    file: str
    url: str
    version: Version
    wheel: bool
    sha256: str = ""
    uploaded: datetime | None = None
    yanked: bool = False
    requires_python: str = ""
    yanked_reason: str = ""
    metadata_sha256: str = ""
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexProject:
    """The wheels and sdists of one project, in the index's order."""

    name: str
    files: tuple[DistributionFile, ...]

    def versions(self, before: datetime | None = None) -> tuple[Version, ...]:
        """Return the versions with a file, oldest first; with `before`, uploaded until then or undated."""
        return tuple(sorted({item.version for item in self.files if _is_before(item, before)}))

    def of(self, version: Version, before: datetime | None = None) -> tuple[DistributionFile, ...]:
        """Return the files of one version; a version without a local part covers every local part."""
        return tuple(
            item
            for item in self.files
            if version in (item.version, Version(item.version.public)) and _is_before(item, before)
        )

    def some_wheel(self, version: Version) -> CandidateWheel | None:
        """Return the first wheel of a version by name: what it says of itself holds for all of them."""
        wheels = [item for item in self.of(version) if item.wheel and item.sha256]
        first = min(wheels, key=lambda item: item.file, default=None)
        if first is None:
            return None
        return CandidateWheel(
            file=first.file,
            url=first.url,
            sha256=first.sha256,
            size=first.size,
            hash_stated=True,
            metadata_sha256=first.metadata_sha256,
        )


def _is_before(item: DistributionFile, before: datetime | None) -> bool:
    return before is None or item.uploaded is None or item.uploaded < before


def parse_rfc3339(text: str) -> datetime:
    """Read an RFC 3339 time; ValueError when it is none."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def read_index_project(
    client: IndexClient, index_url: str, name: str, *, wheels_of: str = ""
) -> IndexProject | None:
    """Ask the index for a project; None when it has none of this name. FetchError when it cannot be asked.

    With `wheels_of`, a version, only its wheels are read: a page may list 7,000 files.
    """
    from pypi_simple import ACCEPT_ANY  # noqa: PLC0415 - costs a third of a second, and is seldom needed

    url = f"{index_url.rstrip('/')}/{canonicalize_name(name)}/"
    several = len(client.places_of(url)) > 1

    def read(answer: Answer) -> IndexProject:
        project = parse_project_page(answer, name, wheels_of=wheels_of)
        if several and not project.files and not wheels_of:
            # A mirror that asks for a login, or that has not copied the project, often answers like this.
            raise NotFoundError("lists no file of the project", place=redacted(answer.url))
        return project

    try:
        return client.read_page(url, ACCEPT_ANY, read)
    except NotFoundError:
        return None


def passed_on_page(
    client: IndexClient,
    index_url: str,
    name: str,
    address_of: Callable[[DistributionFile], str],
    *,
    before: datetime | None = None,
) -> bytes | None:
    """Return the index's page of a project in the JSON form with another address for each file.

    What the page says of a file beside its address stays. With `before`, files uploaded at that moment or
    later are left out, and those without an upload time, as uv does. None where the index has no such
    project; FetchError when it cannot be asked.
    """
    project = read_index_project(client, index_url, name)
    if project is None:
        return None
    files = []
    for item in project.files:
        if before is not None and (item.uploaded is None or item.uploaded >= before):
            continue
        hashes = {"sha256": item.sha256} if item.sha256 else {}
        entry: dict[str, object] = {"filename": item.file, "url": address_of(item), "hashes": hashes}
        if item.requires_python:
            entry["requires-python"] = item.requires_python
        if item.uploaded is not None:
            entry["upload-time"] = item.uploaded.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        if item.size is not None:
            entry["size"] = item.size
        if item.yanked:
            entry["yanked"] = item.yanked_reason or True
        if item.metadata_sha256:
            entry["core-metadata"] = {"sha256": item.metadata_sha256}
        files.append(entry)
    page = {
        "meta": {"api-version": "1.1"},
        "name": project.name,
        "versions": [],
        "files": files,
    }
    return json.dumps(page).encode()


def parse_project_page(answer: Answer, name: str, *, wheels_of: str = "") -> IndexProject:
    """Read a project page in either form, or one version's wheels of it; FetchError when it is neither."""
    from pypi_simple import UnexpectedRepoVersionWarning, UnsupportedRepoVersionError  # noqa: PLC0415

    parse = _files_of_json if answer.content_type.endswith("json") else _files_of_html
    try:
        with warnings.catch_warnings():
            # A newer minor version of the simple index only adds to what is read here.
            warnings.simplefilter("ignore", UnexpectedRepoVersionWarning)
            files = tuple(parse(answer, name, _version_filter(wheels_of)))
    except (ValueError, RecursionError, UnsupportedRepoVersionError) as error:
        first = str(error).partition("\n")[0]
        raise FetchError(f"is not a project page of a simple index ({first})", place=answer.url) from error
    return IndexProject(name=str(canonicalize_name(name)), files=files)


def _version_filter(version: str) -> Callable[[str], bool]:
    """Return whether a file name is that of a wheel of `version`; every file counts for an empty one.

    Only the second part of a name is parsed, and once for each text: checking whole entries of
    a large page takes 20 times as long as decoding its JSON.
    """
    if not version:
        return lambda _: True
    wanted = Version(version)

    @cache
    def is_wanted(text: str) -> bool:
        try:
            return Version(text) == wanted
        except InvalidVersion:
            return False

    return lambda file: file.endswith(".whl") and file.count("-") >= 4 and is_wanted(file.split("-", 2)[1])


def _files_of_json(answer: Answer, _: str, counts: Callable[[str], bool]) -> Iterable[DistributionFile]:
    from pypi_simple import ProjectPage  # noqa: PLC0415 - see read_project

    page = parse_json(answer.body)
    if isinstance(page, dict) and isinstance(page.get("files"), list):
        # An entry that is damaged stays, so that the page is refused.
        page["files"] = [
            entry
            for entry in page["files"]
            if not isinstance(entry, dict)
            or not isinstance(entry.get("filename"), str)
            or counts(entry["filename"])
        ]
    for package in ProjectPage.from_json_data(page, answer.url).packages:
        yield from _distribution_file(package, package.upload_time)


def _files_of_html(answer: Answer, name: str, counts: Callable[[str], bool]) -> Iterable[DistributionFile]:
    from pypi_simple import DistributionPackage, RepositoryPage  # noqa: PLC0415 - see read_project

    try:
        page = RepositoryPage.from_html(answer.body, answer.url)
    except Exception as error:  # markup that its parser rejects is a bare Exception there
        raise ValueError(str(error).strip() or type(error).__name__) from error
    for link in page.links:
        if not counts(link.text):
            continue
        stated = link.get_str_attrib("data-upload-time")
        package = DistributionPackage.from_link(link, name)
        if not package.metadata_digests:
            package.metadata_digests = _older_metadata_digests(link)
        yield from _distribution_file(package, parse_rfc3339(stated) if stated else None)


def _older_metadata_digests(link: Link) -> dict[str, str]:
    """Return the hash under PEP 658's name of the attribute, which PEP 714 renamed `data-core-metadata`."""
    name, _, value = (link.get_str_attrib("data-dist-info-metadata") or "").partition("=")
    return {name: value} if value else {}


def _distribution_file(package: DistributionPackage, uploaded: datetime | None) -> Iterable[DistributionFile]:
    if package.package_type not in ("wheel", "sdist") or package.version is None:
        return
    try:
        version = Version(package.version)
    except InvalidVersion:
        return
    yield DistributionFile(
        file=package.filename,
        url=package.url,
        version=version,
        wheel=package.package_type == "wheel",
        sha256=package.digests.get("sha256", ""),
        uploaded=uploaded,
        yanked=package.is_yanked,
        requires_python=package.requires_python or "",
        yanked_reason=package.yanked_reason or "",
        metadata_sha256=(package.metadata_digests or {}).get("sha256", ""),
        size=package.size,
    )
