"""Metadata counts, and is kept, only from bytes with a known hash."""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builder.errors import DigestMismatchError, FetchError
from builder.index.index_client import IndexClient
from builder.index.metadata import parse_metadata, read_wheel_facts
from builder.index.project_page import CandidateWheel
from builder.index.remote_wheel import read_metadata_member
from builder.index.services import IndexServices
from builder.index.stated_files import VersionPage, with_stated_files
from tests.local_index import make_wheel

LIE = (
    b"Metadata-Version: 2.1\nName: app\nVersion: 1.0\nLicense-Expression: BSD-3-Clause\nRequires-Dist: evil\n"
)


@pytest.fixture
def services(index: Any, client: Any, tmp_path: Path) -> IndexServices:
    return IndexServices(
        client=IndexClient(client),
        uv_cache=tmp_path / "uv",
        metadata=tmp_path / "metadata",
        index_url=index.url,
    )


def listed(index: Any, services: IndexServices, *, number: int = 0) -> CandidateWheel:
    """Return a wheel of app 1.0 as uv gives it, with what the index's page says of it."""
    item = index.files[number]
    wheel = CandidateWheel(
        file=item.file,
        url=index.server.url_for(index._path(item)),
        sha256=hashlib.sha256(item.data).hexdigest(),
        size=len(item.data) if index.sizes else None,
    )
    page = VersionPage(index_url=services.index_url, name="app", version="1.0", wheels=(wheel,))
    ((found,),) = with_stated_files((page,), services)
    return found


def kept(services: IndexServices) -> list[str]:
    return sorted(path.name for path in services.metadata.glob("*.json"))


@pytest.mark.parametrize("form", ["json", "html"])
def test_a_separate_file_counts_with_the_hash_of_the_page(index: Any, services: Any, form: Any) -> None:
    index.form, index.metadata_files = form, True
    digest = index.wheel("app", "1.0", licence="MIT")
    wheel = listed(index, services)
    index.requests.clear()
    facts = read_wheel_facts([("app", wheel)], services)["app"]
    assert facts.license.expression == "MIT"
    assert index.requests == [f"GET /default/files/{wheel.file}.metadata"]
    assert kept(services) == [f"{digest}.checked.json"]


def test_another_separate_file_than_the_page_promises_is_refused_and_not_kept(
    index: Any, services: Any
) -> None:
    index.metadata_files = True
    index.wheel("app", "1.0", licence="MIT")
    wheel = listed(index, services)
    index.metadata_lie = LIE
    with pytest.raises(DigestMismatchError, match="the index's page states") as caught:
        read_wheel_facts([("app", wheel)], services)
    assert hashlib.sha256(LIE).hexdigest() in str(caught.value)
    assert kept(services) == []


def test_without_a_hash_the_separate_file_is_not_asked_for(index: Any, services: Any) -> None:
    index.metadata_files, index.metadata_hashes, index.metadata_lie = True, False, LIE
    digest = index.wheel("app", "1.0", licence="MIT")
    facts = read_wheel_facts([("app", listed(index, services))], services)["app"]
    assert (facts.license.expression, facts.requires) == ("MIT", ())
    assert not any(line.endswith(".metadata") for line in index.requests)
    assert kept(services) == [f"{digest}.checked.json"]


def test_the_hash_of_another_file_s_metadata_does_not_count(index: Any, services: Any) -> None:
    index.metadata_files = True
    index.wheel("app", "1.0")
    wheel = listed(index, services)
    index.files[0].data += b"\0"
    (services.metadata / "pages").rename(services.metadata / "old-pages")
    page = VersionPage(index_url=services.index_url, name="app", version="1.0", wheels=(wheel,))
    ((found,),) = with_stated_files((page,), services)
    assert (found.hash_stated, found.metadata_sha256) == (False, "")


def test_parts_of_a_large_wheel_are_said_and_not_kept(index: Any, services: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("builder.index.metadata._LARGEST_READ_WHOLE", 100_000)
    said: list[str] = []
    index.wheel("app", "1.0", licence="MIT", padding=300_000)
    wheel = listed(index, services)
    for _ in range(2):
        facts = read_wheel_facts([("app", wheel)], replace(services, warn=said.append))["app"]
    assert facts.license.expression == "MIT"
    assert kept(services) == []
    (text,) = said
    assert text.startswith(f"no hash covers the metadata of 1 wheel ({wheel.file})")


def test_a_whole_wheel_with_other_bytes_is_refused(index: Any, services: Any) -> None:
    index.wheel("app", "1.0")
    wheel = listed(index, services)
    index.files[0].data += b"\0"
    with pytest.raises(DigestMismatchError):
        read_wheel_facts([("app", wheel)], services)
    assert kept(services) == []


def test_a_size_that_only_a_header_states_is_not_kept(index: Any, services: Any) -> None:
    index.sizes, index.metadata_files = False, True
    index.wheel("app", "1.0")
    wheel = listed(index, services)
    for _ in range(2):
        index.requests.clear()
        assert read_wheel_facts([("app", wheel)], services)["app"].size == len(index.files[0].data)
        assert f"HEAD /default/files/{wheel.file}" in index.requests


def test_what_was_kept_unchecked_by_an_earlier_version_does_not_count(index: Any, services: Any) -> None:
    digest = index.wheel("app", "1.0", licence="MIT")
    services.metadata.mkdir()
    (services.metadata / f"{digest}.json").write_text(
        '{"name":"app","version":"1.0","requires":["evil"],"extras":[],"size":1,'
        '"license":{"expression":"","text":"","classifiers":[]}}'
    )
    assert read_wheel_facts([("app", listed(index, services))], services)["app"].requires == ()


def test_a_page_is_asked_once_and_again_for_a_file_that_it_lacks(index: Any, services: Any) -> None:
    index.wheel("app", "1.0")
    listed(index, services)
    listed(index, services)
    assert index.requests.count("GET /default/simple/app/") == 1
    index.wheel("app", "1.0", tag="py3-none-manylinux_2_17_x86_64", yanked="")
    assert listed(index, services, number=1).withdrawn == ""
    assert index.requests.count("GET /default/simple/app/") == 2


def test_offline_a_page_of_any_age_counts(index: Any, services: Any) -> None:
    index.wheel("app", "1.0", yanked="broken")
    listed(index, services)
    old = replace(services, max_age=-1)
    index.requests.clear()
    assert listed(index, replace(old, offline=True)).withdrawn == "broken"
    assert index.requests == []
    assert listed(index, old).withdrawn == "broken"
    assert index.requests == ["GET /default/simple/app/"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Requires-Dist: ???", "has Requires-Dist '???', which is not a requirement"),
        ("Requires-Dist: a; os_name = 'posix'", "which is not a requirement"),
    ],
)
def test_a_requirement_that_is_none_is_named(line: str, message: str) -> None:
    data = f"Metadata-Version: 2.1\nName: app\nVersion: 1\n{line}\n".encode()
    with pytest.raises(FetchError, match=re.escape(message)):
        parse_metadata(data, name="app", size=1, place="app.whl")


def test_metadata_that_is_encrypted_or_corrupt_is_named() -> None:
    wheel = bytearray(make_wheel("app", "1.0"))
    encrypted = bytearray(wheel)
    encrypted[6] |= 1
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    corrupt = bytearray(wheel)
    corrupt[wheel.index(b"Metadata-Version")] ^= 0xFF
    for data in (encrypted, corrupt):
        with pytest.raises(FetchError, match=r"is not a readable wheel \(.*METADATA"):
            read_metadata_member(io.BytesIO(bytes(data)), name="app", place="app.whl")
