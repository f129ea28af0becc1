"""Hostile locks change nothing in the pages but text."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from builder.lockfile import Examined, Proof, found, parse_lock
from builder.matrix import Cell, CellState
from builder.model import Sha256
from builder.report import ReportFacts, report_pages
from tests.report.pages import parse

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "tests/faults/project/lock/1.0/plain/tiny-x86_64.toml"
TEXTS = {
    "markup": "</td></table><script>alert(1)</script><img src=x onerror=alert(1)>",
    "attribute": '" onmouseover="alert(1)" x=\'',
    "template": "{{ 7*7 }}{% include 'x' %}{# x #}",
    "bidi": "abc\u202etxt.exe\u2066\u2069\u200b",
    "control": "a\x00b\x1b[31m\r\n<!-- ",
    "address": "javascript:alert(1)",
    "surrogate": "\ud800x",
    "long": "A<b>" * 262_144,
}


def facts_with(text: str) -> ReportFacts:
    """Return facts of a lock that has `text` in names, versions, files, steps, checks, reasons and findings."""
    lock = parse_lock(LOCK.read_bytes(), place="lock")
    python = tuple(
        dataclasses.replace(row, name=text, version=text, file=text, origin=text, license=text, by=text)
        for row in lock.python
    )
    packages = tuple(
        dataclasses.replace(row, name=text, version=text, file=text, origin=text, via=(text,))
        for row in lock.os_packages
    )
    runtime = dataclasses.replace(lock.runtime, downloads=(text,), command=(text,))
    images = tuple(dataclasses.replace(image, name=text, tag=text) for image in lock.images)
    changed = dataclasses.replace(
        lock, python=python, os_packages=packages, runtime=runtime, images=images, resolver=text, release=text
    )
    one = Examined(name="lock/1.0/plain/tiny-x86_64.toml", sha256=Sha256.of(b""), findings=(), lock=changed)
    cell = Cell(target=changed.target, state=CellState.REFUSED, experimental=False, reason=text, trap="T3")
    proof = Proof(name=text, says=text, findings=(found("stale", text, row=text, lock=text, hint=text),))
    return ReportFacts(version="1", selection=text, cells=(cell,), locks=(one,), proofs=(proof,))


def skeleton(pages: dict[str, bytes]) -> dict[str, list[tuple[str, list[str]]]]:
    """Return the elements of each page with the names of their attributes."""
    return {
        path: [(one.name, sorted(one.attributes)) for one in parse(page).all()]
        for path, page in pages.items()
    }


@pytest.fixture(scope="module")
def plain() -> dict[str, list[tuple[str, list[str]]]]:
    return skeleton(report_pages(facts_with("plain")))


@pytest.mark.parametrize("kind", TEXTS)
def test_only_text_changes(kind: str, plain: dict[str, list[tuple[str, list[str]]]]) -> None:
    pages = report_pages(facts_with(TEXTS[kind]))
    assert skeleton(pages) == plain
    for path, page in pages.items():
        text = page.decode()
        assert not set(text) & set("\u202e\u2066\u2069\u200b\x00\x1b\r"), path
        assert len(page) < 1_500_000, path
        for one in parse(page).all("a"):
            assert not one.attributes["href"].startswith("javascript"), path


def test_a_long_text_says_how_long_it_is() -> None:
    page = report_pages(facts_with(TEXTS["long"]))["lock/1.0/plain/tiny-x86_64.html"].decode()
    assert "(1048576 characters in all)" in page
