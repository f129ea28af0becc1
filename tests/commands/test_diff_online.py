"""`diff --online` against an index over a real socket: what is withdrawn is said."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from builder.cli import main
from builder.lockfile.reading import parse_lock

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "tests/faults/project/lock/1.0/plain/tiny-x86_64.toml"


def serve(index: HTTPServer, *, yanked: str | bool) -> None:
    row = next(row for row in parse_lock(TINY.read_bytes(), place="tiny").python if row.name == "idna")
    file: dict[str, object] = {
        "filename": row.file,
        "url": f"https://files.invalid/{row.file}",
        "hashes": {},
        "yanked": yanked,
    }
    page = {"meta": {"api-version": "1.1"}, "name": "idna", "versions": [row.version], "files": [file]}
    index.expect_request("/simple/idna/").respond_with_data(
        json.dumps(page), content_type="application/vnd.pypi.simple.v1+json"
    )


def other() -> str:
    """Return the lock with one field of idna's row changed."""
    text = TINY.read_text()
    start = text.index('name = "idna"')
    return text[:start] + text[start:].replace('via = ["recipe"]', 'via = ["other"]', 1)


@pytest.mark.parametrize(("yanked", "risk"), [("broken", "yanked"), (False, "consequence")])
def test_a_withdrawn_release_is_said(
    tmp_path: Path, httpserver: HTTPServer, capsys: pytest.CaptureFixture[str], yanked: str | bool, risk: str
) -> None:
    serve(httpserver, yanked=yanked)
    before, after = tmp_path / "before.toml", tmp_path / "after.toml"
    shutil.copyfile(TINY, after)
    before.write_text(other())
    words = ["--online", "--index-url", httpserver.url_for("/simple/"), "--format", "json"]
    main(
        [
            "diff",
            str(before),
            str(after),
            *words,
            "--project",
            str(tmp_path),
            "--store",
            str(tmp_path / "store"),
        ]
    )
    (change,) = json.loads(capsys.readouterr().out)["changes"]
    assert (change["name"], change["risk"]) == ("idna", risk)


def test_an_index_that_cannot_be_asked_is_an_error(
    tmp_path: Path, httpserver: HTTPServer, capsys: pytest.CaptureFixture[str]
) -> None:
    httpserver.expect_request("/simple/idna/").respond_with_data("no", status=404)
    shutil.copyfile(TINY, tmp_path / "a.toml")
    (tmp_path / "b.toml").write_text(other())
    with socket.socket() as taken:  # bound, and not listening: nobody answers there
        taken.bind(("127.0.0.1", 0))
        silent = f"http://127.0.0.1:{taken.getsockname()[1]}/simple/"
        for index, code in ((httpserver.url_for("/simple/"), 1), (silent, 6)):
            words = ["--online", "--index-url", index, "--project", str(tmp_path)]
            assert main(["diff", str(tmp_path / "a.toml"), str(tmp_path / "b.toml"), *words]) == code
    assert "error:" in capsys.readouterr().err
