"""Where advisories in the OSV format come from: a folder, a zip or a JSON file, or a service.

Databases are handed out as files; a service speaks OSV's query API.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from builder.errors import FetchError, UsageError
from builder.io import Client, read_bytes, redacted
from builder.json_text import parse_json
from builder.policy.advisories import AdvisorySubject, relevant_advisories
from builder.policy.osv import Advisory, parse_advisory
from builder.tars import UnreadableError, open_zip

__all__ = ["ServiceAnswer", "advisories_of_source", "ask_service", "read_advisories"]


_RECORD_LIMIT = 64 * 2**20  # bytes of one file, unpacked


def read_advisories(path: Path) -> Iterator[Advisory]:
    """Yield every record below `path` that was not withdrawn (UsageError naming the file)."""
    for place, data in _record_files(path):
        for record in _file_records(data, place):
            advisory = parse_advisory(record, place=place)
            if advisory is not None:
                yield advisory


def _record_files(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        found = sorted(path.rglob("*.json"))
        if not found:
            raise UsageError(
                "no JSON file in this folder", place=str(path), hint="name a folder of OSV records"
            )
        for file in found:
            yield str(file), _limited_record(read_bytes(file), str(file))
    elif _begins_like_zip(path):
        yield from _zip_members(path)
    else:
        yield str(path), _limited_record(read_bytes(path), str(path))


def _zip_members(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with open_zip(path) as archive:
            for member in sorted(archive.members, key=lambda member: member.filename):
                if member.filename.endswith(".json"):
                    yield f"{path}: {member.filename}", archive.read(member, _RECORD_LIMIT)
    except UnreadableError as error:
        raise UsageError(
            f"is not a readable zip: {error}", place=str(path), hint="fetch the database again"
        ) from error


def _begins_like_zip(path: Path) -> bool:
    return read_bytes(path)[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def _limited_record(data: bytes, place: str) -> bytes:
    if len(data) > _RECORD_LIMIT:
        raise UsageError(f"it is larger than {_RECORD_LIMIT} bytes", place=place)
    return data


def _file_records(data: bytes, place: str) -> list[Any]:
    """Return the records of a file: one, a list, or what a service answers (`vulns`)."""
    try:
        value = parse_json(data)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not JSON: {error}", place=place) from None
    if isinstance(value, dict) and isinstance(value.get("vulns"), list):
        return list(value["vulns"])
    return value if isinstance(value, list) else [value]


_BATCH = 500  # queries of one request; the service takes a thousand
_PAGES = 100
_WORKERS = 8
_ANSWER_LIMIT = 64 * 2**20  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAnswer:
    """What a service answered."""

    advisories: tuple[Advisory, ...]
    commits: frozenset[tuple[str, str]]
    """(id, commit) of every commit that it calls affected."""


def advisories_of_source(
    source: str, subjects: Iterable[AdvisorySubject], client: Callable[[], AbstractContextManager[Client]]
) -> ServiceAnswer:
    """Return what a service (its URL), or a folder, zip or file, says of the subjects; see the two readers.

    `client` is opened only for a service.
    """
    if source.startswith(("https://", "http://")):
        with client() as opened:
            return ask_service(opened, source, subjects)
    found = relevant_advisories(read_advisories(Path(source)), subjects)
    return ServiceAnswer(advisories=found, commits=frozenset())


def ask_service(client: Client, url: str, subjects: Iterable[AdvisorySubject]) -> ServiceAnswer:
    """Ask the service at `url` about `subjects` (FetchError); nothing else of a lock is sent."""
    base = url.rstrip("/")
    queries: dict[str, tuple[AdvisorySubject, dict[str, Any]]] = {}
    for subject in subjects:
        query = _subject_query(subject)
        queries.setdefault(json.dumps(query, sort_keys=True), (subject, query))
    listed = list(queries.values())
    ids: set[str] = set()
    commits: set[tuple[str, str]] = set()
    for start in range(0, len(listed), _BATCH):
        for subject, found in _batch_answers(client, base, listed[start : start + _BATCH]):
            ids.add(found)
            if subject.commit:
                commits.add((found, subject.commit))
    with ThreadPoolExecutor(_WORKERS) as pool:
        records = pool.map(lambda name: _service_record(client, base, name), sorted(ids))
        advisories = tuple(advisory for advisory in records if advisory is not None)
    return ServiceAnswer(advisories=advisories, commits=frozenset(commits))


def _subject_query(subject: AdvisorySubject) -> dict[str, Any]:
    if subject.commit:
        return {"commit": subject.commit}
    package = {"ecosystem": subject.ecosystem, "name": subject.package}
    return {"package": package, "version": subject.release}


def _batch_answers(
    client: Client, base: str, queries: Sequence[tuple[AdvisorySubject, dict[str, Any]]]
) -> list[tuple[AdvisorySubject, str]]:
    """Return every (subject, id) of some queries, all their pages."""
    found = []
    for _ in range(_PAGES):
        place = f"{base}/v1/querybatch"
        answer = _post_query(client, place, {"queries": [query for _, query in queries]})
        results = answer.get("results") if isinstance(answer, dict) else None
        if not isinstance(results, list) or len(results) != len(queries):
            raise _malformed_answer(place)
        following = []
        for (subject, query), result in zip(queries, results, strict=True):
            ids, token = _answer_page(result, place)
            found += [(subject, name) for name in ids]
            if token:
                following.append((subject, query | {"page_token": token}))
        if not following:
            return found
        queries = following
    raise FetchError(f"it answers in more than {_PAGES} pages", place=redacted(base))


def _answer_page(result: Any, place: str) -> tuple[list[str], str]:
    """Return the ids of one query's answer, and the word for its next page."""
    vulns = result.get("vulns", []) if isinstance(result, dict) else []
    token = result.get("next_page_token", "") if isinstance(result, dict) else ""
    if (result is not None and not isinstance(result, dict)) or not isinstance(vulns, list):
        raise _malformed_answer(place)
    if not isinstance(token, str) or not all(isinstance(item, dict) for item in vulns):
        raise _malformed_answer(place)
    names = [item.get("id") for item in vulns]
    if not all(isinstance(name, str) and name for name in names):
        raise _malformed_answer(place)
    return names, token


def _service_record(client: Client, base: str, name: str) -> Advisory | None:
    place = f"{base}/v1/vulns/{quote(name, safe='')}"
    value = _json_answer(client.get_bytes(place, limit=_ANSWER_LIMIT), place)
    try:
        return parse_advisory(value, place=redacted(place))
    except UsageError as error:
        raise FetchError(str(error.cause), place=redacted(place)) from None


def _post_query(client: Client, place: str, value: object) -> Any:
    return _json_answer(client.post_json(place, json.dumps(value).encode(), limit=_ANSWER_LIMIT), place)


def _json_answer(data: bytes, place: str) -> Any:
    try:
        return parse_json(data)
    except (ValueError, RecursionError):
        raise _malformed_answer(place) from None


def _malformed_answer(place: str) -> FetchError:
    return FetchError(
        "the answer is not that of OSV's query API", place=redacted(place), hint="name the service's base URL"
    )
