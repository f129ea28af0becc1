"""`outdated`: what is newer than each pin, and what could not be looked up, never called up to date."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from builder.cli import main
from builder.commands.outdated import Options, report_outdated
from builder.console import Console
from builder.origins.origins import Mirror
from builder.selection import Selection
from tests.commands.projects import opened
from tests.local_index import LocalIndex
from tests.pin.conftest import Forge, forge

__all__ = ["forge"]

SMALL = Path(__file__).resolve().parents[1] / "faults/project"
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
OLD, YOUNG = "2026-11-01T00:00:00Z", "2026-11-29T00:00:00Z"
Ask = Callable[..., tuple[int, dict[str, dict[str, Any]]]]


@pytest.fixture
def project(tmp_path: Path, index: LocalIndex) -> Path:
    shutil.copytree(SMALL, tmp_path / "project")
    index.wheel("idna", "3.10", licence="BSD-3-Clause", uploaded="2026-08-23T00:00:00Z")
    index.wheel("pip", "26.2.1", uploaded=OLD)
    return tmp_path / "project"


@pytest.fixture
def ask(project: Path, index: LocalIndex) -> Ask:
    def run(*, mirror: tuple[str, str] = ("", ""), **changes: Any) -> tuple[int, dict[str, dict[str, Any]]]:
        out = io.StringIO()
        found = opened(project)
        mirrors = (Mirror(prefix=mirror[0], places=(mirror[1],)),) if mirror[0] else ()
        origins = replace(found.origins, mirrors=mirrors, insecure_hosts=("127.0.0.1", "localhost"))
        found = replace(found, console=Console(out, io.StringIO()), origins=origins)
        options = Options(selection=Selection(), index_url=index.url, now=NOW, json=True, **changes)
        code = report_outdated(found, options)
        return code, {f"{pin['kind']} {pin['name']}": pin for pin in json.loads(out.getvalue())["pins"]}

    return run


def test_a_newer_version_its_age_and_what_its_metadata_says(ask: Ask, index: LocalIndex) -> None:
    index.wheel("idna", "3.11", licence="MIT", uploaded=OLD)
    code, pins = ask()
    idna = pins["python idna"]
    assert code == 1
    assert (idna["state"], idna["pinned"], idna["newest"]) == ("newer", "3.10", "3.11")
    assert (idna["pinned-age-days"], idna["newest-age-days"]) == (100, 30)
    assert idna["license"] == {"before": "BSD-3-Clause", "after": "MIT"}
    assert (idna["file"], idna["key"]) == ("recipes/releases/1.0.toml", ["python", "all", "idna"])
    assert idna["advisories"] is None
    assert idna["advisories-not-looked-up"] == "no --advisories was given"


def test_what_is_too_young_withdrawn_or_fits_no_target_is_said(ask: Ask, index: LocalIndex) -> None:
    index.wheel("idna", "3.11", uploaded=YOUNG)
    index.wheel("idna", "4.0", uploaded=OLD, tag="cp313-cp313-macosx_14_0_arm64")
    index.wheel("pip", "27.0rc1", uploaded=OLD)
    code, pins = ask()
    assert code != 1
    assert pins["python idna"]["state"] == "cooling"
    assert pins["python idna"]["notes"] == [
        "3.11 is younger than the cooldown",
        "4.0 has no wheel for every target",
    ]
    assert pins["python pip"]["state"] == "newest"  # a candidate is no update of a final version
    assert ask(cooldown=("1 day",))[1]["python idna"]["newest"] == "3.11"
    assert ask(cooldown=("1 day", "idna=1 week"))[1]["python idna"]["state"] == "cooling"


def test_a_pinned_version_that_was_withdrawn(ask: Ask, index: LocalIndex) -> None:
    index.files[0].yanked = "broken build"
    assert ask()[1]["python idna"]["notes"] == ["3.10 was withdrawn (yanked): broken build"]


def test_what_could_not_be_asked_is_not_up_to_date(ask: Ask) -> None:
    code, pins = ask()
    assert code == 6  # nothing newer was found, and not every place could be asked
    assert pins["component zlib"]["state"] == "not looked up"
    assert "git.invalid" in pins["component zlib"]["not-looked-up"]
    assert pins["component tool"]["not-looked-up"] == "its files come from files, which lists no versions"
    assert pins["image registry.invalid/base (x86_64)"]["state"] == "not looked up"


def test_tags_of_a_git_source(ask: Ask, forge: Forge, project: Path) -> None:
    url = forge.make("zlib")
    for tag in ("v1.3.1", "v1.3.2", "v1.4.0-rc1"):
        forge.commit("zlib", {"a": tag}, tag=tag)
    recipe = project / "recipes/components/zlib.toml"
    recipe.write_text(recipe.read_text().replace("https://git.invalid/zlib.git", url))
    zlib = ask()[1]["component zlib"]
    assert (zlib["state"], zlib["newest"]) == ("newer", "1.3.2")
    assert zlib["license"] is None
    assert "no cooldown was applied" in zlib["notes"][0]
    assert zlib["newest-age-days"] is None
    forge.git("zlib", "tag", "--delete", "v1.3.2", "v1.3.1")
    zlib = ask()[1]["component zlib"]
    assert (zlib["state"], zlib["notes"]) == ("newest", [f"{url} does not have the tag v1.3.1 any more"])


def registry(httpserver: HTTPServer, tags: list[str] | None) -> tuple[str, str]:
    """Serve an image whose tag has another digest now, and its tags in pages of two."""
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}

    def answer(request: Request) -> Response:
        if request.path.endswith("/tags/list"):
            if tags is None:
                return Response("no list", 404)
            rest = [tag for tag in sorted(tags) if tag > request.args.get("last", "")]
            return Response(json.dumps({"name": "base", "tags": rest[:2]}))
        return Response(json.dumps(manifest), content_type=str(manifest["mediaType"]))

    for path in ("/v2/base/tags/list", "/v2/base/manifests/1"):
        httpserver.expect_request(path).respond_with_handler(answer)
    return "https://registry.invalid/v2/", httpserver.url_for("/v2/")


def test_an_image_whose_tag_moved_and_its_newer_tags(ask: Ask, httpserver: HTTPServer) -> None:
    mirror = registry(httpserver, ["1", "2", "3", "3-slim", "latest"])
    code, pins = ask(mirror=mirror)
    image = pins["image registry.invalid/base (x86_64)"]
    assert (code, image["state"], image["newest"]) == (1, "newer", "3")
    assert image["notes"][0].startswith("the tag 1 has the digest sha256:")


def test_a_registry_that_lists_no_tags(ask: Ask, httpserver: HTTPServer) -> None:
    code, pins = ask(mirror=registry(httpserver, None))
    image = pins["image registry.invalid/base (x86_64)"]
    assert (code, image["state"]) == (1, "moved")
    assert image["not-looked-up"].startswith("the tag moved; other tags:")


def test_advisories_that_go_stay_and_come(ask: Ask, index: LocalIndex, tmp_path: Path) -> None:
    index.wheel("idna", "3.11", uploaded=OLD)

    def record(name: str, *events: dict[str, str]) -> dict[str, Any]:
        affected = {
            "package": {"ecosystem": "PyPI", "name": "idna"},
            "ranges": [{"type": "ECOSYSTEM", "events": list(events)}],
        }
        return {"id": name, "affected": [affected]}

    records = [
        record("T-fixed", {"introduced": "0"}, {"fixed": "3.11"}),
        record("T-stays", {"introduced": "0"}),
        record("T-new", {"introduced": "3.11"}),
        record("T-other", {"introduced": "4"}),
    ]
    (tmp_path / "osv.json").write_text(json.dumps(records))
    pins = ask(advisories=str(tmp_path / "osv.json"))[1]
    assert pins["python idna"]["advisories"] == {
        "fixed": ["T-fixed"],
        "remaining": ["T-stays"],
        "added": ["T-new"],
    }
    assert pins["component zlib"]["advisories-not-looked-up"] == "its versions are compared with no record"


def test_the_table_and_its_summary(
    project: Path, index: LocalIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    index.wheel("idna", "3.11", uploaded=OLD)
    words = ["--project", str(project), "--store", str(project / "store"), "--index-url", index.url]
    assert main(["outdated", *words]) == 1
    said = capsys.readouterr()
    rows = {row[0]: row for row in (line.split("\t") for line in said.out.splitlines())}
    assert rows["pin"][1:] == ["pinned", "state", "newest", "what else"]
    assert rows["python idna"][2] == "newer"
    assert "6 pins: 1 newer, 1 newest, 4 not looked up" in said.err
    assert "advisories not looked up: no --advisories was given" in said.err


def test_a_project_sees_what_the_catalogue_states_and_its_newer_releases(
    tmp_path: Path, index: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    index.wheel("acme-router", "3.1")
    folder = tmp_path / "router"
    words = ["--extends", "vllm", "--root", "acme-router", "--index-url", index.url, "--quiet"]
    assert main(["init", "project", str(folder), *words]) == 0
    (folder / "lockwright.toml").write_text('catalogue = true\ncooldown = "400 days"\n')
    index.wheel("acme-router", "3.2", uploaded="2025-11-20T00:00:00Z")
    out = io.StringIO()
    found = replace(opened(folder), console=Console(out, io.StringIO()))
    assert (
        report_outdated(found, Options(selection=Selection(), index_url=index.url, now=NOW, json=True)) == 1
    )
    pins = {
        pin["name"]: pin for pin in json.loads(out.getvalue())["pins"] if pin["kind"] in ("python", "release")
    }
    release = next(pin for pin in pins.values() if pin["kind"] == "release")
    assert (release["pinned"], release["newest"], release["state"]) == ("1.4.2", "1.6.0", "newer")
    assert pins["vllm"]["file"] == "catalogue/releases/1.4.2.toml"
    assert pins["vllm"]["not-looked-up"] == "the index has no distribution vllm"
    assert pins["acme-router"]["state"] == "cooling"  # by the project's own cooldown
