"""`verify --licenses` and `verify --advisories` as users run them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from builder.cli import main

SMALL = Path(__file__).resolve().parents[1] / "faults/project"
RECORD = {
    "id": "T-1",
    "aliases": ["CVE-2026-1"],
    "summary": "it \x1b[31mbreaks",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "idna"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.11"}]}],
        }
    ],
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(SMALL, tmp_path / "project")
    return tmp_path / "project"


def verify(project: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = main(["verify", "--quiet", "--format", "json", "--project", str(project), *words])
    said = capsys.readouterr()
    return code, json.loads(said.out) if said.out else {"error": said.err}


def rules(value: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted({(finding["rule"], finding["row"]) for finding in value["findings"]})


def test_a_licence_that_is_not_allowed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = project / "licenses.toml"
    policy.write_text('allowed = ["MIT"]\nunstated = "allow"\n')
    code, value = verify(project, capsys, "--licenses", str(policy))
    assert (code, rules(value)) == (1, [("license", "builds zlib 1.3.1")])
    policy.write_text('allowed = ["MIT", "Zlib"]\n')
    code, value = verify(project, capsys, "--licenses", str(policy))
    assert code == 0  # what states no licence is a warning
    assert {rule for rule, _ in rules(value)} == {"license-unknown"}
    assert value["proofs"][-1]["name"] == "licenses"


def test_an_advisory_until_it_is_accepted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = project / "osv.json"
    records.write_text(json.dumps([RECORD]))
    code, value = verify(project, capsys, "--advisories", str(records))
    assert (code, rules(value)) == (1, [("advisory", "python idna 3.10")])
    assert value["findings"][0]["text"] == r"T-1 (CVE-2026-1): it \x1b[31mbreaks"
    accepted = project / "accepted.toml"
    accepted.write_text('[[accepted]]\nid = "CVE-2026-1"\nreason = "tried"\nexpires = "9999-01-01"\n')
    words = ("--advisories", str(records), "--accepted", str(accepted))
    assert verify(project, capsys, *words)[0] == 0
    accepted.write_text('[[accepted]]\nid = "CVE-2026-1"\nreason = "tried"\nexpires = "2026-01-01"\n')
    code, value = verify(project, capsys, *words)
    assert (code, value["findings"][0]["hint"]) == (1, "the exception ended on 2026-01-01")


def test_a_service(project: Path, capsys: pytest.CaptureFixture[str], httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        queries = json.loads(request.get_data())["queries"]
        mine = {"vulns": [{"id": "T-1"}]}
        idna = [query.get("package", {}).get("name") == "idna" for query in queries]
        return Response(json.dumps({"results": [mine if yes else {} for yes in idna]}))

    httpserver.expect_request("/v1/querybatch", method="POST").respond_with_handler(answer)
    httpserver.expect_request("/v1/vulns/T-1").respond_with_json(RECORD)
    code, value = verify(project, capsys, "--advisories", httpserver.url_for(""))
    assert (code, rules(value)) == (1, [("advisory", "python idna 3.10")])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--licenses", "absent.toml"], 2, "cannot be read"),
        (["--advisories", "absent.json"], 2, "cannot be read"),
        (["--accepted", "absent.toml"], 2, "--accepted needs --advisories"),
        (["--advisories", "http://127.0.0.1:9/"], 6, "no connection"),
    ],
)
def test_what_cannot_be_had(
    words: list[str],
    code: int,
    said: str,
    project: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("builder.io.network._FIRST_PAUSE", 0)
    found, value = verify(project, capsys, *words)
    assert found == code
    assert said in value["error"]["cause"]
