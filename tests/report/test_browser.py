"""The pages in Debian's chromium: opened from a folder, with the keyboard, and judged by axe-core.

With SCREENSHOTS=FOLDER each page is also photographed, light, dark and as printed.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builder.attest import write_attestation
from tests.attest.test_attestations import ssh_key
from tests.report.conftest import pages_of, run
from tests.report.test_build_page import build_record
from tests.report.test_rebuild_page import statement

pytestmark = pytest.mark.browser

SERIOUS = {"serious", "critical"}
LOCK = "lock/1.4.2/debian-13/dynamo-x86_64.html"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's chromium, which CI must have."""
    program = shutil.which("chromium")
    assert program, "install Debian's package chromium"
    with importlib.import_module("playwright.sync_api").sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Any) -> Iterator[Any]:
    """A function that opens a page from its folder, and afterwards nothing may have gone wrong there."""
    troubles: list[str] = []
    context = chromium.new_context(viewport={"width": 1400, "height": 900})

    def open_page(folder: Path, path: str, anchor: str = "") -> Any:
        page = context.new_page()
        page.on("console", lambda message: troubles.append(f"{path}: {message.text}"))
        page.on("pageerror", lambda error: troubles.append(f"{path}: {error}"))
        page.on(
            "request",
            lambda asked: None if asked.url.startswith("file://") else troubles.append(asked.url),
        )
        page.goto((folder / path).as_uri() + anchor)
        return page

    yield open_page
    context.close()
    assert troubles == []


def faults(page: Any) -> list[str]:
    """Return what axe-core finds serious in a page: its text is evaluated, which no policy forbids."""
    axe = Path(str(importlib.import_module("axe_playwright_python").__file__)).with_name("axe.min.js")
    page.evaluate(axe.read_text("utf-8"))
    found = page.evaluate("async () => await axe.run(document, {resultTypes: ['violations']})")
    assert found["passes"], "axe looked at nothing"
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
        if one["impact"] in SERIOUS
    ]


def visible_rows(page: Any, table: str) -> list[str]:
    """Return the first cells of the rows of a table that are shown."""
    names: list[str] = page.locator(f"#{table} tbody tr:visible th").all_inner_texts()
    return [name.split("\n")[0] for name in names]


def photograph(page: Any, path: str, scheme: str) -> None:
    """Keep a picture of a page if somebody wants pictures."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{path.replace('/', '-')}.{scheme}.png")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_opens_without_trouble_and_without_serious_faults(
    visit: Any, small: Path, real: Path, scheme: str
) -> None:
    visited = [(small / "site", path) for path in pages_of(small / "site")] + [
        (real, "index.html"),
        (real, LOCK),
    ]
    for folder, path in visited:
        page = visit(folder, path)
        page.emulate_media(color_scheme=scheme)
        assert page.locator("h1").is_visible()
        assert faults(page) == [], path
        photograph(page, path, scheme)
        page.close()


def test_the_page_of_builds_has_no_serious_fault(visit: Any, small: Path, tmp_path: Path) -> None:
    (tmp_path / "runtime.json").write_text(json.dumps(build_record()))
    words = ("report", "--record", str(tmp_path / "runtime.json"), "--output", str(tmp_path / "site"))
    assert run(small, *words) == 0
    page = visit(tmp_path / "site", "build.html")
    assert faults(page) == []
    assert page.locator("svg rect").count() == 2
    photograph(page, "build.html", "light")


def test_pages_of_rebuilds_and_claims_have_no_serious_fault(visit: Any, small: Path, tmp_path: Path) -> None:
    line = ssh_key(tmp_path / "alice")
    (tmp_path / "keys.toml").write_text(f"[[owners]]\nname = 'alice'\nssh = ['{line}']\n")
    for digest in ("1", "2"):
        built = statement(small, f"sha256:{digest * 64}", f"sha256:{digest * 64}")
        write_attestation(tmp_path / "attestations", built, tmp_path / "alice")
    keys = ("source", "section", "quote", "release", "claim", "published", "lock", "status", "evidence")
    row = {key: f"some {key}" for key in keys}
    (tmp_path / "aligned.json").write_text(json.dumps({"command": "align", "rows": [row] * 4}))
    words = [
        "report",
        "--attestations",
        str(tmp_path / "attestations"),
        "--keys",
        str(tmp_path / "keys.toml"),
    ]
    words += ["--aligned", str(tmp_path / "aligned.json"), "--output", str(tmp_path / "site")]
    assert run(small, *words) == 0
    for path in ("rebuilds.html", "evidence.html"):
        page = visit(tmp_path / "site", path)
        assert faults(page) == [], path
        photograph(page, f"with-{path}", "light")
    assert page.locator("#claims tbody tr").count() == 4


def test_a_request_would_be_noticed_and_the_policy_stops_it(chromium: Any, real: Path) -> None:
    page = chromium.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto((real / "index.html").as_uri())
    stopped = page.evaluate("() => fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'stopped')")
    assert stopped == "stopped"
    assert any("Content Security Policy" in text for text in said)
    page.evaluate(
        "() => { const s = document.createElement('script'); s.text = 'window.ran = 1'; document.body.append(s); }"
    )
    assert page.evaluate("() => window.ran") is None
    page.close()


def test_tables_are_searched_filtered_and_sorted_by_keyboard(visit: Any, real: Path) -> None:
    page = visit(real, LOCK)
    everything = visible_rows(page, "python")
    section = page.locator("section[aria-labelledby=python-title]")
    search = section.get_by_label("search")
    search.focus()
    page.keyboard.type("numpy")
    assert 0 < len(visible_rows(page, "python")) < len(everything)
    assert "numpy" in visible_rows(page, "python")
    assert f"of {len(everything)} rows" in section.locator("output").inner_text()
    search.fill("")
    section.locator("select[name=license]").select_option("MIT")
    chosen = visible_rows(page, "python")
    assert 0 < len(chosen) < len(everything)
    section.locator("select[name=license]").select_option("")
    size = section.get_by_role("button", name="size")
    size.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    sizes = page.locator("#python tbody tr td:nth-child(3)").evaluate_all(
        "(all) => all.map((one) => +one.dataset.v)"
    )
    assert sizes == sorted(sizes, reverse=True)
    assert page.locator("#python th[aria-sort=descending]").count() == 1
    assert sorted(visible_rows(page, "python")) == sorted(everything)


def test_the_address_of_a_row_shows_it(visit: Any, real: Path) -> None:
    page = visit(real, LOCK, "#python-numpy")
    row = page.locator("#python-numpy")
    assert row.evaluate("(row) => row.getBoundingClientRect().top < innerHeight")
    section = page.locator("section[aria-labelledby=python-title]")
    section.get_by_label("search").fill("no such row")
    assert not row.is_visible()
    page.evaluate("() => { location.hash = ''; location.hash = '#python-numpy'; }")
    row.wait_for(state="visible")


def test_the_matrix_is_filtered_and_its_reasons_appear_on_focus(visit: Any, real: Path) -> None:
    page = visit(real, "index.html")
    shown = page.locator("td[data-state] > .cell:visible")
    total = shown.count()
    page.locator("#matrix-filters select[name=architecture]").select_option("aarch64")
    assert shown.count() == total / 2
    page.locator("#matrix-filters select[name=state]").select_option("locked")
    assert 0 < shown.count() < total
    cell = shown.first
    cell.focus()
    tip = cell.locator(".tip")
    assert tip.evaluate("(tip) => tip.getBoundingClientRect().height") > 10
    page.keyboard.press("Enter")
    page.wait_for_url("**/lock/1.4.2/debian-13/**")
    assert "dynamo" in page.locator("h1").inner_text()


def test_without_scripts_every_row_is_there(chromium: Any, real: Path) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((real / LOCK).as_uri())
    assert page.locator("#python-numpy").is_visible()
    assert page.locator("button, input, select").count() == 0
    context.close()


def test_the_first_key_leads_to_the_content(visit: Any, real: Path) -> None:
    page = visit(real, "index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent") == "Skip to the content"


def test_a_box_of_a_picture_leads_to_its_row(visit: Any, real: Path) -> None:
    page = visit(real, LOCK)
    page.locator("section[aria-labelledby=graph-title] a[href='#build-ucx']").click()
    assert page.evaluate("() => location.hash") == "#build-ucx"
    assert page.locator("#build-ucx").evaluate("(row) => row.getBoundingClientRect().top < innerHeight")
    box = page.locator("section[aria-labelledby=size-title] a").first
    box.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("() => location.hash").startswith("#")
    assert box.get_attribute("aria-label")
