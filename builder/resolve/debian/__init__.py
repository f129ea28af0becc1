"""Debian and Ubuntu packages: signed indexes in, the closure that apt would install out.

In: pinned InRelease files, package indexes and the inventory of a base image. Out: the
packages that apt would install, who asks for each, or why there is no solution. The
rules are apt's own (`MarkInstall`, `pkgProblemResolver`); docs/decisions has the page.
"""

from builder.resolve.debian.archive import DebianArchive, index_folder, open_debian_archive
from builder.resolve.debian.closure import base_set, plan, resolve
from builder.resolve.debian.index import Stanza, parse_control, parse_packages, parse_status, unpack
from builder.resolve.debian.inventory import InstalledDeb
from builder.resolve.debian.relation import Clause, clauses, compare
from builder.resolve.debian.release import InRelease, check_suite, check_window, read_inrelease
from builder.resolve.debian.universe import PackagesIndex, Universe, hard

__all__ = [
    "Clause",
    "DebianArchive",
    "InRelease",
    "InstalledDeb",
    "PackagesIndex",
    "Stanza",
    "Universe",
    "base_set",
    "check_suite",
    "check_window",
    "clauses",
    "compare",
    "hard",
    "index_folder",
    "open_debian_archive",
    "parse_control",
    "parse_packages",
    "parse_status",
    "plan",
    "read_inrelease",
    "resolve",
    "unpack",
]
