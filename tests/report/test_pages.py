"""Every page stands alone: what it names exists, its policy fits its script, and its structure is complete."""

from __future__ import annotations

import base64
import hashlib
import os
import posixpath
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.report.conftest import ROOT, pages_of, run
from tests.report.pages import Element, parse


@pytest.fixture(scope="module")
def documents(pages: dict[str, bytes]) -> dict[str, Element]:
    return {path: parse(page) for path, page in pages.items()}


def test_the_report_has_its_pages(pages: dict[str, bytes]) -> None:
    assert set(pages) == {
        "index.html",
        "shared.html",
        "licenses.html",
        "evidence.html",
        "change.html",
        "lock/1.0/plain/tiny-aarch64.html",
        "lock/1.0/plain/tiny-x86_64.html",
    }


def test_every_link_leads_to_a_page_and_a_place_in_it(documents: dict[str, Element]) -> None:
    places = {
        path: {one.attributes["id"] for one in document.all() if "id" in one.attributes}
        for path, document in documents.items()
    }
    count = 0
    for path, document in documents.items():
        for one in document.all("a"):
            address, _, anchor = one.attributes["href"].partition("#")
            page = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(address)))
            page = page if address else path
            assert page in places, f"{path}: {one.attributes['href']}"
            assert not anchor or unquote(anchor) in places[page], f"{path}: {one.attributes['href']}"
            count += 1
    assert count > 50


def test_a_place_in_a_page_is_named_once(documents: dict[str, Element]) -> None:
    for path, document in documents.items():
        names = [one.attributes["id"] for one in document.all() if "id" in one.attributes]
        assert len(names) == len(set(names)), path


def test_the_policy_allows_the_own_script_and_style_and_nothing_else(pages: dict[str, bytes]) -> None:
    for path, page in pages.items():
        text = page.decode()
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
        assert policy, path
        allowed = dict(part.split(" ", 1) for part in policy[1].replace("&#39;", "'").split("; "))
        assert allowed["default-src"] == "'none'"
        for name, key in (("style", "style-src"), ("script", "script-src")):
            bodies = re.findall(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
            assert len(bodies) == text.count(f"<{name}") == 1, path
            digest = base64.b64encode(hashlib.sha256(bodies[0].encode()).digest()).decode()
            assert allowed[key] == f"'sha256-{digest}'", path


def test_nothing_in_a_page_comes_from_elsewhere(documents: dict[str, Element]) -> None:
    for path, document in documents.items():
        for one in document.all():
            assert one.name not in {"img", "iframe", "object", "embed", "link", "base", "form"}, path
            assert not any(
                name.startswith("on") or name in {"src", "style", "srcdoc"} for name in one.attributes
            ), path
            assert ":" not in one.attributes.get("href", ""), path


def test_the_structure_serves_readers_of_every_kind(documents: dict[str, Element]) -> None:
    for path, document in documents.items():
        assert next(document.all("html")).attributes["lang"] == "en"
        assert next(document.all("title")).text
        levels = [int(one.name[1]) for one in document.all("h1", "h2", "h3", "h4")]
        assert levels[0] == 1, path
        assert levels.count(1) == 1, path
        assert all(later - earlier <= 1 for earlier, later in pairwise(levels)), path
        for one in document.all("table"):
            assert next(one.all("caption")).text, path
            assert all(head.attributes.get("scope") for head in one.all("th")), path


def test_equal_locks_give_equal_bytes(small: Path, pages: dict[str, bytes], tmp_path: Path) -> None:
    assert run(small, "report", "--against", "HEAD", "--output", str(tmp_path / "again")) == 0
    assert pages_of(tmp_path / "again") == pages


def test_bytes_do_not_depend_on_the_machine(small: Path, pages: dict[str, bytes], tmp_path: Path) -> None:
    """Another hash seed, time zone, locale, umask and folder, as another machine has them."""
    words = ["report", "--quiet", "--against", "HEAD", "--project", str(small), "--output", "elsewhere/site"]
    subprocess.run(
        ["sh", "-c", 'umask 077; exec "$@"', "sh", sys.executable, "-m", "builder", *words],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONHASHSEED": "77",
            "TZ": "Asia/Kathmandu",
            "LC_ALL": "C",
            "PYTHONPATH": str(ROOT),
        },
        check=True,
        capture_output=True,
    )
    assert pages_of(tmp_path / "elsewhere/site") == pages
    assert (tmp_path / "elsewhere/site/index.html").stat().st_mode & 0o777 == 0o644


def test_a_report_replaces_a_report_and_nothing_else(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site"
    assert run(small, "report", "--against", "HEAD", "--output", str(site)) == 0
    assert run(small, "report", "--output", str(site)) == 0
    assert not (site / "change.html").exists(), "a page of the run before stays"
    (site / "notes.txt").write_text("mine")
    assert run(small, "report", "--output", str(site)) == 2
    assert "notes.txt" in capsys.readouterr().err
    assert (site / "notes.txt").read_text() == "mine"


def test_a_comparison_with_no_selected_lock_is_no_empty_success(small: Path, tmp_path: Path) -> None:
    (tmp_path / "old/lock/9.9/other").mkdir(parents=True)
    text = (small / "lock/1.0/plain/tiny-x86_64.toml").read_text()
    (tmp_path / "old/lock/9.9/other/tiny-x86_64.toml").write_text(text)
    words = ("report", "--against", str(tmp_path / "absent"), "--output", str(tmp_path / "site"))
    assert run(small, *words) == 2
    assert not (tmp_path / "site").exists()


def test_a_folder_whose_locks_lie_less_deep_is_compared(small: Path, tmp_path: Path) -> None:
    words = ("report", "--against", str(small / "lock/1.0"), "--output", str(tmp_path / "site"))
    assert run(small, *words) == 0
    assert "the whole lock" in parse((tmp_path / "site/change.html").read_bytes()).text
