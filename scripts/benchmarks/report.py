"""The report of one release: processor time for each hundred locks, and the sizes of its pages.

Everything is counted that the verb does but for writing the folder: locks are read and verified, the
matrix is made, chains are found, pages are written into memory. Fails if a limit is exceeded.
"""

from __future__ import annotations

import argparse
import hashlib
import time

from builder.commands.report import Options, report_facts
from builder.console import Console
from builder.project import open_project
from builder.report import report_pages
from builder.selection import Selection
from scripts.benchmarks.lock import ROOT

LARGEST_PAGE = 1_500_000
"""Bytes of the page of one lock."""
LARGEST_SITE = 15_000_000
"""Bytes of the site of one release."""
SECONDS = 10.0
"""Of processor time, for each 100 locks."""


def add_options(word: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    word.add_argument("--release", default="1.4.2", metavar="NAME", help="default: %(default)s")


def run(options: argparse.Namespace) -> bool:
    """Print the figures; return whether all are within their limits."""
    project = open_project(project=str(ROOT), store="", origins=(), mirrors=(), console=Console(quiet=True))
    began = time.process_time()
    facts = report_facts(project, Options(selection=Selection(releases=(options.release,))))
    read = time.process_time()
    pages = report_pages(facts)
    ended = time.process_time()
    largest = max((len(page), path) for path, page in pages.items() if path.startswith("lock/"))
    total = sum(map(len, pages.values()))
    each = (ended - began) * 100 / len(facts.locks)
    digest = hashlib.sha256()
    for path, page in sorted(pages.items()):
        digest.update(f"{path}\n".encode() + page)
    print(f"{len(facts.locks)} locks of release {options.release}, {len(pages)} pages")
    print(f"processor time: {read - began:.1f} s to read and verify, {ended - read:.1f} s to write")
    print(f"for each 100 locks: {each:.1f} s (limit {SECONDS:.0f})")
    print(f"largest page of a lock: {largest[0]:,} bytes, {largest[1]} (limit {LARGEST_PAGE:,})")
    print(f"all pages: {total:,} bytes (limit {LARGEST_SITE:,})")
    print(f"SHA-256 over all pages: {digest.hexdigest()}")
    return each <= SECONDS and largest[0] <= LARGEST_PAGE and total <= LARGEST_SITE
