"""Known vulnerabilities by records in the OSV format."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from builder.errors import FetchError, UsageError
from builder.io.http import Client
from builder.io.network import Network
from builder.lockfile.finding import Finding
from builder.lockfile.lock import Lock, OsPackage, Submodule
from builder.lockfile.reading import parse_lock
from builder.model.digest import GitOid, Sha256
from builder.policy.advisories import (
    AdvisoryPolicy,
    advisory_subjects,
    judge_advisories,
    read_advisory_policy,
)
from builder.policy.osv import AffectedPackage, Exposure, VersionRange, parse_advisory
from builder.policy.osv_sources import ask_service, read_advisories

ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "tests/faults/project/lock/1.0/plain/tiny-x86_64.toml"
TODAY = date(2026, 11, 22)
COMMIT = "1" * 40


def lock(version: str = "3.10") -> Lock:
    """Return the small lock: idna, sources of zlib with a submodule, and one Debian package."""
    found = parse_lock(SMALL.read_bytes(), place="x")
    package = OsPackage(
        name="libssl3t64",
        version="3.5.1-1+deb13u1+b2",
        arch="amd64",
        file="pool/updates/main/o/openssl/libssl3t64_3.5.1-1+deb13u1+b2_amd64.deb",
        size=1,
        sha256=Sha256("a" * 64),
        origin="debian",
        for_=("runtime",),
    )
    package = dataclasses.replace(package, file=package.file.replace("updates/", ""))
    python = tuple(
        dataclasses.replace(row, version=version) if row.name == "idna" else row for row in found.python
    )
    module = Submodule(
        path="ext/x", git="https://git.invalid/X", commit=GitOid("2" * 40), tree=GitOid("3" * 40)
    )
    sources = (dataclasses.replace(found.sources[0], submodules=(module,)),)
    return dataclasses.replace(found, python=python, os_packages=(package,), sources=sources)


def record(ecosystem: str, name: str, *events: dict[str, str], **more: Any) -> dict[str, Any]:
    ranges = [{"type": "ECOSYSTEM", "events": list(events)}] if events else []
    affected = {"package": {"ecosystem": ecosystem, "name": name}, "ranges": ranges}
    affected |= {key: more.pop(key) for key in ("versions",) if key in more}
    return {"id": "T-1", "summary": "it breaks", "affected": [affected], **more}


def git_record(repo: str, *events: dict[str, str], **affected: Any) -> dict[str, Any]:
    ranges = [{"type": "GIT", "repo": repo, "events": list(events)}]
    return {"id": "G-1", "affected": [{"ranges": ranges, **affected}]}


def judged(found: Lock, *records: dict[str, Any], policy: str = "", today: date = TODAY) -> list[Finding]:
    parsed = [parse_advisory(item, place="test") for item in records]
    read = read_advisory_policy(policy.encode(), place="accepted.toml")
    return [*judge_advisories(found, [item for item in parsed if item], read, today=today)]


@pytest.mark.parametrize(
    ("version", "events", "affected"),
    [
        ("3.10", [{"introduced": "0"}], True),
        ("3.10", [{"introduced": "0"}, {"fixed": "3.9"}], False),
        ("3.10", [{"introduced": "0"}, {"fixed": "3.10"}], False),
        ("3.9", [{"introduced": "0"}, {"fixed": "3.10"}], True),  # by PEP 440, not by text
        ("3.10rc1", [{"introduced": "0"}, {"fixed": "3.10"}], True),
        ("3.10.post1", [{"introduced": "0"}, {"last_affected": "3.10"}], False),
        ("3.10", [{"introduced": "0"}, {"last_affected": "3.10"}], True),
        ("3.10+cu130", [{"introduced": "0"}, {"last_affected": "3.10"}], True),
        ("3.10", [{"fixed": "3.2"}, {"introduced": "0"}, {"introduced": "3.8"}], True),
        ("3.5", [{"fixed": "3.2"}, {"introduced": "0"}, {"introduced": "3.8"}], False),
        ("3.10", [{"introduced": "0"}, {"limit": "3.0"}], False),
        ("3.10", [{"introduced": "0"}, {"limit": "*"}], True),
        ("1!1.0", [{"introduced": "0"}, {"fixed": "3.0"}], False),
    ],
)
def test_ranges_of_python_go_by_pep_440(version: str, events: list[dict[str, str]], affected: bool) -> None:
    found = judged(lock(version), record("PyPI", "Idna", *events))
    assert [item.rule.id for item in found] == (["advisory"] if affected else [])
    assert all(item.row == f"python idna {version}" for item in found)


@pytest.mark.parametrize(
    ("ecosystem", "name", "events", "affected"),
    [
        ("Debian:13", "openssl", [{"introduced": "0"}, {"fixed": "3.5.1-1+deb13u2"}], True),
        ("Debian:13", "openssl", [{"introduced": "0"}, {"fixed": "3.5.1-1+deb13u1"}], False),
        ("Debian:13", "openssl", [{"introduced": "0"}, {"fixed": "3.5.1-1+deb13u1~bpo1"}], False),
        ("Debian:13", "openssl", [{"introduced": "1:0"}], False),
        ("Debian", "openssl", [{"introduced": "0"}], True),
        ("Debian:12", "openssl", [{"introduced": "0"}], False),
        ("Debian:1", "openssl", [{"introduced": "0"}], False),
        ("Debian:13", "libssl3t64", [{"introduced": "0"}], False),  # advisories name source packages
        ("PyPI", "openssl", [{"introduced": "0"}], False),
    ],
)
def test_ranges_of_debian_go_by_its_order_and_source_packages(
    ecosystem: str, name: str, events: list[dict[str, str]], affected: bool
) -> None:
    found = judged(lock(), record(ecosystem, name, *events))
    assert [item.row for item in found] == (["os-packages libssl3t64 3.5.1-1+deb13u1+b2"] if affected else [])


@pytest.mark.parametrize(
    ("events", "affected", "rule"),
    [
        ([{"introduced": COMMIT}], {}, "advisory"),
        ([{"introduced": "0"}, {"fixed": COMMIT}], {}, ""),
        ([{"introduced": "0"}, {"fixed": "f" * 40}], {}, "advisory-open"),
        ([{"introduced": "0"}], {"versions": ["v1.3.0", "v1.3.1"]}, "advisory"),
    ],
)
def test_git_is_judged_by_the_commits_and_tags_that_are_listed(
    events: list[dict[str, str]], affected: dict[str, Any], rule: str
) -> None:
    found = judged(lock(), git_record("https://git.invalid/ZLIB", *events, **affected))
    assert [(item.rule.id, item.row) for item in found] == ([(rule, "sources zlib 1.3.1")] if rule else [])
    assert not judged(lock(), git_record("https://git.invalid/other", *events, **affected))


def test_a_submodule_is_judged_too() -> None:
    (found,) = judged(lock(), git_record("https://git.invalid/X.git", {"introduced": "2" * 40}))
    assert found.row == "sources zlib 1.3.1: ext/x"


def test_python_of_a_published_image_is_judged_too() -> None:
    found = lock()
    image = dataclasses.replace(found.images[0], python=("torch==2.9.1+cu130",), python_by="somebody")
    found = dataclasses.replace(found, images=(image,))
    (finding,) = judged(found, record("PyPI", "torch", {"introduced": "0"}, {"last_affected": "2.9.1"}))
    assert finding.row == "images registry.invalid/base: python torch 2.9.1+cu130"


def test_listed_versions_withdrawn_records_and_unreadable_ranges() -> None:
    assert judged(lock(), record("PyPI", "idna", versions=["3.10.0"]))
    assert not judged(lock(), record("PyPI", "idna", versions=["3.9", "not a version"]))
    assert not judged(lock(), record("PyPI", "idna", {"introduced": "0"}, withdrawn="2026-01-01T00:00:00Z"))
    (found,) = judged(lock(), record("PyPI", "idna", {"introduced": "what?"}))
    assert found.rule.id == "advisory-open"


def test_records_of_one_vulnerability_are_one_finding() -> None:
    one = record("PyPI", "idna", {"introduced": "0"}, aliases=["CVE-1"])
    other = record("PyPI", "idna", {"introduced": "0"}) | {"id": "CVE-1"}
    third = record("PyPI", "idna", {"introduced": "?"}) | {"id": "Z-1", "aliases": ["T-1"]}
    (found,) = judged(lock(), one, third, other)
    assert found.text == "CVE-1: it breaks" or found.text.startswith("T-1 (CVE-1)")


ACCEPTED = '[[accepted]]\nid = "CVE-1"\nname = "{name}"\nreason = "not reachable"\nexpires = "{day}"\n'


@pytest.mark.parametrize(
    ("name", "day", "count"), [("idna", "2027-01-01", 0), ("", "2027-01-01", 0), ("pip", "2027-01-01", 1),
                               ("idna", "2026-11-22", 1)]
)  # fmt: skip
def test_what_is_accepted_is_named_by_id_or_alias_and_ends(name: str, day: str, count: int) -> None:
    item = record("PyPI", "idna", {"introduced": "0"}, aliases=["CVE-1"])
    found = judged(lock(), item, policy=ACCEPTED.format(name=name, day=day))
    assert len(found) == count
    assert all(("ended on" in finding.hint) == (day == "2026-11-22") for finding in found)


@pytest.mark.parametrize(
    "bad",
    [[], 3, {}, {"id": 3}, {"id": "x", "affected": 3}, {"id": "x", "affected": [{"ranges": [3]}]},
     {"id": "x", "affected": [{"versions": [1]}]}, {"id": "x", "affected": [{"package": []}, {"package": 3}]},
     {"id": "x", "affected": [{"ranges": [{"events": [{"introduced": 1}]}]}]}],
)  # fmt: skip
def test_what_is_no_record_is_an_error(bad: Any) -> None:
    with pytest.raises(UsageError):
        parse_advisory(bad, place="test")


def test_an_order_that_is_not_known_stays_open() -> None:
    affected = AffectedPackage(
        ecosystem="npm",
        name="x",
        versions=("2",),
        ranges=(VersionRange(kind="SEMVER", repo="", events=(("introduced", "0"),)),),
    )
    assert (affected.judge("1"), affected.judge("2")) == (Exposure.OPEN, Exposure.YES)


def test_folder_zip_and_file_say_the_same(tmp_path: Path) -> None:
    items = [record("PyPI", "idna", {"introduced": "0"}) | {"id": f"T-{number}"} for number in range(3)]
    folder = tmp_path / "osv/PyPI"
    folder.mkdir(parents=True)
    for item in items:
        (folder / f"{item['id']}.json").write_text(json.dumps(item))
    (folder / "README.md").write_text("not a record")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for item in items:
            archive.writestr(f"{item['id']}.json", json.dumps(item))
    (tmp_path / "list.json").write_text(json.dumps(items))
    (tmp_path / "answer.json").write_text(json.dumps({"vulns": items}))
    found = [[*read_advisories(tmp_path / name)] for name in ("osv", "all.zip", "list.json", "answer.json")]
    assert [advisory.id for advisory in found[0]] == ["T-0", "T-1", "T-2"]
    assert all(one == found[0] for one in found)


@pytest.mark.parametrize("data", [b"", b"{", b"[" * 100_000, b"\xff", b"[3]"])
def test_a_broken_file_is_an_error_that_names_it(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(data)
    with pytest.raises(UsageError) as caught:
        list(read_advisories(tmp_path / "x.json"))
    assert "x.json" in caught.value.place
    with pytest.raises(UsageError):
        list(read_advisories(tmp_path / "absent"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no JSON file"):
        list(read_advisories(tmp_path / "empty"))


class Service:
    """OSV's query API over some records, two ids a page; it keeps what it was asked."""

    def __init__(self, records: list[dict[str, Any]], commits: dict[str, list[str]]) -> None:
        self.records = {item["id"]: item for item in records}
        self.commits = commits
        self.queries: list[dict[str, Any]] = []

    def batch(self, request: Request) -> Response:
        asked = json.loads(request.get_data())["queries"]
        self.queries += asked
        return Response(json.dumps({"results": [self._result(query) for query in asked]}))

    def _result(self, query: dict[str, Any]) -> dict[str, Any]:
        if "commit" in query:
            ids = self.commits.get(query["commit"], [])
        else:
            wanted = (query["package"]["ecosystem"], query["package"]["name"])
            ids = sorted(
                item["id"]
                for item in self.records.values()
                for affected in item["affected"]
                if (affected.get("package", {}).get("ecosystem"), affected.get("package", {}).get("name"))
                == wanted
            )
        start = int(query.get("page_token", "0"))
        page = {"vulns": [{"id": name, "modified": "x"} for name in ids[start : start + 2]]}
        return page | ({"next_page_token": str(start + 2)} if start + 2 < len(ids) else {}) if ids else {}


def serve(httpserver: HTTPServer, service: Service) -> str:
    httpserver.expect_request("/osv/v1/querybatch", method="POST").respond_with_handler(service.batch)
    for name, item in service.records.items():
        httpserver.expect_request(f"/osv/v1/vulns/{name}").respond_with_json(item)
    return httpserver.url_for("/osv/")


def test_a_service_is_asked_by_name_version_and_commit_and_nothing_else(httpserver: HTTPServer) -> None:
    items = [record("PyPI", "idna", {"introduced": "0"}) | {"id": f"T-{number}"} for number in range(5)]
    items += [record("Debian:13", "openssl", {"introduced": "0"}) | {"id": "D-1"}]
    items += [git_record("https://elsewhere.invalid/z", {"introduced": "0"})]
    service = Service(items, {COMMIT: ["G-1"]})
    url = serve(httpserver, service)
    found = lock()
    with Client(network=Network()) as client:
        told = ask_service(client, url, advisory_subjects(found))
    assert [item.id for item in told.advisories] == ["D-1", "G-1", "T-0", "T-1", "T-2", "T-3", "T-4"]
    findings = judge_advisories(found, told.advisories, AdvisoryPolicy(), today=TODAY, told=told.commits)
    rows = sorted(finding.row for finding in findings)
    assert rows == [
        "os-packages libssl3t64 3.5.1-1+deb13u1+b2",
        *["python idna 3.10"] * 5,
        "sources zlib 1.3.1",
    ]
    allowed = {"commit", "package", "version", "page_token"}
    assert all(set(query) <= allowed for query in service.queries)
    assert {"package": {"ecosystem": "PyPI", "name": "idna"}, "version": "3.10"} in service.queries


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "[]",
        "{}",
        '{"results": []}',
        '{"results": [3, 3, 3, 3, 3]}',
        "<html>",
        '{"results": [{"vulns": 3}]}',
    ],
)
def test_a_service_that_answers_nonsense_is_a_failed_fetch(answer: str, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/v1/querybatch").respond_with_data(answer)
    with Client(network=Network()) as client, pytest.raises(FetchError, match="not that of OSV's query API"):
        ask_service(client, httpserver.url_for(""), advisory_subjects(lock()))


def test_a_service_that_is_not_there(httpserver: HTTPServer) -> None:
    with Client(network=Network()) as client, pytest.raises(FetchError):
        ask_service(client, httpserver.url_for("/nothing"), advisory_subjects(lock()))
