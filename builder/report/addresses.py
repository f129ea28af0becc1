"""Addresses of pages, and links from one to another that work from a folder. Pure."""

from __future__ import annotations

import posixpath
from urllib.parse import quote

__all__ = ["BUILD", "CHANGE", "EVIDENCE", "LICENSES", "OVERVIEW", "REBUILDS", "SHARED", "link"]
__all__ += ["lock_page_path"]

OVERVIEW = "index.html"
SHARED = "shared.html"
LICENSES = "licenses.html"
EVIDENCE = "evidence.html"
CHANGE = "change.html"
BUILD = "build.html"
REBUILDS = "rebuilds.html"


def lock_page_path(name: str) -> str:
    """Return the path of a lock's page from the name of its file: `lock/1.4.2/debian-13/vllm-x86_64.html`."""
    return f"{name.removesuffix('.toml')}.html"


def link(page: str, to: str, anchor: str = "") -> str:
    """Return the relative address of the page `to` from `page`, both paths below the report's folder."""
    path = posixpath.relpath(to, posixpath.dirname(page) or ".")
    return quote(path, safe="/._-+~") + (f"#{quote(anchor, safe='._-+~')}" if anchor else "")
