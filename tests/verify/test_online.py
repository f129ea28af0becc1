"""`verify --online`: what an index, an archive and a git server say now, against the rows of a lock."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from builder.cli import main
from builder.fetch.needed_files import FileNeed
from builder.git.places import GitPlaces
from builder.git.process import git_environment
from builder.io.http import Client
from builder.io.network import Network
from builder.lockfile.lock import GitSource, PythonPackage
from builder.model.digest import Evidence, GitOid, Sha256
from builder.origins.origins import Origin, Origins
from builder.verify.online import _served_findings, _tag_findings, judge_listed

ROOT = Path(__file__).resolve().parents[2]
ROW = PythonPackage(
    name="idna",
    version="3.10",
    for_=("runtime",),
    evidence=Evidence.INDEX,
    file="idna-3.10-py3-none-any.whl",
    sha256=Sha256("8" * 64),
    origin="pypi",
)
FILE: dict[str, Any] = {"filename": ROW.file, "hashes": {"sha256": "8" * 64}, "yanked": False}
PAGES: dict[str, tuple[Any, list[str]]] = {
    "the same": ({"files": [FILE]}, []),
    "not listed": ({"files": []}, ["gone"]),
    "another hash": ({"files": [FILE | {"hashes": {"sha256": "9" * 64}}]}, ["changed"]),
    "no hash": ({"files": [FILE | {"hashes": {}}]}, ["unknown"]),
    "yanked with a reason": ({"files": [FILE | {"yanked": "a bad build"}]}, ["yanked"]),
    "attested": ({"files": [FILE | {"provenance": "https://index.invalid/p"}]}, []),
    "attestation withheld": ({"files": [FILE | {"provenance": None}]}, ["unattested"]),
    "a list": ([], ["unknown"]),
    "files are a text": ({"files": "x"}, ["unknown"]),
    "rows are texts": ({"files": ["x"]}, ["gone"]),
    "hashes are a text": ({"files": [FILE | {"hashes": "x"}]}, ["unknown"]),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_project_page(name: str) -> None:
    page, rules = PAGES[name]
    assert [finding.rule.id for finding in judge_listed([ROW], page)] == rules


@pytest.mark.parametrize(
    ("status", "size", "rules"),
    [(200, 5, []), (200, 6, ["changed"]), (404, 0, ["gone"]), (500, 0, ["unknown"])],
)
def test_a_file_of_an_archive(status: int, size: int, rules: list[str], httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a.deb", method="HEAD").respond_with_data(b"x" * size, status=status)
    origins = Origins(origins=(Origin(name="files", url=httpserver.url_for("/"), layout="flat"),))
    need = FileNeed(sha256="1" * 64, size=5, origin="files", folders=("",), file="a.deb")
    with Client(network=Network(), attempts=1) as client:
        assert [finding.rule.id for finding in _served_findings(need, client, origins)] == rules


def test_a_tag_that_stayed_moved_and_went(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.invalid")
        done = subprocess.run(
            ["git", *identity, *words], cwd=tmp_path, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "--message", "one")
    git("tag", "--annotate", "--message", "one", "v1")
    url = "https://git.invalid/zlib.git"
    places = GitPlaces(
        cache=tmp_path / "cache",
        origins=Origins(),
        environment=git_environment(
            {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": f"url.{tmp_path}.insteadOf",
                "GIT_CONFIG_VALUE_0": url,
                "PATH": "/usr/bin:/bin",
            }
        ),
    )
    row = GitSource(
        component="zlib",
        version="1",
        git=url,
        commit=GitOid(git("rev-parse", "HEAD")),
        tree=GitOid("2" * 40),
        sha256=Sha256("3" * 64),
        evidence=Evidence.OBSERVED,
        tag="v1",
    )
    assert _tag_findings(row, places) == ()
    git("commit", "--quiet", "--allow-empty", "--message", "two")
    git("tag", "--force", "v1")
    assert [finding.rule.id for finding in _tag_findings(row, places)] == ["moved"]
    assert [f.rule.id for f in _tag_findings(dataclasses.replace(row, tag="v2"), places)] == ["gone"]
    assert [
        f.rule.id for f in _tag_findings(dataclasses.replace(row, git="https://git.invalid/x"), places)
    ] == ["unknown"]


@pytest.mark.network
def test_a_real_lock_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    lock = ROOT / "lock/1.4.2/debian-13-assembled/dynamo-x86_64.toml"
    code = main(["verify", "--online", str(lock), "--project", str(ROOT), "--format", "json", "--quiet"])
    value = json.loads(capsys.readouterr().out)
    (proof,) = [proof for proof in value["proofs"] if proof["name"] == "online"]
    assert sum(count for kind, count in proof["asked"].items() if kind.startswith("projects")) > 50
    assert {f["rule"] for f in value["findings"]} <= {"unknown", "unattested", "yanked"}
    (walked,) = [proof for proof in value["proofs"] if proof["name"] == "index-closure"]
    # An index that states no hash of METADATA leaves the one wheel over 16 MiB unknown.
    large = [f["row"] for f in value["findings"] if "no hash covers its metadata" in f["text"]]
    assert large in ([], ["python ai-dynamo-runtime 1.4.2"])
    assert (walked["proven"], walked["rows"]) == ((0, 0) if large else (1, 70))
    assert sum(walked["evidence"].values()) == 70 - len(large)
    assert code in (0, 1, 6)
