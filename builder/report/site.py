"""All pages of a report, by their path below its folder. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from builder import diff
from builder.graph import graph_of
from builder.model import counted
from builder.report.addresses import (
    BUILD,
    CHANGE,
    EVIDENCE,
    LICENSES,
    OVERVIEW,
    REBUILDS,
    SHARED,
    link,
    lock_page_path,
)
from builder.report.build_page import build_page
from builder.report.evidence_page import evidence_page
from builder.report.facts import ReportFacts
from builder.report.html import page_bytes
from builder.report.license_page import license_page
from builder.report.lock_page import lock_page
from builder.report.overview_page import overview_page
from builder.report.rebuild_page import rebuild_page
from builder.report.shared_rows import shared_rows

__all__ = ["report_pages"]


def report_pages(facts: ReportFacts) -> dict[str, bytes]:
    """Return every page; equal facts give equal bytes."""
    return dict(_written_pages(facts))


def _written_pages(facts: ReportFacts) -> Iterator[tuple[str, bytes]]:
    locks = facts.readable()
    graphs = {name: graph_of(lock) for name, lock in locks.items()}
    shared = shared_rows(graphs)
    top = {"facts": facts, "menu": _page_menu(facts), "link": link}
    yield OVERVIEW, page_bytes("overview.html", OVERVIEW, {**top, "page": overview_page(facts)})
    for one in facts.locks:
        if one.lock is not None:
            page = lock_page(one, graphs[one.name], shared, facts)
            yield page.path, page_bytes("lock.html", page.path, {**top, "page": page})
    sets = [
        (one, counted(one.rows, "row"), [(name, link(SHARED, lock_page_path(name))) for name in one.locks])
        for one in shared.sets
    ]
    yield SHARED, page_bytes("shared.html", SHARED, {**top, "sets": sets})
    yield LICENSES, page_bytes("licenses.html", LICENSES, {**top, "page": license_page(locks.values())})
    yield (
        EVIDENCE,
        page_bytes("evidence.html", EVIDENCE, {**top, "page": evidence_page(locks.values(), facts.claims)}),
    )
    if facts.builds:
        yield BUILD, page_bytes("build.html", BUILD, {**top, "page": build_page(facts.builds)})
    if facts.rebuilds:
        here = {one.name: f"sha256:{one.sha256}" for one in facts.locks if one.lock is not None}
        built = {**top, "page": rebuild_page(facts.rebuilds, here)}
        yield REBUILDS, page_bytes("rebuilds.html", REBUILDS, built)
    if facts.change is not None:
        change = {"page": diff.page(facts.change), "report": facts.change}
        yield CHANGE, page_bytes("change.html", CHANGE, {**top, **change})


def _page_menu(facts: ReportFacts) -> tuple[tuple[str, str], ...]:
    """Return the pages that every page links to, each with its name."""
    pages = [("Overview", OVERVIEW), ("Shared rows", SHARED), ("Licenses", LICENSES), ("Evidence", EVIDENCE)]
    pages += [("Build", BUILD)] if facts.builds else []
    pages += [("Rebuilds", REBUILDS)] if facts.rebuilds else []
    pages += [("Change", CHANGE)] if facts.change is not None else []
    return tuple(pages)
